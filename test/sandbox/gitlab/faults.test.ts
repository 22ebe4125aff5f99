import { describe, expect, it } from 'vitest';
import { api, testGitLab } from './gitlab-fixture.js';

async function scene() {
  const gitlab = await testGitLab();
  const project = await gitlab.createProject({ path: 'acme/shop' });
  const mergeRequest = await gitlab.createMergeRequest(project, {});
  const notes = () => [...mergeRequest.notes.values()].map(({ body }) => body);
  const comment = (body: string) => api(gitlab, '/projects/1/merge_requests/1/notes', { body: { body } });
  return { gitlab, notes, comment };
}

describe('faults', () => {
  it('answer 429 and 502 as often as was asked, and do nothing', async () => {
    const { gitlab, notes, comment } = await scene();
    gitlab.faults.add({ kind: 'rate-limit', method: 'POST', path: '/notes$', count: 1, retryAfterSeconds: 7 });
    const limited = await comment('a');
    expect(limited.status).toBe(429);
    expect(limited.headers.get('retry-after')).toBe('7');
    expect(limited.body).toBe('Retry later\n');
    gitlab.faults.add({ kind: 'bad-gateway', count: 1 });
    expect((await comment('a')).status).toBe(502);
    expect(notes()).toEqual([]);
    expect((await comment('a')).status).toBe(201);
    expect(notes()).toEqual(['a']);
  });

  it('lose the answer to what was done', async () => {
    const { gitlab, notes, comment } = await scene();
    gitlab.faults.add({ kind: 'lost-answer', method: 'POST', count: 1 });
    await expect(comment('done')).rejects.toThrow();
    expect(notes()).toEqual(['done']);
    expect((await comment('again')).status).toBe(201);
  });

  it('keep silent, and let go when the server closes', async () => {
    const { gitlab, notes, comment } = await scene();
    gitlab.faults.add({ kind: 'silence' });
    const answer = comment('never').then(
      () => 'answered',
      () => 'cut',
    );
    await gitlab.close();
    expect(await answer).toBe('cut');
    expect(notes()).toEqual([]);
  });

  it('pretend an expired token, a removed bot, an empty list, a conflict; only where asked', async () => {
    const { gitlab } = await scene();
    const list = () => api(gitlab, '/projects/1/merge_requests');
    gitlab.faults.add({ kind: 'token-expired', count: 1 });
    expect(await list()).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    gitlab.faults.add({ kind: 'not-found', path: '/projects/1/', count: 1 });
    expect((await api(gitlab, '/user')).status).toBe(200);
    expect(await list()).toMatchObject({ status: 404, body: { message: '404 Project Not Found' } });
    const id = gitlab.faults.add({ kind: 'empty', method: 'GET', path: '/merge_requests$' });
    expect(await list()).toMatchObject({ status: 200, body: [] });
    gitlab.faults.remove(id);
    expect((await list()).body).toHaveLength(1);
    gitlab.faults.add({ kind: 'conflict', path: '/statuses/', count: 1 });
    expect((await api(gitlab, '/projects/1/statuses/0', { body: { state: 'success' } })).status).toBe(409);
  });

  it('are switched over HTTP, by nobody else’s page', async () => {
    const { gitlab } = await scene();
    const address = `${gitlab.url}/-/sandbox/faults`;
    const send = (headers: Record<string, string>, body: unknown) =>
      fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    const fault = { kind: 'bad-gateway', path: '/user$', count: 1 };
    expect((await send({ origin: 'http://evil.example' }, fault)).status).toBe(403);
    expect((await send({}, { kind: 'nonsense' })).status).toBe(400);
    expect((await send({}, fault)).status).toBe(201);
    expect((await api(gitlab, '/user')).status).toBe(502);
    expect((await api(gitlab, '/user')).status).toBe(200);
    const listed = (await (await fetch(address)).json()) as unknown[];
    expect(listed).toMatchObject([{ kind: 'bad-gateway', hits: 1 }]);
  });
});
