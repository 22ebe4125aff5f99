import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { sweep } from '../../../src/manager/expire/sweep.js';
import { enqueueAll, enqueueDue } from '../../../src/store/due.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { createWorld, facts, policy, shopId, type World } from '../decide/decide-world.js';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

beforeEach(async () => {
  world = createWorld(database);
  await world.sql('truncate merge_request, preview, preview_event, observation, slug cascade');
  for (const iid of [1, 2, 3]) {
    world.mergeRequests.set(iid, facts(iid));
    await world.hint(iid);
  }
  await world.sql('delete from graphile_worker._private_jobs');
});

function run(): Promise<number> {
  return sweep({
    enqueueDue: (query) => enqueueDue(database.pool, query),
    deployTimeouts: () => [{ project: 'shop', timeoutMs: 600_000 }],
    log: pino({ level: 'silent' }),
  });
}

/** One row on which `change` was done, and whether the sweep asks for a decision about it and it alone. */
async function isDue(change: string): Promise<boolean> {
  await world.sql(`update preview set ${change} where slug = 'shop-2'`);
  const count = await run();
  const jobs = await world.jobs();
  expect(jobs).toEqual(count === 1 ? [`decide:mr:${shopId}:2`] : []);
  return count === 1;
}

test('nothing is due', async () => {
  expect(await run()).toBe(0);
});

test.each([
  ['an expired preview', "phase = 'ready', expires_at = now() - interval '1 second'", true],
  ['one that expires later', "phase = 'ready', expires_at = now() + interval '1 second'", false],
  ['an expired one that stops already', "phase = 'stopping', expires_at = now() - interval '1 second'", false],
  ['a deployment that takes too long', "deploying_since = now() - interval '11 minutes'", true],
  ['a deployment that may take longer', "deploying_since = now() - interval '9 minutes'", false],
  ['a held stop', `phase = 'ready', held_stop = '{"reason": "label", "since": 1}'`, true],
  ['one that waits for its pipeline', "phase = 'waiting', waiting_for = 'pipeline'", true],
  ['the head of a line', "phase = 'waiting', waiting_for = 'slot', waiting_since = now()", true],
  ['one to be warned of', "phase = 'ready', warn_at = now() - interval '1 second'", true],
  ['one to be warned of later', "phase = 'ready', warn_at = now() + interval '1 second'", false],
  [
    'one that was warned of',
    "phase = 'ready', warned_at = now() - interval '1 second', warned_for = expires_at",
    false,
  ],
  ['one that a clock ahead warned of', "phase = 'ready', warned_at = now() + interval '1 day'", false],
  ['a pinned one', "phase = 'ready', expires_at = now() - interval '1 second', pinned_by = 'ada'", false],
  [
    'one that was looked at by a clock ahead',
    "phase = 'ready', expires_at = now() - interval '1 second', checked_at = now() + interval '1 year'",
    true,
  ],
])('%s', async (_name, change, due) => {
  expect(await isDue(change)).toBe(due);
});

test('a new sha that waits while the old one runs', async () => {
  await world.sql(`update preview_member set next = '{"sha": "b", "waitingFor": "pipeline", "since": 1, "detail": null}'
    where slug = 'shop-2'`);
  expect(await isDue("phase = 'ready'")).toBe(true);
});

test('what cannot be done yet is not asked again at each turn', async () => {
  expect(await isDue("phase = 'ready', expires_at = now() - interval '1 second'")).toBe(true);
  expect(await run()).toBe(0);
  await world.sql("update preview set checked_at = now() - interval '2 minutes'");
  expect(await run()).toBe(1);
});

test('a deployment that takes too long fails, by the decision that the sweep asked for', async () => {
  await world.sql("update preview set deploying_since = now() - interval '11 minutes' where slug = 'shop-2'");
  await run();
  await world.decide(2);
  expect(await world.row(2)).toMatchObject({ phase: 'failed', cause: 'timeout' });
});

test('a question that was forgotten is asked again', async () => {
  await world.sql(`update merge_request set asked_at = now() - interval '20 minutes',
    tried_at = now() - interval '1 day' where iid = 3`);
  expect(await run()).toBe(1);
  expect(await world.jobs()).toEqual([`decide:mr:${shopId}:3`]);
});

test('a question that GitLab could not answer is left to its own, ever slower repetitions', async () => {
  await world.sql(`update merge_request set asked_at = now() - interval '20 minutes',
    tried_at = now() - interval '9 minutes', unknown_since = now() - interval '19 minutes' where iid = 3`);
  expect(await run()).toBe(0);
  await world.sql("update merge_request set tried_at = now() - interval '16 minutes' where iid = 3");
  expect(await run()).toBe(1);
});

test('a gate that stays closed is looked at ever more rarely', async () => {
  const waits = (sinceMinutes: number, checkedMinutes: number) =>
    world.sql(
      `with looked as (update preview set phase = 'ready', checked_at = now() - $2 * interval '1 minute'
         where slug = 'shop-1')
       update preview_member set next = jsonb_build_object('sha', repeat('c', 40), 'waitingFor', 'pipeline', 'detail', null,
         'since', extract(epoch from now() - $1 * interval '1 minute') * 1000) where slug = 'shop-1'`,
      [sinceMinutes, checkedMinutes],
    );
  await waits(1, 1.1);
  expect(await run()).toBe(1);
  await waits(60, 5);
  expect(await run()).toBe(0);
  await waits(60, 16);
  expect(await run()).toBe(1);
  await waits(3_000, 29);
  expect(await run()).toBe(0);
  await waits(3_000, 31);
  expect(await run()).toBe(1);
  // What waits for the clock is not held up by what waits for others.
  await waits(3_000, 2);
  await world.sql("update preview set expires_at = now() where slug = 'shop-1'");
  expect(await run()).toBe(1);
});

test('an expired preview of which GitLab says nothing is asked about ever more rarely', async () => {
  const checked = (minutes: number) =>
    world.sql(
      `update preview set expires_at = now(), unknown_since = now() - interval '10 hours',
       checked_at = now() - $1 * interval '1 minute' where slug = 'shop-1'`,
      [minutes],
    );
  await checked(200);
  expect(await run()).toBe(0);
  await checked(301);
  expect(await run()).toBe(1);
});

test('a changed configuration has all that lives, and all that is open, decided', async () => {
  await world.sql("update preview set phase = 'stopped' where slug = 'shop-1'");
  await world.sql(`update merge_request set facts = facts || '{"state": "merged"}' where iid = 1`);
  expect(await enqueueAll(database.pool)).toBe(2);
  const before = await world.row(2);
  world.policies.set(shopId, policy({ ttlMs: 2 * policy().ttlMs }));
  await world.decide(2);
  const after = await world.row(2);
  expect(Date.parse(String(after?.expires_at)) - Date.parse(String(before?.expires_at))).toBe(policy().ttlMs);
});

test('a filter that lets more pass begins what was known and not followed', async () => {
  world.policies.set(shopId, policy({ follow: { ...policy().follow, targetBranches: ['release'] } }));
  world.mergeRequests.set(4, facts(4));
  await world.hint(4);
  expect(await world.row(4)).toBeUndefined();
  await world.sql('delete from graphile_worker._private_jobs');
  world.policies.set(shopId, policy());
  await enqueueAll(database.pool);
  expect(await world.jobs()).toContain(`decide:mr:${shopId}:4`);
  await world.decide(4);
  expect(await world.row(4)).toMatchObject({ phase: 'deploying' });
});
