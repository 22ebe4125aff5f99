import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitLab, type GitLab } from '../../src/gitlab/client.js';
import { postCommitStatus } from '../../src/gitlab/commit-status.js';
import { newestPipeline, readGate } from '../../src/gitlab/pipelines.js';
import { emptyPipelineDetail, noPipelineDetail } from '../../src/preview/pipeline-gate.js';
import type { JobPlan, MergeRequest, Project } from '../../src/sandbox/gitlab/model.js';
import { type GitLab as StandIn, startGitLab } from '../../src/sandbox/gitlab/start-gitlab.js';
import { json, startScriptedServer } from './scripted-server.js';

let standIn: StandIn;
let gitlab: GitLab;
let project: Project;
let mergeRequest: MergeRequest;
let count = 0;

beforeAll(async () => {
  standIn = await startGitLab();
  gitlab = createGitLab({ url: standIn.url, token: standIn.token });
});

afterAll(async () => {
  await gitlab.close();
  await standIn.close();
});

beforeEach(async () => {
  count += 1;
  project = await standIn.createProject({ path: `acme/p${count}` });
  mergeRequest = await standIn.createMergeRequest(project, { title: 'x', sourceBranch: 'cart' });
});

const key = () => ({ projectId: project.id, iid: mergeRequest.iid, sha: mergeRequest.headSha ?? '' });
const gate = () => readGate(gitlab, { ...key(), gate: 'success' });
const jobsGate = (...jobs: string[]) => readGate(gitlab, { ...key(), gate: { jobs } });
const run = (jobs: JobPlan[]) => standIn.runPipeline(project, { ref: 'cart', jobs });

describe('the gate', () => {
  it('waits where there is no pipeline, and says how to do without', async () => {
    expect(await gate()).toEqual({ state: 'waiting', detail: noPipelineDetail });
  });

  it('follows the jobs', async () => {
    const pipeline = await run([{ name: 'build', durationMs: null }, { name: 'test' }]);
    expect((await gate()).state).toBe('waiting');
    standIn.finishJob(project, pipeline, 'build', 'failed');
    const failed = pipeline.jobs.find((job) => job.name === 'build');
    const link = `${standIn.url}/${project.path}/-/jobs/${failed?.id}`;
    expect(await gate()).toEqual({ state: 'failed', detail: 'The job build failed.', link });
    standIn.finishJob(project, pipeline, 'build', 'success');
    await expect.poll(async () => (await gate()).state).toBe('open');
  });

  it('counts bridges, more than one page of jobs, and what may fail', async () => {
    const jobs = Array.from({ length: 130 }, (_, index) => ({ name: `job ${index}` }));
    const pipeline = await run([
      ...jobs,
      { name: 'flaky', outcome: 'failed', allowFailure: true },
      { name: 'deploy', manual: true },
      { name: 'downstream', kind: 'bridge', durationMs: null },
    ]);
    expect((await gate()).state).toBe('waiting');
    standIn.finishJob(project, pipeline, 'downstream', 'success');
    await expect.poll(async () => (await gate()).state).toBe('open');
  });

  it('of named jobs opens while the pipeline still runs, and names the one that failed', async () => {
    const pipeline = await run([
      { name: 'build-image', durationMs: null },
      { name: 'test', durationMs: null },
    ]);
    expect(await jobsGate('build-image')).toMatchObject({ state: 'waiting' });
    standIn.finishJob(project, pipeline, 'build-image', 'success');
    expect(await jobsGate('build-image')).toEqual({ state: 'open' });
    expect(await jobsGate('build-image', 'scan')).toMatchObject({
      state: 'waiting',
      detail: 'The pipeline has no job scan.',
    });
    standIn.finishJob(project, pipeline, 'test', 'failed');
    expect(await jobsGate('test')).toMatchObject({ state: 'failed', detail: 'The job test failed.' });
    expect(await jobsGate('build-image')).toEqual({ state: 'open' });
  });

  it('finds a named job of the branch pipeline beside that of the merge request', async () => {
    standIn.setPipelinePlan(project, [{ name: 'lint' }], 'merge_request_event');
    await standIn.push(project, { branch: 'cart' });
    await run([{ name: 'build-image' }]);
    await expect.poll(async () => (await jobsGate('build-image', 'lint')).state).toBe('open');
  });

  it('of a canceled or skipped pipeline says that it does not open', async () => {
    const pipeline = await run([{ name: 'build', durationMs: null }]);
    standIn.finishJob(project, pipeline, 'build', 'canceled');
    expect(await gate()).toMatchObject({ state: 'failed', detail: 'The job build was canceled.' });
    const skipped = await run([{ name: 'build', durationMs: null }]);
    standIn.finishJob(project, skipped, 'build', 'skipped');
    expect(await gate()).toMatchObject({ state: 'failed', detail: 'All jobs of the pipeline were skipped.' });
  });

  it('of a pipeline without jobs says that it does not open, until there is one with jobs', async () => {
    await run([]);
    expect(await gate()).toEqual({ state: 'failed', detail: emptyPipelineDetail });
    expect(await jobsGate('build')).toEqual({ state: 'failed', detail: emptyPipelineDetail });
    await run([{ name: 'build' }]);
    await expect.poll(async () => (await gate()).state).toBe('open');
  });

  it('waits for a manual job that blocks', async () => {
    await run([{ name: 'build' }, { name: 'approve', manual: true, allowFailure: false }]);
    await expect.poll(gate).toMatchObject({ state: 'waiting', detail: 'The manual job approve was not started.' });
  });

  it('does not count what commit statuses say', async () => {
    const { sha } = key();
    await standIn.postStatus(project, { sha, state: 'success', name: 'mayfly/preview', ref: 'cart' });
    expect(await gate()).toEqual({ state: 'waiting', detail: noPipelineDetail });
    await run([{ name: 'build' }]);
    await standIn.postStatus(project, { sha, state: 'failed', name: 'mayfly/preview', ref: 'cart' });
    await expect.poll(async () => (await gate()).state).toBe('open');
  });

  it('looks at the newest pipeline, a merge request’s before a branch’s', async () => {
    await run([{ name: 'build', outcome: 'failed' }]);
    await run([{ name: 'build' }]);
    await expect.poll(async () => (await gate()).state).toBe('open');
    standIn.setPipelinePlan(project, [{ name: 'build', durationMs: null }], 'merge_request_event');
    await standIn.push(project, { branch: 'cart' });
    await run([{ name: 'build' }]);
    expect((await gate()).state).toBe('waiting');
  });

  it('does not count a fork’s own pipeline', async () => {
    const fork = await standIn.createProject({ path: `eve/p${count}`, forkedFrom: project });
    mergeRequest = await standIn.createMergeRequest(project, { title: 'y', sourceBranch: 'evil', sourceProject: fork });
    await standIn.runPipeline(fork, { ref: 'evil', jobs: [{ name: 'fake' }] });
    expect(await gate()).toEqual({ state: 'waiting', detail: noPipelineDetail });
  });

  it('is not read while GitLab cannot say', async () => {
    await run([{ name: 'build' }]);
    standIn.faults.add({ kind: 'token-expired', path: 'bridges', count: 1 });
    await expect(gate()).rejects.toMatchObject({ code: 'gitlab-unauthorized' });
  });
});

describe('a merged-results pipeline', () => {
  const sha = 'a'.repeat(40);
  const mergeSha = 'b'.repeat(40);

  async function gateWith(parents: string[], kind = 'merge'): Promise<string> {
    const merged = {
      id: 9,
      project_id: 5,
      sha: mergeSha,
      ref: `refs/merge-requests/42/${kind}`,
      source: 'merge_request_event',
      status: 'failed',
    };
    const answers: [RegExp, unknown][] = [
      [/merge_requests\/42\/pipelines/, [merged]],
      [/pipelines\?/, []],
      [/repository\/commits/, { parent_ids: parents }],
      [/\/jobs/, [{ id: 1, name: 'build', status: 'success', allow_failure: false }]],
      [/\/bridges/, []],
    ];
    const server = await startScriptedServer((_, response, request) => {
      const found = answers.find(([path]) => path.test(request.url ?? ''));
      json(response, found === undefined ? 404 : 200, found?.[1] ?? {});
    });
    const client = createGitLab({ url: server.url, token: 't' });
    try {
      return (await readGate(client, { projectId: 5, iid: 42, sha, gate: 'success' })).state;
    } finally {
      await client.close();
      await server.close();
    }
  }

  it('counts for the commit that it merged, by its jobs and not by its status', async () => {
    expect(await gateWith(['c'.repeat(40), sha])).toBe('open');
    expect(await gateWith(['c'.repeat(40), sha], 'train')).toBe('open');
  });

  it('of another commit does not', async () => {
    expect(await gateWith(['c'.repeat(40), 'd'.repeat(40)])).toBe('waiting');
  });
});

describe('a pipeline of many kinds', () => {
  const sha = 'a'.repeat(40);
  const own = { id: 9, project_id: 5, sha, ref: 'cart', source: 'push', status: 'running' };
  const jobOf = (name: string, status: string, link?: string) => [
    { id: 1, name, status, allow_failure: false, web_url: link },
  ];

  /** A GitLab of given pipelines, and of jobs and bridges by pipeline. */
  async function withGitLab<T>(
    given: { pipelines: unknown[]; jobs: Record<number, unknown[]>; bridges?: Record<number, unknown[]> },
    work: (client: GitLab, asked: () => string[]) => Promise<T>,
  ): Promise<T> {
    const server = await startScriptedServer((_, response, request) => {
      const path = request.url ?? '';
      const id = Number(/pipelines\/(\d+)\//.exec(path)?.[1]);
      if (path.includes('/jobs')) return json(response, 200, given.jobs[id] ?? []);
      if (path.includes('/bridges')) return json(response, 200, given.bridges?.[id] ?? []);
      if (path.includes('/repository/commits')) return json(response, 404, { message: '404 Commit Not Found' });
      json(response, 200, given.pipelines);
    });
    const client = createGitLab({ url: server.url, token: 't' });
    try {
      return await work(client, () => server.requests.map(({ path }) => path));
    } finally {
      await client.close();
      await server.close();
    }
  }

  const bridge = { id: 2, name: 'child', status: 'running', allow_failure: false };

  it('looks for a named job in child pipelines of the same project alone', async () => {
    for (const [projectId, state] of [
      [5, 'open'],
      [6, 'waiting'],
    ] as const) {
      const bridges = { 9: [{ ...bridge, downstream_pipeline: { id: 10, project_id: projectId } }] };
      const given = { pipelines: [own], jobs: { 9: [], 10: jobOf('build-image', 'success') }, bridges };
      const gate = { jobs: ['build-image'] };
      const reading = await withGitLab(given, (client) => readGate(client, { projectId: 5, iid: 42, sha, gate }));
      expect(reading.state).toBe(state);
    }
  });

  it('looks for a named job in children of children, and no further', async () => {
    const started = (id: number) => [{ ...bridge, id, downstream_pipeline: { id, project_id: 5 } }];
    const bridges = { 9: started(10), 10: started(11), 11: started(12) };
    for (const [home, state] of [
      [11, 'open'],
      [12, 'waiting'],
    ] as const) {
      const given = { pipelines: [own], jobs: { [home]: jobOf('build-image', 'success') }, bridges };
      const gate = { jobs: ['build-image'] };
      const reading = await withGitLab(given, (client) => readGate(client, { projectId: 5, iid: 42, sha, gate }));
      expect(reading.state).toBe(state);
    }
  });

  it.each(['external', 'parent_pipeline', 'security_orchestration_policy', 'webide'])(
    'of source %s never counts',
    async (source) => {
      const given = { pipelines: [{ ...own, source }], jobs: { 9: jobOf('build', 'success') } };
      const input = { projectId: 5, iid: 42, sha, gate: 'success' as const };
      expect(await withGitLab(given, (client) => readGate(client, input))).toMatchObject({ detail: noPipelineDetail });
    },
  );

  it('that ran in another project, or for another sha, never counts', async () => {
    for (const other of [{ project_id: 6 }, { sha: 'b'.repeat(40) }]) {
      const given = { pipelines: [{ ...own, ...other }], jobs: { 9: jobOf('build', 'success') } };
      const input = { projectId: 5, iid: 42, sha, gate: 'success' as const };
      expect(await withGitLab(given, (client) => readGate(client, input))).toMatchObject({ detail: noPipelineDetail });
    }
  });

  it('links to GitLab alone', async () => {
    const input = { projectId: 5, iid: 42, sha, gate: 'success' as const };
    for (const link of ['https://evil.example.com/-/jobs/1', 'javascript:alert(1)', 'http://127.0.0.1:1/-/jobs/1']) {
      const given = { pipelines: [own], jobs: { 9: jobOf('build', 'failed', link) } };
      const reading = await withGitLab(given, (client) => readGate(client, input));
      expect(reading).toEqual({ state: 'failed', detail: 'The job build failed.', link: null });
    }
  });

  it('whose merge commit GitLab has removed is asked for once', async () => {
    const ref = 'refs/merge-requests/42/merge';
    const merged = { ...own, id: 8, sha: 'c'.repeat(40), ref, source: 'merge_request_event' };
    const input = { projectId: 5, iid: 42, sha, gate: 'success' as const };
    await withGitLab({ pipelines: [merged], jobs: {} }, async (client, asked) => {
      expect(await readGate(client, input)).toMatchObject({ detail: noPipelineDetail });
      await readGate(client, input);
      expect(asked().filter((path) => path.includes('/commits/'))).toHaveLength(1);
    });
  });
});

describe('a commit status', () => {
  const post = (state: 'running' | 'success' | 'failed', pipeline: { id: number; ref: string } | null) =>
    postCommitStatus(gitlab, {
      projectId: project.id,
      sha: key().sha,
      state,
      name: 'mayfly/preview',
      description: 'x'.repeat(300),
      targetUrl: 'https://shop-42.preview.example.com',
      ref: pipeline?.ref ?? 'cart',
      pipelineId: pipeline?.id ?? null,
    });

  it('joins the newest CI pipeline of its commit, and may be said twice', async () => {
    await run([{ name: 'build' }]);
    const newest = await run([{ name: 'build' }]);
    const found = await newestPipeline(gitlab, key());
    expect(found).toMatchObject({ id: newest.id, ref: 'cart' });
    await post('running', found);
    await post('running', found);
    await post('success', found);
    await post('success', found);
    const statuses = newest.jobs.filter((job) => job.kind === 'external' && !job.retried);
    expect(statuses.map((job) => [job.name, job.status])).toEqual([['mayfly/preview', 'success']]);
    expect(project.pipelines.size).toBe(2);
  });

  it('of a merge request pipeline names the pipeline and its ref', async () => {
    const ref = 'refs/merge-requests/42/head';
    const sha = 'a'.repeat(40);
    const pipeline = { id: 9, project_id: 5, sha, ref, source: 'merge_request_event', status: 'running' };
    const older = { ...pipeline, id: 8 };
    const external = { ...pipeline, id: 10, source: 'external' };
    const server = await startScriptedServer((_, response, request) => {
      json(response, request.method === 'GET' ? 200 : 201, request.method === 'GET' ? [external, older, pipeline] : {});
    });
    const client = createGitLab({ url: server.url, token: 't' });
    try {
      const newest = await newestPipeline(client, { projectId: 5, sha });
      const status = { name: 'mayfly/preview', description: '', targetUrl: null } as const;
      await postCommitStatus(client, {
        ...status,
        projectId: 5,
        sha,
        state: 'success',
        ref: newest?.ref ?? '',
        pipelineId: newest?.id ?? null,
      });
      expect(JSON.parse(server.requests[1]?.body ?? '')).toMatchObject({ state: 'success', ref, pipeline_id: 9 });
    } finally {
      await client.close();
      await server.close();
    }
  });

  it('is no CI pipeline itself', async () => {
    await post('success', null);
    expect(project.pipelines.size).toBe(1);
    expect(await newestPipeline(gitlab, key())).toBeNull();
  });
});
