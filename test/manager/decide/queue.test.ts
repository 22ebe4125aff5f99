import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { refreshLines } from '../../../src/manager/feedback/refresh-lines.js';
import { createDecideStore } from '../../../src/store/decide-store.js';
import { staleLines } from '../../../src/store/lines.js';
import { saveWritten } from '../../../src/store/projections.js';
import { loadFeedbackInput } from '../../../src/store/projections-input.js';
import { listPreviews } from '../../../src/store/web-previews.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { createWorld, facts, policy, shopId, type World } from './decide-world.js';

const cartId = 8;

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase({ max: 30 });
});

afterAll(() => database.drop());

beforeEach(async () => {
  await database.pool.query(
    'truncate preview, preview_member, preview_event, merge_request, slug, projection, branch_write cascade',
  );
  await database.pool.query('delete from graphile_worker._private_jobs');
  world = createWorld(database);
  for (let iid = 1; iid <= 50; iid += 1) world.mergeRequests.set(iid, facts(iid));
});

/** Decides as a manager of its own does, so that transactions wait for nothing but each other's locks. */
async function decideAlone(iid: number): Promise<void> {
  const own = createWorld(database);
  own.mergeRequests = world.mergeRequests;
  own.policies = world.policies;
  Object.assign(own.limits, world.limits);
  own.deps.store = createDecideStore(database.pool);
  own.deps.gitlab.readMergeRequest = (projectId, number, signal) =>
    world.deps.gitlab.readMergeRequest(projectId, number, signal);
  await own.hint(iid);
}

async function places(limits = world.limits): Promise<Record<string, string>> {
  const all = await listPreviews(database.pool, {
    project: null,
    phase: 'waiting',
    search: null,
    after: null,
    limit: 100,
    limits,
  });
  return Object.fromEntries(all.map(({ slug, line }) => [slug, `${line?.place} of ${line?.length}`]));
}

async function held(): Promise<string[]> {
  const rows = await world.sql("select slug from preview where phase not in ('waiting', 'stopped') order by slug");
  return rows.map((row) => String(row.slug));
}

/** The notes of all who wait say the place that they have now. */
async function tellAll(): Promise<void> {
  for (const { iid } of await world.sql('select iid from preview_member')) {
    const key = { projectId: shopId, iid: Number(iid) };
    const loaded = await loadFeedbackInput(database.pool, { ...key, limits: world.limits });
    const line = loaded?.view.line ?? null;
    const detail = line === null ? null : { line };
    await saveWritten(database.pool, { kind: 'note', ...key, previousHash: null, hash: 'x', externalId: 1, detail });
  }
}

const stale = async (limit = 100) =>
  (await staleLines(database.pool, { limits: world.limits, limit })).map(({ iid }) => iid);

describe('50 parallel transactions', () => {
  test('at a limit of 20 take 20 slots, and each of the others has a place of its own', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => decideAlone(index + 1)));
    expect((await held()).length).toBe(20);
    const all = Object.values(await places()).sort();
    expect(all).toEqual(Array.from({ length: 30 }, (_, index) => `${index + 1} of 30`).sort());
  });

  test('that free and take slots at once neither pass the limit nor push anybody out', async () => {
    world.limits.projects.set('shop', 5);
    world.policies.set(shopId, policy({ maxPreviews: 5 }));
    for (let iid = 1; iid <= 12; iid += 1) await world.hint(iid);
    const before = await held();
    const waiting = await world.sql("select slug from preview where phase = 'waiting' order by waiting_since, slug");
    // Two of those who run are gone at the very moment at which others come and decide again.
    for (const iid of [1, 2]) {
      world.mergeRequests.set(iid, facts(iid, { state: 'merged', endedAt: Date.now() }));
    }
    await Promise.all(Array.from({ length: 50 }, (_, index) => decideAlone(index + 1)));
    for (let turn = 0; turn < 3; turn += 1) {
      for (let iid = 3; iid <= 12; iid += 1) await decideAlone(iid);
    }
    const after = await held();
    expect(after.length).toBe(5);
    expect(after).toEqual(expect.arrayContaining(before.filter((slug) => slug !== 'shop-1' && slug !== 'shop-2')));
    expect(after).toEqual(expect.arrayContaining(waiting.slice(0, 2).map(({ slug }) => String(slug))));
  });
});

describe('the place in line', () => {
  beforeEach(async () => {
    world.limits.projects.set('shop', 2);
    world.policies.set(shopId, policy({ maxPreviews: 2 }));
    for (let iid = 1; iid <= 6; iid += 1) await world.hint(iid);
  });

  test('is the order of coming', async () => {
    expect(await places()).toEqual({ 'shop-3': '1 of 4', 'shop-4': '2 of 4', 'shop-5': '3 of 4', 'shop-6': '4 of 4' });
  });

  test('of those behind moves up when somebody leaves, and their notes alone are written anew', async () => {
    await tellAll();
    expect(await stale()).toEqual([]);
    await world.sql('delete from graphile_worker._private_jobs');
    world.mergeRequests.set(4, facts(4, { state: 'closed', endedAt: Date.now() }));
    await world.hint(4);
    expect(await world.jobs()).toContain('line');
    expect(await places()).toEqual({ 'shop-3': '1 of 3', 'shop-5': '2 of 3', 'shop-6': '3 of 3' });
    expect(await stale()).toEqual([3, 5, 6]);
    await tellAll();
    expect(await stale()).toEqual([]);
  });

  test('is told again when somebody comes, or a slot is free', async () => {
    await world.sql('delete from graphile_worker._private_jobs');
    await world.hint(7);
    expect(await world.jobs()).toContain('line');
    await world.sql('delete from graphile_worker._private_jobs');
    world.mergeRequests.set(1, facts(1, { state: 'merged', endedAt: Date.now() }));
    await world.hint(1);
    await world.sql("update preview set phase = 'stopped' where slug = 'shop-1'");
    await world.decide(3);
    expect(await world.jobs()).toContain('line');
    expect(await places()).toEqual({ 'shop-4': '1 of 4', 'shop-5': '2 of 4', 'shop-6': '3 of 4', 'shop-7': '4 of 4' });
  });

  test('is of the project where that is full, and of all who could take a slot where everything is', async () => {
    await world.sql(`insert into preview (slug, incarnation, subject, project, cluster, namespace, phase, waiting_for,
      waiting_since, last_activity_at, expires_at, created_at)
      select 'cart-' || n, 1, 'mr:${cartId}:' || n, 'cart', 'default', 'preview-cart-' || n, 'waiting', 'slot',
        now() - interval '1 hour', now(), now(), now() from generate_series(1, 2) n`);
    world.limits.projects.set('cart', 5);
    expect(await places()).toMatchObject({ 'cart-1': '1 of 2', 'shop-3': '1 of 4' });
    world.limits.projects.set('shop', 9);
    expect(await places()).toMatchObject({ 'cart-1': '1 of 6', 'shop-3': '3 of 6', 'shop-6': '6 of 6' });
  });

  test('a long line is told in parts', async () => {
    for (let iid = 7; iid <= 40; iid += 1) await world.hint(iid);
    await tellAll();
    await world.sql("update projection set detail = null where kind = 'note'");
    const told: number[][] = [];
    const pauses: number[] = [];
    const count = await refreshLines({
      staleLines: ({ limit }) => staleLines(database.pool, { limits: world.limits, limit }),
      enqueueFeedback: async (some) => {
        told.push(some.map(({ iid }) => iid));
      },
      again: async (afterMs) => {
        pauses.push(afterMs);
      },
    });
    expect(count).toBe(25);
    expect(told[0]).toEqual(Array.from({ length: 25 }, (_, index) => index + 3));
    expect(pauses).toEqual([10_000]);
  });
});
