import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Program } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;
let manager: Program;

beforeAll(async () => {
  stage = await openStage({ webhooks: false });
  manager = await stage.startManager();
  await stage.startAgent();
});

afterAll(() => stage?.close());

test('a manager that heard nothing finds at its start what was opened, pushed, ordered, merged and closed', async () => {
  const { gitlab } = stage;
  const ada = gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  const pushed = await gitlab.createMergeRequest(shopPath, { title: 'Pushed', sourceBranch: 'pushed' });
  const ordered = await gitlab.createMergeRequest(shopPath, { title: 'Ordered' });
  const merged = await gitlab.createMergeRequest(shopPath, { title: 'Merged', sourceBranch: 'merged' });
  const closed = await gitlab.createMergeRequest(shopPath, { title: 'Closed' });
  await restartManager();
  for (const one of [pushed, ordered, merged, closed]) await stage.untilPhase(`shop-${one.iid}`, 'ready');
  expect(gitlab.hooks.deliveries).toEqual([]);

  await manager.kill('SIGTERM');
  const { id: sha } = await gitlab.push(shopPath, { branch: 'pushed' });
  gitlab.comment(ordered, '/preview stop', { user: ada });
  await gitlab.mergeMergeRequest(merged);
  gitlab.closeMergeRequest(closed);
  const opened = await gitlab.createMergeRequest(shopPath, { title: 'Opened' });
  manager = await stage.startManager();

  await stage.untilRow(
    `shop-${pushed.iid}`,
    'the pushed sha',
    (row) => row.phase === 'ready' && row.deployed_sha === sha,
  );
  await stage.untilPhase(`shop-${opened.iid}`, 'ready');
  for (const [mergeRequest, reason] of [
    [ordered, 'command'],
    [merged, 'merged'],
    [closed, 'closed'],
  ] as const) {
    const slug = `shop-${mergeRequest.iid}`;
    expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: reason });
    expect(await stage.namespace(slug)).toBeUndefined();
    expect(await stage.file(slug)).toBeUndefined();
    await stage.untilNote(mergeRequest, 'Preview stopped');
  }
  for (const one of [pushed, ordered, merged, closed, opened]) expect(stage.notes(one)).toHaveLength(1);
});

async function restartManager(): Promise<void> {
  await manager.kill('SIGTERM');
  manager = await stage.startManager();
}
