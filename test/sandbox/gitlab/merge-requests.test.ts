import { describe, expect, it } from 'vitest';
import { api, each, pick, testGitLab } from './gitlab-fixture.js';

const base = '/projects/acme%2Fshop/merge_requests';

describe('merge requests over the API', () => {
  it('are listed by state, labels, branches and time, in the order that is asked for', async () => {
    let now = 1_000_000;
    const gitlab = await testGitLab({ clock: () => now });
    const project = await gitlab.createProject({ path: 'acme/shop' });
    const open = async (sourceBranch: string, labels: string[] = []) => {
      now += 1_000;
      return await gitlab.createMergeRequest(project, { sourceBranch, labels });
    };
    const a = await open('a', ['x', 'y']);
    const b = await open('b', ['x']);
    await open('c');
    now += 1_000;
    const touched = now;
    gitlab.closeMergeRequest(a);
    const iids = async (query: string): Promise<unknown[]> => each((await api(gitlab, `${base}?${query}`)).body, 'iid');

    expect(await iids('')).toEqual([3, 2, 1]);
    expect(await iids('sort=asc')).toEqual([1, 2, 3]);
    expect(await iids('order_by=updated_at')).toEqual([1, 3, 2]);
    expect(await iids('state=opened')).toEqual([3, 2]);
    expect(await iids('state=closed')).toEqual([1]);
    expect(await iids('labels=x,y')).toEqual([1]);
    expect(await iids('labels=None')).toEqual([3]);
    expect(await iids('source_branch=b')).toEqual([b.iid]);
    expect(await iids('target_branch=release')).toEqual([]);
    expect(await iids(`updated_after=${new Date(touched).toISOString()}`)).toEqual([1]);
    expect(await iids('iids[]=1&iids[]=3')).toEqual([3, 1]);
    expect((await api(gitlab, `${base}?state=nonsense`)).status).toBe(400);
    const group = await api(gitlab, '/groups/acme/merge_requests?state=opened');
    expect(each(group.body, 'iid')).toEqual([3, 2]);
  });

  it('come in pages with links that lead on', async () => {
    const gitlab = await testGitLab();
    const project = await gitlab.createProject({ path: 'acme/shop' });
    for (let at = 0; at < 25; at += 1) await gitlab.createMergeRequest(project, {});
    const first = await api(gitlab, `${base}?state=opened`);
    expect(first.body).toHaveLength(20);
    expect(first.headers.get('x-total')).toBe('25');
    expect(first.headers.get('x-next-page')).toBe('2');
    expect(first.headers.get('ratelimit-limit')).toBe('2000');
    const next = /<([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect(next).toContain('state=opened');
    const second = await api(gitlab, next.slice(`${gitlab.url}/api/v4`.length));
    expect(second.body).toHaveLength(5);
    expect(second.headers.get('x-next-page')).toBe('');
    expect((await api(gitlab, `${base}?per_page=1000`)).headers.get('x-per-page')).toBe('100');
  });

  it('keep their versions, state and label events', async () => {
    const gitlab = await testGitLab();
    const project = await gitlab.createProject({ path: 'acme/shop' });
    const mergeRequest = await gitlab.createMergeRequest(project, { sourceBranch: 'f' });
    const pushed = await gitlab.push(project, { branch: 'f' });
    const change = (body: object) => api(gitlab, `${base}/1`, { method: 'PUT', body });
    expect(pick((await change({ state_event: 'close' })).body, 'state')).toBe('closed');
    await gitlab.push(project, { branch: 'f' });
    expect(pick((await change({ state_event: 'reopen', add_labels: 'x' })).body, 'labels')).toEqual(['x']);
    await change({ remove_labels: 'x' });

    const versions = (await api(gitlab, `${base}/1/versions`)).body;
    const heads = each(versions, 'head_commit_sha');
    expect(heads).toHaveLength(3);
    expect(heads[0]).toBe(mergeRequest.headSha);
    expect(heads[1]).toBe(pushed.id);
    const events = (await api(gitlab, `${base}/1/resource_state_events`)).body;
    expect(each(events, 'state')).toEqual(['closed', 'reopened']);
    expect(pick(events, '0')).toMatchObject({ resource_type: 'MergeRequest', resource_id: mergeRequest.id });
    const labels = (await api(gitlab, `${base}/1/resource_label_events`)).body;
    expect(each(labels, 'action')).toEqual(['add', 'remove']);
    const one = (await api(gitlab, `${base}/1`)).body;
    expect(pick(one, 'diff_refs.head_sha')).toBe(pick(one, 'sha'));
    expect(pick(one, 'updated_at')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  });

  it('are refused as GitLab refuses them', async () => {
    const gitlab = await testGitLab();
    const project = await gitlab.createProject({ path: 'acme/shop' });
    await gitlab.createMergeRequest(project, { sourceBranch: 'f' });
    const create = async (body: object) => {
      const { status, body: answer } = await api(gitlab, base, { body });
      return { status, answer };
    };
    expect(await create({ source_branch: 'f' })).toEqual({
      status: 400,
      answer: { error: 'title is missing, target_branch is missing' },
    });
    expect((await create({ source_branch: 'f', target_branch: 'main', title: 'again' })).status).toBe(409);
    expect((await create({ source_branch: 'main', target_branch: 'main', title: 'self' })).status).toBe(422);
    const draft = await gitlab.createMergeRequest(project, { sourceBranch: 'g', title: 'Draft: g' });
    const merge = (iid: number, body: object = {}) => api(gitlab, `${base}/${iid}/merge`, { method: 'PUT', body });
    expect((await merge(draft.iid)).status).toBe(405);
    expect((await merge(1, { sha: '0'.repeat(40) })).status).toBe(409);
    expect(pick((await merge(1)).body, 'state')).toBe('merged');
    expect((await merge(1)).status).toBe(405);
  });

  it('are for those who may: tokens, members and strangers', async () => {
    let now = Date.now();
    const gitlab = await testGitLab({ clock: () => now });
    const project = await gitlab.createProject({ path: 'acme/shop' });
    const mergeRequest = await gitlab.createMergeRequest(project, {});
    const reporter = gitlab.addUser({ username: 'rita', project, accessLevel: 20 });
    const stranger = gitlab.addUser({ username: 'sam' });
    const as = (token: string | null) => api(gitlab, `${base}/1`, { token });

    expect(await as(null)).toMatchObject({ status: 401, body: { message: '401 Unauthorized' } });
    expect(await as('wrong')).toMatchObject({ status: 401 });
    expect(await as(gitlab.tokenFor(stranger))).toMatchObject({
      status: 404,
      body: { message: '404 Project Not Found' },
    });
    const token = gitlab.tokenFor(reporter, { expiresAt: now + 1_000 });
    expect((await as(token)).status).toBe(200);
    const close = { method: 'PUT', body: { state_event: 'close' }, token };
    expect((await api(gitlab, `${base}/1`, close)).status).toBe(403);
    const note = await api(gitlab, `${base}/1/notes`, { body: { body: 'hello' }, token });
    expect(note.status).toBe(201);
    const reader = gitlab.tokenFor(reporter, { scopes: ['read_api'] });
    expect(await api(gitlab, `${base}/1/notes`, { body: { body: 'x' }, token: reader })).toMatchObject({
      status: 403,
      body: { error: 'insufficient_scope' },
    });
    now += 2_000;
    expect(await as(token)).toMatchObject({ status: 401, body: { error: 'invalid_token' } });
    gitlab.removeMember(project, reporter);
    expect((await as(gitlab.tokenFor(reporter))).status).toBe(404);
    expect(mergeRequest.state).toBe('opened');
  });

  it('open by the thousand without Git, and are answered at once', async () => {
    const gitlab = await testGitLab();
    const project = await gitlab.createProject({ path: 'acme/load', git: false });
    await Promise.all(Array.from({ length: 1_000 }, () => gitlab.createMergeRequest(project, {})));
    const last = await api(gitlab, `/projects/${project.id}/merge_requests?per_page=100&page=10`);
    expect(last.body).toHaveLength(100);
    const shas = new Set([...project.mergeRequests.values()].map(({ headSha }) => headSha));
    expect(shas.size).toBe(1_000);
  });
});
