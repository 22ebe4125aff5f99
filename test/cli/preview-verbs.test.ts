import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Command } from 'commander';
import { afterEach, expect, it, vi } from 'vitest';
import { addPreviewVerbs } from '../../src/cli/preview-verbs.js';

const preview = {
  slug: 'shop-42',
  incarnation: 1,
  project: 'shop',
  phase: 'ready',
  waitingFor: null,
  cause: null,
  url: null,
  expiresAt: '2026-11-26T14:02:00.000Z',
  heldStop: null,
  templateProblem: null,
  unknownSince: '2026-11-23T14:02:00.000Z',
  members: [
    {
      next: { sha: 'a'.repeat(40), waitingFor: 'pipeline', since: '2026-11-23T15:00:00.000Z', detail: null },
    },
  ],
};
const events = [{ at: '2026-11-23T14:02:09.000Z', incarnation: 1, kind: 'ready', actor: null, detail: null }];

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

/** What a verb prints, asking a manager that knows one preview. */
async function printed(...args: string[]): Promise<string> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://manager');
    const bodies: Record<string, unknown> = {
      '/api/v1/previews': { previews: [preview], next: null },
      '/api/v1/previews/shop-42': preview,
      '/api/v1/previews/shop-42/events': { events },
    };
    response.end(JSON.stringify(bodies[pathname]));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('MAYFLY_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  vi.stubEnv('MAYFLY_TOKEN', 'token');
  let text = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  try {
    const program = new Command();
    addPreviewVerbs(program);
    await program.parseAsync(args, { from: 'user' });
  } finally {
    server.closeAllConnections();
    server.close();
  }
  return text;
}

it('a list says that its dates are UTC', async () => {
  const [heading, row] = (await printed('list')).split('\n');
  expect(heading).toMatch(/EXPIRES \(UTC\) {2,}URL$/);
  expect(row).toContain('2026-11-26 14:02');
  expect(row).toContain('unknown to GitLab since 2026-11-23 14:02 UTC');
});

it('what is shown of one says so of each date', async () => {
  const lines = (await printed('show', 'shop-42')).split('\n');
  expect(lines).toContain('aaaaaaaa waits for pipeline since 2026-11-23 15:00 UTC');
  expect(lines.find((line) => line.startsWith('AT'))).toMatch(/^AT \(UTC\) {2,}LIFE/);
});
