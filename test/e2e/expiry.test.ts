import { afterAll, beforeAll, expect, test } from 'vitest';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

/** Long enough that half of it is time enough, on a busy machine too, to push and to decide. */
const ttlMs = 20_000;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ project: { lifetime: { ttl: `${ttlMs / 1_000}s` } } });
  await stage.startManager();
  await stage.startAgent();
});

afterAll(() => stage?.close());

test('what outlived its time is stopped, and what GitLab says is asked first', async () => {
  const { gitlab } = stage;
  const ada = gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  const idle = await gitlab.createMergeRequest(shopPath, { title: 'Idle' });
  const busy = await gitlab.createMergeRequest(shopPath, { title: 'Busy', sourceBranch: 'busy' });
  const kept = await gitlab.createMergeRequest(shopPath, { title: 'Kept' });
  const unknown = await gitlab.createMergeRequest(shopPath, { title: 'Unknown' });
  const slugs = [idle, busy, kept, unknown].map(({ iid }) => `shop-${iid}`);
  for (const slug of slugs) await stage.untilRow(slug, 'its file', (row) => row.wanted_sha !== null);
  gitlab.comment(kept, '/preview extend 1h', { user: ada });
  await stage.untilRow(`shop-${kept.iid}`, 'the extension', (row) => row.expires_at.getTime() > Date.now() + ttlMs);

  // What nobody told Mayfly of: a push late in its time, and a GitLab that says nothing of one of them.
  gitlab.project(shopPath).hooks.clear();
  const end = expiry(await stage.row(`shop-${busy.iid}`));
  await stage.wait('half of the time to pass', () => Date.now() > end - ttlMs / 2);
  const { id: sha } = await gitlab.push(shopPath, { branch: 'busy' });
  gitlab.faults.add({ kind: 'not-found', path: `/merge_requests/${unknown.iid}(/|$)` });
  for (const { iid } of [idle, unknown]) {
    await stage.wait('the time to pass', async () => Date.now() > expiry(await stage.row(`shop-${iid}`)));
  }
  await stage.tick('sweep');

  expect(await stage.untilPhase(`shop-${idle.iid}`, 'stopped')).toMatchObject({ stop_reason: 'expired' });
  await stage.untilNote(idle, 'Preview stopped', 'nobody used it for its time to live', '`/preview start`');
  await stage.untilRow(`shop-${busy.iid}`, 'the push that no webhook told', (row) => row.wanted_sha === sha);
  await stage.untilRow(`shop-${unknown.iid}`, 'that nothing is known', (row) => row.unknown_since !== null);
  expect((await stage.row(`shop-${unknown.iid}`))?.phase).not.toMatch(/^stop/);
  expect((await stage.row(`shop-${kept.iid}`))?.phase).not.toMatch(/^stop/);
  expect(await stage.namespace(`shop-${idle.iid}`)).toBeUndefined();
  expect(await stage.namespace(`shop-${kept.iid}`)).toBeDefined();
});

function expiry(row: { expires_at: Date } | undefined): number {
  return row?.expires_at.getTime() ?? Number.POSITIVE_INFINITY;
}
