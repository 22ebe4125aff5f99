import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openConnection } from '../../src/kube/connection.js';
import { sendJson } from '../../src/kube/send-json.js';
import { startGitServer } from '../../src/sandbox/git-server.js';
import { until } from '../support/until.js';
import { openInBrowser, type SandboxProgram, startSandboxProgram } from './sandbox-program.js';

interface Note {
  id: number;
  body: string;
  author: { username: string };
}

const project = `/projects/${encodeURIComponent('acme/shop')}`;
const releases: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const release of releases.splice(0).reverse()) await release();
});

async function start(args: string[] = []): Promise<SandboxProgram> {
  const sandbox = await startSandboxProgram(args);
  releases.push(() => sandbox.kill('SIGKILL'));
  return sandbox;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-sandbox-test-'));
  releases.push(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}

function site(greeting: string): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: site}\ndata: {greeting: ${greeting}}\n`;
}

/** A commit on the branch `f`; answers its short sha as notes have it. */
async function push(sandbox: SandboxProgram, greeting: string, from?: string): Promise<string> {
  const { id } = await sandbox.gitlab<{ id: string }>('POST', `${project}/repository/commits`, {
    branch: 'f',
    ...(from === undefined ? {} : { start_branch: from }),
    commit_message: greeting,
    actions: [{ action: 'update', file_path: 'deploy/preview/site.yaml', content: site(greeting) }],
  });
  return id.slice(0, 8);
}

async function open(sandbox: SandboxProgram): Promise<void> {
  const body = { source_branch: 'f', target_branch: 'main', title: 'A warmer welcome' };
  await sandbox.gitlab('POST', `${project}/merge_requests`, body);
}

/** Mayfly's note, once it holds all of these. */
async function noteWith(sandbox: SandboxProgram, ...texts: string[]): Promise<string> {
  return until(
    `a note with ${texts.join(', ')}`,
    async () => {
      const notes = await sandbox.gitlab<Note[]>('GET', `${project}/merge_requests/1/notes`);
      const note = notes.find(({ author }) => author.username === 'mayfly');
      return texts.every((text) => note?.body.includes(text)) ? note?.body : undefined;
    },
    { everyMs: 100, explain: sandbox.stderr },
  );
}

/** Follows the note's link until the page says this; answers the link. */
async function pageWith(sandbox: SandboxProgram, greeting: string): Promise<string> {
  return until(`a page with ${greeting}`, async () => {
    const [link = ''] = /http:\/\/shop-1\.localhost:\d+/.exec(await noteWith(sandbox, 'Preview ready')) ?? [];
    const { status, text } = await openInBrowser(link);
    return status === 200 && text.includes(greeting) ? link : undefined;
  });
}

async function namespaces(sandbox: SandboxProgram): Promise<string[]> {
  const connection = await openConnection({ kubeconfig: { path: sandbox.addresses.kubeconfig } });
  try {
    const request = { method: 'GET', path: '/api/v1/namespaces', timeoutMs: 5_000 } as const;
    const list = (await sendJson(connection, request)) as { items: { metadata: { name: string } }[] };
    return list.items.map(({ metadata }) => metadata.name);
  } finally {
    await connection.close();
  }
}

function listens(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(address).port) });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}

describe('mayfly sandbox --json', { timeout: 180_000 }, () => {
  it('shows the whole story, and leaves nothing behind at Ctrl-C', async () => {
    const sandbox = await start();
    const { addresses } = sandbox;
    expect(Object.keys(addresses)).toEqual([
      'gitlab',
      'token',
      'project',
      'git',
      'manager',
      'dashboard',
      'kubeconfig',
      'database',
    ]);
    expect(addresses.project).toBe('acme/shop');
    expect((await sandbox.gitlab<{ username: string }>('GET', '/user')).username).not.toBe('mayfly');

    const first = await push(sandbox, 'Good morning', 'main');
    await open(sandbox);
    await noteWith(sandbox, 'Preview ready', first);
    await pageWith(sandbox, 'Good morning');
    expect(await namespaces(sandbox)).toContain('preview-shop-1');

    const second = await push(sandbox, 'Good evening');
    await noteWith(sandbox, 'Preview ready', second);
    await pageWith(sandbox, 'Good evening');
    const { id } = await sandbox.gitlab<Note>('POST', `${project}/merge_requests/1/notes`, {
      body: '/preview extend 2d',
    });
    await until('an emoji on the command', async () => {
      const path = `${project}/merge_requests/1/notes/${id}/award_emoji`;
      return (await sandbox.gitlab<{ name: string }[]>('GET', path)).some(({ name }) => name === 'thumbsup');
    });
    expect(await (await fetch(addresses.dashboard)).text()).toContain('shop-1');

    await sandbox.gitlab('PUT', `${project}/merge_requests/1/merge`);
    await noteWith(sandbox, 'Preview stopped', 'was merged');
    expect(await namespaces(sandbox)).not.toContain('preview-shop-1');

    expect(await sandbox.kill('SIGINT')).toBe(0);
    expect(sandbox.stdout().trim().split('\n')).toHaveLength(1);
    expect(sandbox.stderr()).toBe('');
    expect(existsSync(dirname(addresses.kubeconfig))).toBe(false);
    for (const address of [addresses.database, addresses.gitlab, addresses.git, addresses.manager]) {
      expect(await listens(address)).toBe(false);
    }
  });

  it('keeps its state in a folder, through kill -9 and ports that others took', async () => {
    const folder = await temporaryFolder();
    const before = await start(['--data', folder]);
    await push(before, 'One', 'main');
    await open(before);
    await pageWith(before, 'One');
    // Another one at the same time has ports of its own.
    const other = await start();
    const ports = (each: SandboxProgram) =>
      [each.addresses.gitlab, each.addresses.git, each.addresses.manager, each.addresses.dashboard].map(
        (address) => new URL(address).port,
      );
    expect(new Set([...ports(before), ...ports(other)]).size).toBe(8);
    expect(await other.kill('SIGINT')).toBe(0);
    // One in the same folder is refused before it writes over anything.
    await expect(start(['--data', folder])).rejects.toThrow(`Another sandbox runs with the folder ${folder}`);
    await before.kill('SIGKILL');

    const after = await start(['--data', folder]);
    expect(after.addresses).toEqual(before.addresses);
    await pageWith(after, 'One');
    await push(after, 'Two');
    const link = await pageWith(after, 'Two');
    expect(await after.kill('SIGINT')).toBe(0);

    for (const address of [after.addresses.gitlab, after.addresses.git, after.addresses.manager, link]) {
      const taker = await startGitServer({ root: folder, port: Number(new URL(address).port) });
      releases.push(() => taker.close());
    }
    const moved = await start(['--data', folder]);
    expect(ports(moved)).not.toEqual(ports(after));
    await pageWith(moved, 'Two');
    await push(moved, 'Three');
    await pageWith(moved, 'Three');
    await moved.gitlab('PUT', `${project}/merge_requests/1`, { state_event: 'close' });
    await noteWith(moved, 'Preview stopped', 'was closed');
    expect(await moved.kill('SIGINT')).toBe(0);
  });
});
