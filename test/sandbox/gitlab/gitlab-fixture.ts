import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type GitLab, type GitLabOptions, startGitLab } from '../../../src/sandbox/gitlab/start-gitlab.js';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function cleanUp(run: () => Promise<unknown>): void {
  cleanups.push(run);
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-gitlab-'));
  cleanUp(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function testGitLab(options: GitLabOptions = {}): Promise<GitLab> {
  const gitlab = await startGitLab(options);
  cleanUp(gitlab.close);
  return gitlab;
}

/** What parsed JSON has at a path such as `object_attributes.action` or `0.id`; undefined where there is nothing. */
export function pick(value: unknown, path: string): unknown {
  let found = value;
  for (const key of path.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

/** One field of each entry of a list. */
export function each(list: unknown, path: string): unknown[] {
  if (!Array.isArray(list)) throw new Error('no list was answered');
  return list.map((entry) => pick(entry, path));
}

export interface ApiAnswer {
  status: number;
  headers: Headers;
  body: unknown;
}

/** One request to the API as the token's owner. */
export async function api(
  gitlab: GitLab,
  path: string,
  options: { method?: string; body?: unknown; token?: string | null } = {},
): Promise<ApiAnswer> {
  const token = options.token === undefined ? gitlab.token : options.token;
  const response = await fetch(`${gitlab.url}/api/v4${path}`, {
    method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(token === null ? {} : { 'private-token': token }),
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

interface Received {
  headers: IncomingHttpHeaders;
  raw: string;
  body: unknown;
}

export interface Receiver {
  url: string;
  received: Received[];
  /** What it answers; 0: nothing at all. */
  status: number;
}

/** A real server that takes webhooks. */
export async function webhookReceiver(): Promise<Receiver> {
  const server = createServer(async (request, response) => {
    let raw = '';
    for await (const chunk of request) raw += chunk;
    receiver.received.push({ headers: request.headers, raw, body: JSON.parse(raw) });
    if (receiver.status > 0) response.writeHead(receiver.status).end();
    else request.socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received: [],
    status: 200,
  };
  cleanUp(async () => {
    server.closeAllConnections();
    server.close();
  });
  return receiver;
}

/** Looks again and again until it is true, or the deadline has passed. */
export async function until(what: string, test: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await test())) {
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
