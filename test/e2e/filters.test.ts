import { afterAll, beforeAll, expect, test } from 'vitest';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    project: {
      follow: {
        labels: { any: ['preview', 'demo'], none: ['no-preview'] },
        targetBranches: ['main'],
        drafts: false,
      },
    },
  });
  await stage.gitlab.push(shopPath, { branch: 'next' });
  await stage.startManager();
});

afterAll(() => stage?.close());

/** Opens one that is followed, and waits until its file is in the branch. */
async function opened(title: string) {
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title, labels: ['preview'] });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'deploying');
  await stage.wait('the file', () => stage.file(slug));
  return { mergeRequest, slug };
}

async function endsWith(slug: string, reason: string) {
  await stage.untilRow(slug, reason, (row) => row.phase === 'stopping' && row.stop_reason === reason);
  await stage.wait('the file to go', async () => (await stage.file(slug)) === undefined);
}

test('a label that is removed ends the preview, and the note names the rule', async () => {
  const { mergeRequest, slug } = await opened('Labels');
  await stage.gitlab.updateMergeRequest(mergeRequest, { labels: ['other'] });
  await endsWith(slug, 'label');
  await stage.untilNote(mergeRequest, 'it has none of the labels preview, demo of `follow.labels.any`');
});

test('a draft that is set ends it', async () => {
  const { mergeRequest, slug } = await opened('Drafted');
  await stage.gitlab.updateMergeRequest(mergeRequest, { title: 'Draft: Drafted' });
  await endsWith(slug, 'unfollowed');
  await stage.untilNote(mergeRequest, 'it is a draft (`follow.drafts: false`)');
});

test('another target branch ends it', async () => {
  const { mergeRequest, slug } = await opened('Retargeted');
  await stage.gitlab.updateMergeRequest(mergeRequest, { targetBranch: 'next' });
  await endsWith(slug, 'unfollowed');
  await stage.untilNote(mergeRequest, 'its target branch is none of `follow.targetBranches`');
});

test('a label that is added, a draft that is ready and a member’s word begin one', async () => {
  const ada = stage.gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  const labelled = await stage.gitlab.createMergeRequest(shopPath, { title: 'Later' });
  const draft = await stage.gitlab.createMergeRequest(shopPath, { title: 'Draft: Soon', labels: ['demo'] });
  const asked = await stage.gitlab.createMergeRequest(shopPath, { title: 'Draft: Asked' });
  await stage.wait('all to be known', async () => {
    const known = await stage.database.pool.query(
      'select from merge_request where facts is not null and iid = any($1)',
      [[labelled.iid, draft.iid, asked.iid]],
    );
    return known.rowCount === 3;
  });
  expect(await stage.row(`shop-${labelled.iid}`)).toBeUndefined();
  await stage.gitlab.updateMergeRequest(labelled, { labels: ['demo'] });
  await stage.untilPhase(`shop-${labelled.iid}`, 'deploying');
  await stage.gitlab.updateMergeRequest(draft, { title: 'Soon' });
  await stage.untilPhase(`shop-${draft.iid}`, 'deploying');
  stage.gitlab.comment(asked, '/preview start', { user: ada });
  await stage.untilPhase(`shop-${asked.iid}`, 'deploying');
  const history = await stage.wait('the commit', async () => {
    const messages = await stage.history(`shop-${asked.iid}`);
    return messages.length > 0 && messages;
  });
  expect(history[0]).toContain('Mayfly-Cause: start\nMayfly-Actor: ada\n');
});
