import { afterAll, beforeAll, expect, test } from 'vitest';
import type { User } from '../../src/sandbox/gitlab/model.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;
let ada: User;

beforeAll(async () => {
  stage = await openStage({
    project: { follow: { drafts: false, labels: { none: ['no-preview'] } }, lifetime: { ttl: '72h', max: '14d' } },
  });
  ada = stage.gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  await stage.startManager();
});

afterAll(() => stage?.close());

test('commands where no preview ever was are answered in one note, which follows the merge request', async () => {
  const { gitlab } = stage;
  const silent = await gitlab.createMergeRequest(shopPath, { title: 'Draft: silent' });
  const draft = await gitlab.createMergeRequest(shopPath, { title: 'Draft: cart', labels: ['no-preview'] });
  gitlab.comment(draft, '/preview help', { user: ada });
  await stage.untilNote(draft, 'No preview', 'it is a draft (`follow.drafts: false`)', '`approve SHA`');
  gitlab.comment(draft, '/preview extend 2d', { user: ada });
  await stage.untilNote(draft, 'There is no preview for `extend 2d` now');
  gitlab.comment(draft, '/preview set replicas=2', { user: ada });
  await stage.untilNote(draft, '`replicas` cannot be set');
  gitlab.comment(draft, '/preview start', { user: ada });
  await stage.untilNote(draft, 'Nothing starts: it has the label no-preview of `follow.labels.none`');
  await gitlab.updateMergeRequest(draft, { labels: [] });
  await stage.untilPhase(`shop-${draft.iid}`, 'deploying');
  await stage.untilNote(draft, 'Preview deploying');
  expect(stage.notes(draft)).toHaveLength(1);
  expect(stage.notes(silent)).toEqual([]);
});

test('what stands against a preview is told anew when it changes', async () => {
  const { gitlab } = stage;
  const draft = await gitlab.createMergeRequest(shopPath, { title: 'Draft: labelled' });
  gitlab.comment(draft, '/preview status', { user: ada });
  await stage.untilNote(draft, 'it is a draft', 'Write `/preview start` to have one all the same.');
  await gitlab.updateMergeRequest(draft, { title: 'Labelled', labels: ['no-preview'] });
  await stage.untilNote(draft, 'it has the label no-preview', 'It gets one as soon as that changes.');
});

test('an extension past the longest life is cut, and says to when', async () => {
  const { gitlab } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Long' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'deploying');
  gitlab.comment(mergeRequest, '/preview extend 30d', { user: ada });
  await stage.untilNote(mergeRequest, '`extend 30d` was cut', 'lives for 14d at most');
  gitlab.comment(mergeRequest, '/preview pin', { user: ada });
  await stage.untilNote(mergeRequest, 'Pinned by');
});

test('a note that a person removed comes back with the next command, and with the next full listing', async () => {
  const { gitlab, database } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Tidy' });
  await stage.untilPhase(`shop-${mergeRequest.iid}`, 'deploying');
  const body = await stage.untilNote(mergeRequest, 'Preview deploying');
  const remove = () => mergeRequest.notes.delete(stage.notes(mergeRequest)[0]?.id ?? 0);
  // As feedback has settled: a write under way would bring it back by itself.
  await stage.wait('the note to be remembered', async () => {
    const { rows } = await database.pool.query(
      `select from projection where kind = 'note' and iid = $1 and written_hash is not null`,
      [mergeRequest.iid],
    );
    return rows.length === 1;
  });
  remove();
  // It is answered by an emoji alone, so that the note has nothing new to say.
  gitlab.comment(mergeRequest, '/preview extend 1h', { user: ada });
  await stage.wait('the note to be back', () => stage.notes(mergeRequest)[0]?.body === body);

  await listAll();
  remove();
  await listAll();
  await stage.wait('the note to be back again', () => stage.notes(mergeRequest)[0]?.body === body);
  expect(stage.notes(mergeRequest)).toHaveLength(1);
});

/** The catch-up that comes every ten minutes. */
async function listAll(): Promise<void> {
  const { database } = stage;
  const { rows } = await database.pool.query<{ at: Date }>(
    `update follow_cursor set listed_at = null returning clock_timestamp() as at`,
  );
  await database.pool.query(`select enqueue_jobs(json_agg(json_build_object('task', 'follow', 'key', 'follow:' || project_id,
    'payload', json_build_object('projectId', project_id)))) from follow_cursor`);
  await stage.wait('the listing', async () => {
    const done = await database.pool.query('select from follow_cursor where listed_at > $1', [rows[0]?.at]);
    return done.rows.length === 1;
  });
}
