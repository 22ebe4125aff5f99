import { afterAll, beforeAll, expect, test } from 'vitest';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ project: { gate: { pipeline: 'success' } } });
  await stage.startManager();
  await stage.startAgent();
});

afterAll(() => stage?.close());

test('a sha is deployed once its pipeline succeeded, and a status that was posted never counts', async () => {
  const { gitlab } = stage;
  gitlab.setPipelinePlan(shopPath, null);
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Waits', sourceBranch: 'waits' });
  const slug = `shop-${mergeRequest.iid}`;
  const sha = mergeRequest.headSha ?? '';
  await stage.untilPhase(slug, 'waiting');
  await stage.untilNote(mergeRequest, 'Preview waiting', 'no pipeline for this commit', '`gate.pipeline: none`');

  // GitLab makes a pipeline of it, whose status is success: neither Mayfly's own nor anybody's opens the gate.
  await gitlab.postStatus(shopPath, { sha, state: 'success', name: 'mayfly/preview', ref: 'waits' }, stage.bot);
  await gitlab.postStatus(shopPath, { sha, state: 'success', name: 'lint', ref: 'waits' });
  await stage.gitlab.hooks.idle();
  const pipeline = await gitlab.runPipeline(shopPath, {
    ref: 'waits',
    jobs: [
      { name: 'build', stage: 'build', durationMs: null },
      { name: 'publish', stage: 'publish', durationMs: null },
    ],
  });
  await stage.untilNote(mergeRequest, 'Preview waiting', '2 of 2');
  expect(await stage.file(slug)).toBeUndefined();

  gitlab.finishJob(shopPath, pipeline, 'build', 'failed');
  await stage.untilNote(mergeRequest, 'Preview waiting', 'The job', 'build', 'failed.');
  expect(await stage.row(slug)).toMatchObject({ phase: 'waiting', waiting_for: 'pipeline' });
  expect(await stage.file(slug)).toBeUndefined();
  expect(await stage.namespace(slug)).toBeUndefined();

  // A status that failed makes GitLab call the whole pipeline failed; its jobs alone count.
  const again = await gitlab.runPipeline(shopPath, { ref: 'waits', jobs: [{ name: 'build', durationMs: null }] });
  await gitlab.postStatus(shopPath, { sha, state: 'failed', name: 'lint', ref: 'waits', pipelineId: again.id });
  gitlab.finishJob(shopPath, again, 'build', 'success');
  expect(again.status).toBe('failed');
  expect(await stage.untilPhase(slug, 'ready')).toMatchObject({ deployed_sha: sha });
  expect(await stage.history(slug)).toHaveLength(1);
});

test('the old sha stays deployed while the new one waits', async () => {
  const { gitlab } = stage;
  gitlab.setPipelinePlan(shopPath, [{ name: 'build', outcome: 'success' }]);
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Two shas', sourceBranch: 'two' });
  const slug = `shop-${mergeRequest.iid}`;
  const first = mergeRequest.headSha ?? '';
  expect(await stage.untilPhase(slug, 'ready')).toMatchObject({ deployed_sha: first });

  gitlab.setPipelinePlan(shopPath, [{ name: 'build', durationMs: null }]);
  const { id: second } = await gitlab.push(shopPath, { branch: 'two' });
  await stage.untilNote(mergeRequest, 'Preview ready', `Next: commit \`${second.slice(0, 8)}\` waits for its pipeline`);
  expect(await stage.row(slug)).toMatchObject({ phase: 'ready', deployed_sha: first, wanted_sha: first });

  const pipeline = [...gitlab.project(shopPath).pipelines.values()].findLast(({ sha }) => sha === second);
  if (pipeline === undefined) throw new Error('the push ran no pipeline');
  gitlab.finishJob(shopPath, pipeline, 'build', 'success');
  await stage.untilRow(slug, 'the second sha', (row) => row.phase === 'ready' && row.deployed_sha === second);
  expect((await stage.history(slug)).map((message) => message.split('\n')[0])).toEqual([
    `${slug}: deploy ${first.slice(0, 7)}`,
    `${slug}: deploy ${second.slice(0, 7)}`,
  ]);
});
