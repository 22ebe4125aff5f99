import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { agentsSeen, databaseNow, databaseState, knownSubjects } from '../../src/store/web-check.js';
import { seedPreview } from '../manager/web/web-fixtures.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('tells how the database stands to this version', async () => {
  const { pool } = database;
  const state = await databaseState(pool);
  expect(state).toMatchObject({ pending: [], unknown: [] });
  expect(Number.parseInt(state.version, 10)).toBeGreaterThanOrEqual(14);

  const folder = await mkdtemp(join(tmpdir(), 'mayfly-migrations-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, '0099-later.sql'), '');
  const other = await databaseState(pool, folder);
  expect(other.pending).toEqual(['0099-later.sql']);
  expect(other.unknown).toContain('0001-foundation.sql');
  expect(Math.abs((await databaseNow(pool)) - Date.now())).toBeLessThan(3_600_000);
});

it('knows what is open and what lives, with the newest incarnation and the orders of people', async () => {
  const { pool } = database;
  await seedPreview(pool, { slug: 'shop-1', phase: 'stopped' });
  await seedPreview(pool, { slug: 'shop-1', incarnation: 2 });
  await seedPreview(pool, { slug: 'shop-2', phase: 'stopped' });
  await seedPreview(pool, { slug: 'shop-3', phase: 'stopped' });
  await pool.query(`update merge_request set facts = facts || '{"state":"opened"}' where iid in (1, 3)`);
  await pool.query(`insert into merge_request (project_id, iid, facts) values (7, 4, '{"state":"opened"}')`);
  await pool.query(
    `insert into wish (subject, kind, source, at, by_name) values ('mr:7:1', 'stop', 'operator', '2026-01-01T00:00:00Z', 'ops')`,
  );
  await pool.query(`insert into agent (name, last_seen_at) values ('default', '2026-01-01T00:00:00Z')`);
  expect(await knownSubjects(pool)).toMatchObject([
    {
      projectId: 7,
      iid: 1,
      facts: { state: 'opened' },
      preview: { slug: 'shop-1', phase: 'ready', stopReason: null },
      wishes: [{ kind: 'stop', source: 'operator', amountMs: null, at: Date.parse('2026-01-01T00:00:00Z'), by: 'ops' }],
    },
    { iid: 3, preview: { slug: 'shop-3', phase: 'stopped', stopReason: 'closed' } },
    { iid: 4, preview: null, wishes: [] },
  ]);
  expect(await agentsSeen(pool)).toEqual([{ name: 'default', lastSeenAt: Date.parse('2026-01-01T00:00:00Z') }]);
});
