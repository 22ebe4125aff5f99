import { describe, expect, it } from 'vitest';
import { environmentSlug } from '../../../src/sandbox/gitlab/actions/environments.js';
import { api, pick, testGitLab } from './gitlab-fixture.js';

describe('environments', () => {
  it.each([
    ['review/023f1bce01229c686a73', 'review-023f1bce01-3uxznk'],
    ['production', 'production'],
  ])('the slug of %s', (name, slug) => {
    expect(environmentSlug(name)).toBe(slug);
  });

  it('are made, changed, stopped, deleted only when stopped, and deployed to', async () => {
    const gitlab = await testGitLab();
    const project = await gitlab.createProject({ path: 'acme/shop' });
    const { headSha: sha, sourceBranch: ref } = await gitlab.createMergeRequest(project, {});
    const base = '/projects/1/environments';
    const made = await api(gitlab, base, { body: { name: 'preview/shop-1', external_url: 'https://a.example' } });
    expect(made).toMatchObject({ status: 201, body: { id: 1, state: 'available', tier: 'development' } });
    expect((await api(gitlab, base, { body: { name: 'preview/shop-1' } })).status).toBe(400);
    const put = { method: 'PUT', body: { external_url: 'https://b.example' } };
    expect(pick((await api(gitlab, `${base}/1`, put)).body, 'external_url')).toBe('https://b.example');
    const deploy = { environment: 'preview/shop-1', sha, ref, tag: false, status: 'running' };
    const deployment = await api(gitlab, '/projects/1/deployments', { body: deploy });
    expect(deployment).toMatchObject({ status: 201, body: { iid: 1, environment: { id: 1 }, status: 'running' } });
    const missing = await api(gitlab, '/projects/1/deployments', { body: { environment: 'x' } });
    expect(missing.body).toEqual({ error: 'sha is missing, ref is missing, tag is missing, status is missing' });
    const done = { method: 'PUT', body: { status: 'success' } };
    expect(pick((await api(gitlab, '/projects/1/deployments/1', done)).body, 'status')).toBe('success');

    expect((await api(gitlab, `${base}/1`, { method: 'DELETE' })).status).toBe(403);
    expect(pick((await api(gitlab, `${base}/1/stop`, { body: {} })).body, 'state')).toBe('stopped');
    await api(gitlab, '/projects/1/deployments', { body: deploy });
    expect((await api(gitlab, `${base}/1`)).body).toMatchObject({ state: 'available', last_deployment: { iid: 2 } });
    await api(gitlab, `${base}/1/stop`, { body: {} });
    expect((await api(gitlab, `${base}/1`, { method: 'DELETE' })).status).toBe(204);
    const created = await api(gitlab, '/projects/1/deployments', { body: { ...deploy, environment: 'other' } });
    expect(pick(created.body, 'environment.name')).toBe('other');
  });
});
