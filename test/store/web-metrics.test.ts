import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  sampleAgentLastSeen,
  sampleBreaker,
  sampleOldestUnpublished,
  samplePreviews,
  sampleQueueDepth,
} from '../../src/store/web-metrics.js';
import { seedPreview } from '../manager/web/web-fixtures.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('an idle manager has nothing unpublished and no breaker open', async () => {
  const { pool } = database;
  expect(await samplePreviews(pool)).toEqual([]);
  expect(await sampleQueueDepth(pool, ['decide', 'commit'])).toEqual([
    { labels: { stage: 'decide' }, value: 0 },
    { labels: { stage: 'commit' }, value: 0 },
  ]);
  expect(await sampleOldestUnpublished(pool)).toEqual([
    { labels: { projection: 'git' }, value: 0 },
    { labels: { projection: 'feedback' }, value: 0 },
  ]);
  expect(await sampleBreaker(pool)).toEqual([
    { labels: { where: 'manager', reason: 'limit' }, value: 0 },
    { labels: { where: 'manager', reason: 'writing-blocked' }, value: 0 },
  ]);
});

it('counts what lives, what waits, what is held and who was heard of', async () => {
  const { pool } = database;
  await seedPreview(pool, { slug: 'shop-1' });
  await seedPreview(pool, { slug: 'shop-2', held: { reason: 'label', since: 0 } });
  await seedPreview(pool, { slug: 'shop-3', phase: 'stopped' });
  await pool.query(
    `update preview set needs_commit = true, deploying_since = now() - interval '1 hour' where slug = 'shop-1'`,
  );
  await pool.query(`select enqueue_jobs('[{"task":"decide","key":"a","payload":{}},{"task":"decide","key":"b","payload":{}},
    {"task":"sweep","key":"c","payload":{},"run_at":"2999-01-01T00:00:00Z"}]')`);
  await pool.query(
    `insert into agent (name, last_seen_at, breaker) values ('default', now() - interval '90 s', '{"open":true,"reason":"rewritten","pending":[]}')`,
  );
  expect(await samplePreviews(pool)).toEqual([{ labels: { project: 'shop', phase: 'ready' }, value: 2 }]);
  expect(await sampleQueueDepth(pool, ['commit', 'sweep'])).toEqual([
    { labels: { stage: 'commit' }, value: 0 },
    { labels: { stage: 'sweep' }, value: 0 },
    { labels: { stage: 'decide' }, value: 2 },
  ]);
  const [git] = await sampleOldestUnpublished(pool);
  expect(git?.value).toBeGreaterThanOrEqual(3_600);
  expect(await sampleBreaker(pool)).toEqual([
    { labels: { where: 'manager', reason: 'limit' }, value: 1 },
    { labels: { where: 'manager', reason: 'writing-blocked' }, value: 0 },
    { labels: { where: 'agent:default', reason: 'rewritten' }, value: 1 },
  ]);
  const [agent] = await sampleAgentLastSeen(pool);
  expect(agent?.value).toBeGreaterThanOrEqual(90);

  await pool.query(
    `insert into agent_order (cluster, kind, slug, incarnation, by_name) values ('default', 'accept', 'shop-2', 1, 'ops')`,
  );
  expect((await sampleBreaker(pool))[0]).toEqual({ labels: { where: 'manager', reason: 'limit' }, value: 0 });
});
