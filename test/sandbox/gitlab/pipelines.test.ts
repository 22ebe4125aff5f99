import { describe, expect, it } from 'vitest';
import { compositeStatus } from '../../../src/sandbox/gitlab/composite-status.js';
import type { Job, JobStatus } from '../../../src/sandbox/gitlab/model.js';
import { api, each, pick, testGitLab, until } from './gitlab-fixture.js';

function job(status: JobStatus, allowFailure = false, retried = false): Job {
  return {
    id: 1,
    kind: 'build',
    name: 'job',
    stage: 'test',
    status,
    allowFailure,
    manual: false,
    userId: 1,
    description: null,
    targetUrl: null,
    coverage: null,
    environment: null,
    createdAt: 0,
    startedAt: null,
    finishedAt: null,
    retried,
    plan: null,
  };
}

describe('the status of a pipeline', () => {
  it.each<[string, Job[], JobStatus | null]>([
    ['nothing', [], null],
    ['all succeeded', [job('success'), job('success')], 'success'],
    ['one failed', [job('success'), job('failed')], 'failed'],
    ['one failed that may', [job('success'), job('failed', true)], 'success'],
    ['one failed and was tried again', [job('failed', false, true), job('success')], 'success'],
    ['an optional manual one waits', [job('success'), job('manual', true)], 'success'],
    ['a manual one that holds it up', [job('success'), job('manual')], 'manual'],
    ['nothing has begun', [job('created'), job('created')], 'created'],
    ['some wait for a runner', [job('pending'), job('created')], 'pending'],
    ['some are done, some wait', [job('success'), job('pending')], 'running'],
    ['between two stages', [job('success'), job('created')], 'running'],
    ['one was cancelled', [job('success'), job('canceled')], 'canceled'],
    ['failed and cancelled', [job('failed'), job('canceled')], 'failed'],
    ['all skipped', [job('skipped')], 'skipped'],
  ])('%s', (_name, jobs, expected) => {
    expect(compositeStatus(jobs)).toBe(expected);
  });
});

async function scene() {
  const gitlab = await testGitLab();
  const project = await gitlab.createProject({ path: 'acme/shop' });
  const post = (body: object, sha: string | null) => api(gitlab, `/projects/1/statuses/${sha}`, { body });
  return { gitlab, project, post };
}

describe('pipelines', () => {
  it('run at each push, stage by stage, and skip what follows a failure', async () => {
    const { gitlab, project } = await scene();
    gitlab.setPipelinePlan(project, [
      { name: 'build', stage: 'build', durationMs: null },
      { name: 'lint', stage: 'build', outcome: 'failed', allowFailure: true },
      { name: 'unit', stage: 'test' },
      { name: 'child', stage: 'test', kind: 'bridge' },
    ]);
    const mergeRequest = await gitlab.createMergeRequest(project, { sourceBranch: 'f' });
    const [pipeline] = project.pipelines.values();
    if (pipeline === undefined) throw new Error('no pipeline');
    const statusOf = (name: string) => pipeline.jobs.find((one) => one.name === name)?.status;
    await until('build runs', () => statusOf('build') === 'running' && statusOf('lint') === 'failed');
    expect(pipeline.status).toBe('running');
    expect(statusOf('unit')).toBe('created');

    gitlab.finishJob(project, pipeline, 'build', 'success');
    await until('the pipeline is through', () => pipeline.status === 'success');
    const listed = await api(gitlab, `/projects/1/pipelines?sha=${mergeRequest.headSha}`);
    expect(listed.body).toMatchObject([{ id: pipeline.id, status: 'success', ref: 'f', source: 'push' }]);
    const names = async (what: string): Promise<unknown[]> =>
      each((await api(gitlab, `/projects/1/pipelines/${pipeline.id}/${what}`)).body, 'name');
    expect((await names('jobs')).toSorted()).toEqual(['build', 'lint', 'unit']);
    expect(await names('bridges')).toEqual(['child']);
    expect(pick((await api(gitlab, '/projects/1/merge_requests/1')).body, 'head_pipeline.id')).toBe(pipeline.id);

    gitlab.setPipelinePlan(project, [
      { name: 'build', stage: 'build', outcome: 'failed' },
      { name: 'unit', stage: 'test' },
    ]);
    await gitlab.push(project, { branch: 'f' });
    const second = [...project.pipelines.values()].at(-1);
    await until('it failed', () => second?.status === 'failed');
    expect(second?.jobs.map(({ status }) => status)).toEqual(['failed', 'skipped']);
  });

  it('count statuses that were posted, as GitLab does', async () => {
    const { gitlab, project, post } = await scene();
    gitlab.setPipelinePlan(project, [{ name: 'build' }]);
    const { headSha } = await gitlab.createMergeRequest(project, { sourceBranch: 'f' });
    const [pipeline] = project.pipelines.values();
    await until('CI is through', () => pipeline?.status === 'success');

    expect(pick((await post({ state: 'running', name: 'p', ref: 'f' }, headSha)).body, 'pipeline_id')).toBe(
      pipeline?.id,
    );
    expect(pipeline?.status).toBe('running');
    const refused = await post({ state: 'running', name: 'p', ref: 'f' }, headSha);
    expect(refused.status).toBe(400);
    expect(pick(refused.body, 'message')).toContain('Cannot transition status via :run from :running');
    await post({ state: 'failed', name: 'p', ref: 'f', description: 'no' }, headSha);
    expect(pipeline?.status).toBe('failed');
    await post({ state: 'success', name: 'p', ref: 'f', description: 'ready' }, headSha);
    expect(pipeline?.status).toBe('success');
    const statuses = (await api(gitlab, `/projects/1/repository/commits/${headSha}/statuses`)).body;
    expect(each(statuses, 'name')).toEqual(['build', 'p']);
    expect(each(statuses, 'description')).toEqual([null, 'ready']);
    const jobs = (await api(gitlab, `/projects/1/pipelines/${pipeline?.id}/jobs`)).body;
    expect(each(jobs, 'name')).toEqual(['build']);
  });

  it('of a merge request have a ref of their own, by which alone a status finds them', async () => {
    const { gitlab, project, post } = await scene();
    gitlab.setPipelinePlan(project, [{ name: 'build' }], 'merge_request_event');
    const { headSha } = await gitlab.createMergeRequest(project, { sourceBranch: 'f' });
    const listed = await api(gitlab, '/projects/1/merge_requests/1/pipelines');
    const ref = 'refs/merge-requests/1/head';
    expect(listed.body).toMatchObject([{ id: 1, ref, source: 'merge_request_event' }]);
    expect((await post({ state: 'success', ref: 'f', pipeline_id: 1 }, headSha)).status).toBe(404);
    expect((await post({ state: 'success', ref, pipeline_id: 1 }, headSha)).body).toMatchObject({
      pipeline_id: 1,
      ref,
    });
    expect((await post({ state: 'success', ref: 'f' }, headSha)).body).toMatchObject({ pipeline_id: 2, ref: 'f' });
  });

  it('are made of source external where there is none, and only for what exists', async () => {
    const { gitlab, project, post } = await scene();
    const { headSha } = await gitlab.createMergeRequest(project, { sourceBranch: 'f' });
    expect((await post({ state: 'success', name: 'p' }, headSha)).status).toBe(201);
    expect([...project.pipelines.values()]).toMatchObject([{ source: 'external', ref: 'f', status: 'success' }]);
    expect((await post({ state: 'success', name: 'p', pipeline_id: 99 }, headSha)).status).toBe(404);
    expect((await post({ state: 'success' }, '0'.repeat(40))).body).toEqual({ message: '404 Commit Not Found' });
    expect((await post({ state: 'excellent' }, headSha)).status).toBe(400);
    expect((await post({ state: 'success', description: 'x'.repeat(256) }, headSha)).status).toBe(400);
  });
});
