import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeOld } from '../../../src/manager/operate/retention.js';
import { allPurges, type Purge, purge } from '../../../src/store/retention.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { createWorld, facts, type World } from '../decide/decide-world.js';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase();
  world = createWorld(database);
  for (const iid of [1, 2, 3]) {
    world.mergeRequests.set(iid, facts(iid));
    await world.hint(iid);
  }
  // 1 lives, 2 ended a while ago, 3 long ago.
  await world.sql(
    "update preview set phase = 'stopped', stopped_at = now() - interval '30 days' where slug = 'shop-2'",
  );
  await world.sql(
    "update preview set phase = 'stopped', stopped_at = now() - interval '181 days' where slug = 'shop-3'",
  );
  await world.sql(`insert into observation (slug, incarnation, cluster, branch_commit, start_number, counter, state, objects, observed_at)
    select slug, incarnation, 'default', 'c', 1, 1, 'gone', '[]', now() - interval '8 days' from preview`);
  await world.sql(`insert into branch_write (slug, incarnation, generation, written_at)
    select slug, incarnation, 1, now() - interval '8 days' from preview`);
  await world.sql(`insert into delivery (event, facts, received_at)
    select 'push', '{}', now() - age * interval '1 day' from generate_series(1, 2500) n, unnest(array[6, 8]) age`);
  await world.sql("update preview_event set at = now() - interval '181 days' where slug = 'shop-3'");
  await world.sql(
    "insert into wish (subject, kind, source, at, by_name) values ('mr:7:3', 'stop', 'command', now() - interval '2 years', 'ada')",
  );
  // Of merge requests that ended: 3 long ago, 2 lately.
  await world.sql(`update merge_request set facts = jsonb_set(facts, '{state}', '"merged"'),
    updated_at = now() - (case iid when 3 then 181 else 30 end) * interval '1 day' where iid in (2, 3)`);
  await world.sql(`insert into projection (kind, project_id, iid)
    select kind, project_id, iid from merge_request, unnest(array['note', 'status']) kind`);
  await world.sql(`insert into note_answer (note_id, project_id, iid, emoji, by_name, at, answered_at)
    values (1, 7, 3, 'thumbsup', 'ada', now() - interval '181 days', now() - interval '181 days'),
      (2, 7, 3, 'thumbsup', 'ada', now() - interval '181 days', null), (3, 7, 3, 'thumbsup', 'ada', now(), now())`);
});

afterAll(() => database.drop());

async function slugs(table: string): Promise<unknown[]> {
  return (await world.sql(`select distinct slug from ${table} order by slug`)).map((row) => row.slug);
}

test('what is old is removed in bounded batches, and what lives or must be remembered stays', async () => {
  const batches: Purge[] = [];
  await removeOld(
    {
      kinds: allPurges,
      purge: (kind, limit) => {
        batches.push(kind);
        return purge(database.pool, kind, limit);
      },
      log: pino({ level: 'silent' }),
    },
    new AbortController().signal,
  );
  expect(batches.filter((kind) => kind === 'deliveries')).toHaveLength(3);
  expect(await world.sql('select count(*) from delivery')).toEqual([{ count: 2500 }]);
  expect(await slugs('preview')).toEqual(['shop-1', 'shop-2']);
  expect(await slugs('preview_member')).toEqual(['shop-1', 'shop-2']);
  expect(await slugs('preview_event')).toEqual(['shop-1', 'shop-2']);
  expect(await slugs('observation')).toEqual(['shop-1']);
  expect(await slugs('branch_write')).toEqual(['shop-1']);
  expect(await world.sql('select distinct iid from projection order by iid')).toEqual([{ iid: 1 }, { iid: 2 }]);
  // An emoji that is still owed is put first.
  expect(await world.sql('select note_id from note_answer order by note_id')).toEqual([{ note_id: 2 }, { note_id: 3 }]);
  // A number must never come back, and a forgotten stop would start the preview again.
  expect(await slugs('slug')).toEqual(['shop-1', 'shop-2', 'shop-3']);
  expect(await world.sql('select count(*) from wish')).toEqual([{ count: 1 }]);
});

test('a stop ends it between two batches', async () => {
  const stopped = new AbortController();
  const run = removeOld(
    {
      kinds: ['a'],
      async purge(_kind, limit) {
        stopped.abort();
        return limit;
      },
      log: pino({ level: 'silent' }),
    },
    stopped.signal,
  );
  await expect(run).rejects.toThrow(/abort/);
});
