import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MergeRequest, User } from '../../src/sandbox/gitlab/model.js';
import { type Program, runProgram } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

const hourMs = 3_600_000;

let stage: Stage;
let ada: User;
let manager: Program;
let environment: Record<string, string>;

beforeAll(async () => {
  stage = await openStage({
    // Wide as they are, no end is reached by a busy machine: tests make what happened older.
    project: { lifetime: { ttl: '72h', max: '14d', warn: '12h', keepAfterMerge: '24h' }, limits: { previews: 2 } },
  });
  ada = stage.gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  environment = { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken };
  manager = await stage.startManager();
  await stage.startAgent();
});

afterAll(() => stage?.close());

/** Everything that happened to a merge request is so much longer ago, and GitLab tells that something happened. */
async function age(mergeRequest: MergeRequest, hours: number): Promise<void> {
  const ms = hours * hourMs;
  mergeRequest.createdAt -= ms;
  if (mergeRequest.mergedAt !== null) mergeRequest.mergedAt -= ms;
  for (const version of mergeRequest.versions) version.createdAt -= ms;
  await stage.database.pool.query(`update wish set at = at - $1 * interval '1 ms' where subject like 'mr:%:' || $2`, [
    ms,
    mergeRequest.iid,
  ]);
  await stage.database.pool.query(
    `update preview set created_at = created_at - $1 * interval '1 ms' where slug = $2 and phase <> 'stopped'`,
    [ms, slugOf(mergeRequest)],
  );
  await stage.gitlab.updateMergeRequest(mergeRequest, { title: `${mergeRequest.title}, ${hours} h later` });
}

function slugOf({ iid }: MergeRequest): string {
  return `shop-${iid}`;
}

/** Mayfly's answers below its note. */
function replies(mergeRequest: MergeRequest): string[] {
  return stage
    .notes(mergeRequest)
    .slice(1)
    .map(({ body }) => body);
}

async function untilReplies(mergeRequest: MergeRequest, what: string, fits: (found: string[]) => boolean) {
  await stage.wait(`${what}; replies: ${JSON.stringify(replies(mergeRequest))}`, () => fits(replies(mergeRequest)));
}

function end(row: { expires_at: Date } | undefined): number {
  return row?.expires_at.getTime() ?? 0;
}

test('a warning comes once, goes with an extension, and a pin keeps the preview until it is unpinned', async () => {
  const { gitlab } = stage;
  const idle = await gitlab.createMergeRequest(shopPath, { title: 'Idle', author: ada });
  const slug = slugOf(idle);
  await stage.untilPhase(slug, 'ready');
  await stage.untilNote(idle, 'Preview ready', '`/preview pin`');

  await age(idle, 65);
  await untilReplies(idle, 'the warning', (found) => found.length === 1);
  expect(replies(idle)[0]).toContain('@ada This preview ends at ');
  const [note, reply] = stage.notes(idle);
  expect(reply).toMatchObject({ discussionId: note?.discussionId });
  await stage.wait('the thread to be resolved', () => stage.notes(idle).every(({ resolved }) => resolved === true));
  manager.kill('SIGTERM');
  await manager.ended;
  await stage.startManager();
  await stage.tick('sweep');
  await gitlab.updateMergeRequest(idle, { title: 'Idle, and the manager was started again' });
  const warnedFor = end(await stage.row(slug));
  await stage.wait('all jobs to be done', async () => {
    const jobs = await stage.database.pool.query('select from graphile_worker._private_jobs where run_at <= now()');
    return jobs.rowCount === 0;
  });
  expect(replies(idle).length).toBe(1);

  gitlab.comment(idle, '/preview extend 5d', { user: ada });
  await untilReplies(idle, 'the warning to go', (found) => found.length === 0);
  expect(end(await stage.row(slug))).toBeGreaterThan(warnedFor + 24 * hourMs);

  await age(idle, 24 * 5 - 6);
  await untilReplies(idle, 'the next warning', (found) => found.length === 1);
  gitlab.comment(idle, '/preview pin', { user: ada });
  await stage.untilNote(idle, 'Pinned by `ada`', 'never, pinned');
  await untilReplies(idle, 'the warning to go', (found) => found.length === 0);
  await age(idle, 24 * 30);
  await stage.tick('sweep');
  await stage.untilRow(slug, 'to be past every end', (row) => end(row) < Date.now());
  const listed = await runProgram(['list'], { env: environment });
  expect(listed.output).toContain('never, pinned by ada');
  expect((await stage.row(slug))?.phase).toBe('ready');

  const unpinned = await runProgram(['unpin', slug], { env: environment });
  expect(unpinned.code).toBe(0);
  const left = await stage.untilRow(slug, 'its time to begin again', (row) => end(row) > Date.now());
  expect(end(left)).toBeLessThanOrEqual(Date.now() + 72 * hourMs);
  await age(idle, 73);
  expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'expired' });
  await stage.untilNote(idle, 'Preview stopped');
  expect(replies(idle)).toEqual([]);
});

test('what was merged is kept for a while, as it is, and says until when', async () => {
  const { gitlab } = stage;
  const kept = await gitlab.createMergeRequest(shopPath, { title: 'Kept', files: { 'kept.md': 'a' } });
  const stopped = await gitlab.createMergeRequest(shopPath, { title: 'Stopped', files: { 'stopped.md': 'a' } });
  for (const each of [kept, stopped]) {
    await stage.untilPhase(slugOf(each), 'ready');
    await gitlab.mergeMergeRequest(each);
    await stage.untilNote(
      each,
      'The merge request was merged.',
      'is kept as it is until',
      '`/preview stop` ends it at once',
    );
  }
  const row = await stage.row(slugOf(kept));
  expect(row).toMatchObject({ phase: 'ready', stop_reason: null });
  expect(Math.abs(end(row) - (kept.mergedAt ?? 0) - 24 * hourMs)).toBeLessThan(1_000);
  gitlab.comment(stopped, '/preview stop', { user: ada });
  expect(await stage.untilPhase(slugOf(stopped), 'stopped')).toMatchObject({
    stop_reason: 'command',
    stopped_by: 'ada',
  });

  expect((await stage.row(slugOf(kept)))?.phase).toBe('ready');
  await age(kept, 25);
  expect(await stage.untilPhase(slugOf(kept), 'stopped')).toMatchObject({ stop_reason: 'merged' });
  await stage.untilNote(kept, 'the time that its preview is kept after that is over');
  expect(await stage.namespace(slugOf(kept))).toBeUndefined();
});

test('who waits in line moves up when another stops, in the note, the API and the list', async () => {
  const { gitlab } = stage;
  const all: MergeRequest[] = [];
  for (const title of ['First', 'Second', 'Third', 'Fourth', 'Fifth']) {
    all.push(await gitlab.createMergeRequest(shopPath, { title }));
    await stage.wait(`${title} to have its row`, () => stage.row(slugOf(all.at(-1) as MergeRequest)));
  }
  const [first, second, third, fourth, fifth] = all as [
    MergeRequest,
    MergeRequest,
    MergeRequest,
    MergeRequest,
    MergeRequest,
  ];
  await stage.untilPhase(slugOf(first), 'ready');
  await stage.untilPhase(slugOf(second), 'ready');
  await stage.untilNote(third, 'a free place (1st of 3 in line)');
  await stage.untilNote(fourth, 'a free place (2nd of 3 in line)');
  await stage.untilNote(fifth, 'a free place (3rd of 3 in line)');
  const listed = await runProgram(['list', '--phase', 'waiting'], { env: environment });
  expect(listed.output).toContain('waiting (slot, 3 of 3)');

  // Somebody ahead gives up, then somebody who runs ends.
  gitlab.closeMergeRequest(fourth);
  await stage.untilNote(fifth, '(2nd of 2 in line)');
  await stage.untilNote(third, '(1st of 2 in line)');
  gitlab.closeMergeRequest(first);
  await stage.untilPhase(slugOf(third), 'ready');
  await stage.untilNote(fifth, '(1st of 1 in line)');
  await untilReplies(third, 'its turn', (found) => found.some((body) => body.includes('The line has come')));
  expect((await stage.row(slugOf(second)))?.phase).toBe('ready');
});
