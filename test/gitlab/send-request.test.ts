import type { IncomingMessage, ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { isAppError } from '../../src/error/app-error.js';
import { createGitLab, type GitLab, type GitLabOptions } from '../../src/gitlab/client.js';
import { createNote, updateNote } from '../../src/gitlab/notes.js';
import { currentUser, getProject } from '../../src/gitlab/projects.js';
import { json, type ScriptedServer, startScriptedServer } from './scripted-server.js';

const token = 'glpat-very-secret';
const user = { id: 7, username: 'mayfly' };
/** Long enough that a busy machine answers within it. */
const silence = { timeoutMs: 1_000 };
const releases: (() => Promise<void>)[] = [];
let observed: string[] = [];

afterEach(async () => {
  for (const release of releases.splice(0)) await release();
  observed = [];
});

async function connect(
  answer: (n: number, response: ServerResponse, request: IncomingMessage) => void,
  options: Partial<GitLabOptions> = {},
): Promise<{ gitlab: GitLab; server: ScriptedServer }> {
  const server = await startScriptedServer(answer);
  const gitlab = createGitLab({
    url: server.url,
    token,
    timeoutMs: 30_000,
    retry: { baseDelayMs: 5, maxDelayMs: 10 },
    observe: ({ call, status, silence }) => observed.push(`${call} ${silence ?? status}`),
    ...options,
  });
  releases.push(gitlab.close, server.close);
  return { gitlab, server };
}

async function failureOf(work: Promise<unknown>) {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!isAppError(error)) throw new Error(`expected an AppError, got ${inspect(error)}`);
  return error;
}

const notes = { projectId: 5, iid: 42 };

describe('an idempotent request', () => {
  it.each([502, 503, 500, 504])('is repeated after %i', async (status) => {
    const { gitlab, server } = await connect((n, response) => json(response, n === 0 ? status : 200, user));
    expect(await currentUser(gitlab)).toEqual(user);
    expect(server.requests.length).toBe(2);
    expect(observed).toEqual([`user.read ${status}`, 'user.read 200']);
  });

  it('waits as long as Retry-After says', async () => {
    const at: number[] = [];
    const { gitlab } = await connect((n, response) => {
      at.push(performance.now());
      if (n > 0) return json(response, 200, user);
      response.writeHead(429, { 'retry-after': '1', 'content-type': 'text/plain' }).end('Retry later\n');
    });
    expect(await currentUser(gitlab)).toEqual(user);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(990);
  });

  it('is not waited for when Retry-After is long: the caller is told how long', async () => {
    const { gitlab, server } = await connect((_, response) => {
      response.writeHead(429, { 'retry-after': '60' }).end('Retry later\n');
    });
    const error = await failureOf(currentUser(gitlab));
    expect([error.code, error.disposition, error.data.retryAfterMs]).toEqual(['gitlab-rate-limited', 'retry', 60_000]);
    expect(server.requests.length).toBe(1);
  });

  it('is repeated when the connection breaks, and after silence', async () => {
    const { gitlab, server } = await connect((n, response, request) => {
      if (n === 0) request.socket.destroy();
      else if (n === 2) json(response, 200, user);
    }, silence);
    expect(await currentUser(gitlab)).toEqual(user);
    expect(server.requests.length).toBe(3);
    expect(observed).toEqual(['user.read broken', 'user.read timeout', 'user.read 200']);
  });

  it('gives up after its attempts', async () => {
    const { gitlab, server } = await connect((_, response) => json(response, 502, {}));
    const error = await failureOf(currentUser(gitlab));
    expect([error.code, error.disposition, error.data.attempts]).toEqual(['gitlab-unavailable', 'retry', 3]);
    expect(server.requests.length).toBe(3);
  });

  it('that is never answered is a time-out', async () => {
    const { gitlab } = await connect(() => undefined, silence);
    expect((await failureOf(currentUser(gitlab))).code).toBe('gitlab-timeout');
  });

  it('may be a PUT', async () => {
    const { gitlab, server } = await connect((n, response) => json(response, n === 0 ? 502 : 200, { id: 1 }));
    expect(await updateNote(gitlab, { ...notes, noteId: 1, body: 'text' })).toBe(true);
    expect(server.requests.map((request) => request.method)).toEqual(['PUT', 'PUT']);
    expect(JSON.parse(server.requests[1]?.body ?? '')).toEqual({ body: 'text' });
  });
});

describe('a creation', () => {
  it.each([500, 502, 503, 504])('is sent once, and unclear after %i', async (status) => {
    const { gitlab, server } = await connect((_, response) => json(response, status, {}, { 'retry-after': '0' }));
    expect((await failureOf(createNote(gitlab, { ...notes, body: 'x' }))).code).toBe('gitlab-unclear');
    expect(server.requests.length).toBe(1);
  });

  it('is unclear when the answer is lost, or never comes', async () => {
    const { gitlab, server } = await connect((n, _, request) => {
      if (n === 0) request.socket.destroy();
    }, silence);
    expect((await failureOf(createNote(gitlab, { ...notes, body: 'x' }))).code).toBe('gitlab-unclear');
    expect((await failureOf(createNote(gitlab, { ...notes, body: 'x' }))).code).toBe('gitlab-unclear');
    expect(server.requests.length).toBe(2);
  });

  it('is refused for certain after 429, and when nobody listens', async () => {
    const { gitlab, server } = await connect((_, response) => json(response, 429, {}, { 'retry-after': '0' }));
    expect((await failureOf(createNote(gitlab, { ...notes, body: 'x' }))).code).toBe('gitlab-rate-limited');
    expect(server.requests.length).toBe(1);
    await server.close();
    expect((await failureOf(createNote(gitlab, { ...notes, body: 'x' }))).code).toBe('gitlab-unavailable');
  });
});

describe('an answer', () => {
  it.each([
    [400, 'gitlab-invalid', 'stall'],
    [401, 'gitlab-unauthorized', 'wait'],
    [403, 'gitlab-forbidden', 'wait'],
    [404, 'gitlab-not-found', 'stall'],
    [409, 'gitlab-conflict', 'retry'],
    [301, 'gitlab-moved', 'stall'],
  ])('of %i is %s', async (status, code, disposition) => {
    const { gitlab, server } = await connect((_, response) =>
      json(response, status, { message: 'no' }, { location: 'http://127.0.0.1:1/elsewhere' }),
    );
    const error = await failureOf(getProject(gitlab, { project: 'acme/shop' }));
    expect([error.code, error.disposition]).toEqual([code, disposition]);
    expect(server.requests).toMatchObject([{ path: '/api/v4/projects/acme%2Fshop' }]);
  });

  it('that is a login page is no answer', async () => {
    const { gitlab } = await connect((_, response) => {
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Sign in</html>');
    });
    expect((await failureOf(currentUser(gitlab))).code).toBe('gitlab-unexpected-answer');
  });

  it('that repeats the token shows it in no error', async () => {
    const { gitlab, server } = await connect((_, response, request) =>
      json(response, 400, { message: `bad token ${request.headers['private-token']}` }),
    );
    const error = await failureOf(currentUser(gitlab));
    expect(server.requests[0]?.token).toBe(token);
    expect(inspect(error, { depth: 10 })).toContain('[masked]');
    expect(inspect(error, { depth: 10 })).not.toContain(token);
  });
});

describe('the connection', () => {
  it('is kept and bounded', async () => {
    const { gitlab, server } = await connect((_, response) => json(response, 200, user), { maxConcurrency: 3 });
    await Promise.all(Array.from({ length: 30 }, () => currentUser(gitlab)));
    expect(server.requests.length).toBe(30);
    expect(server.connections()).toBeLessThanOrEqual(3);
  });

  it('waits no longer than its signal, not even between attempts', async () => {
    const stop = new AbortController();
    const { gitlab } = await connect((_, response) => json(response, 502, {}, { 'retry-after': '10' }), {
      signal: stop.signal,
    });
    const failing = failureOf(currentUser(gitlab));
    while (observed.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect((await failing).code).toBe('gitlab-aborted');
  });

  it('ends a request under way with the caller’s signal', async () => {
    const stop = new AbortController();
    const { gitlab, server } = await connect(() => undefined, { timeoutMs: 60_000 });
    const failing = failureOf(currentUser(gitlab, { signal: stop.signal }));
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    expect((await failing).code).toBe('gitlab-aborted');
  });
});
