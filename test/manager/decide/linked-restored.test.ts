import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDecide } from '../../../src/manager/decide/run.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { createWorld, facts, policy, shopId } from './decide-world.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database?.drop());

interface Linked {
  world: ReturnType<typeof createWorld>;
  look: (iid: number) => Promise<void>;
  forgotten: unknown[];
}

/** One project of a group, in which GitLab has its own projects' merge requests. */
function linkedWorld(): Linked {
  const world = createWorld(database);
  const forgotten: unknown[] = [];
  const group = {
    policy: policy({ project: 'store', nameTemplate: '{{group}}-{{branchSlug}}', urlTemplate: null }),
    projects: [{ projectId: shopId, policy: policy() }],
    missing: [],
  };
  const { store, settings } = world.deps;
  const deps = {
    ...world.deps,
    store: { ...store, forgetTold: async (input: unknown) => void forgotten.push(input) },
    settings: { ...settings, groupOf: () => 'store', groupFor: () => group, suffixOf: () => 'abc123' },
  };
  const look = async (iid: number) => {
    await world.sql(
      `insert into merge_request (project_id, iid, asked_at) values ($1, $2, clock_timestamp() - interval '2 ms')
       on conflict (project_id, iid) do update set asked_at = excluded.asked_at`,
      [shopId, iid],
    );
    await runDecide(deps, { subject: `mr:${shopId}:${iid}` }, new AbortController().signal);
    const { rows } = await database.pool.query<{ key: string }>(
      `select key from graphile_worker.jobs where key like 'decide:mr:%' order by key`,
    );
    await database.pool.query('delete from graphile_worker._private_jobs');
    for (const { key } of rows) {
      await runDecide(deps, { subject: key.replace('decide:', '') }, new AbortController().signal);
    }
  };
  return { world, look, forgotten };
}

async function previews(like: string): Promise<unknown[]> {
  const { rows } = await database.pool.query(
    `select slug, incarnation, phase, unknown_since is not null as unknown, (select json_agg(m.iid order by m.ordinal)
       from preview_member m where m.slug = p.slug and m.incarnation = p.incarnation) as iids
     from preview p where slug like $1 order by slug, incarnation`,
    [like],
  );
  return rows;
}

it('a number that a restored GitLab gives to another branch begins there, and its former preview is left alone', async () => {
  const { world, look, forgotten } = linkedWorld();
  const lost = facts(30, { sourceBranch: 'lost' });
  world.mergeRequests.set(30, lost);
  await look(30);
  expect(await previews('store-lost')).toMatchObject([{ phase: 'deploying', unknown: false, iids: [30] }]);
  const again = { createdAt: lost.createdAt + 1_000, updatedAt: lost.updatedAt + 1_000 };
  const heir = { ...facts(30, { sourceBranch: 'heir' }), ...again };
  world.mergeRequests.set(30, heir);
  await look(30);
  expect(await previews('store-heir')).toMatchObject([{ phase: 'deploying', iids: [30] }]);
  expect(await previews('store-lost')).toMatchObject([
    { phase: 'deploying', incarnation: 1, unknown: true, iids: [30] },
  ]);
  expect(forgotten).toContainEqual({ projectId: shopId, iid: 30, createdAt: heir.createdAt });
  // It was only lost: the next restore shows it again.
  world.mergeRequests.set(30, lost);
  await look(30);
  await look(30);
  expect(await previews('store-lost')).toMatchObject([{ phase: 'deploying', incarnation: 1, unknown: false }]);
});

it('one of two members whose number went to another branch leaves the other one the preview', async () => {
  const { world, look } = linkedWorld();
  world.mergeRequests.set(40, facts(40, { sourceBranch: 'pair' }));
  world.mergeRequests.set(41, facts(41, { sourceBranch: 'pair' }));
  await look(40);
  await look(41);
  expect(await previews('store-pair')).toMatchObject([{ iids: [40, 41] }]);
  const known = world.mergeRequests.get(41);
  if (known == null) throw new Error('it is there');
  const again = { createdAt: known.createdAt + 1_000, updatedAt: known.updatedAt + 1_000 };
  world.mergeRequests.set(41, { ...known, ...again, sourceBranch: 'alone' });
  await look(41);
  expect(await previews('store-pair')).toMatchObject([{ phase: 'deploying', unknown: false, iids: [40] }]);
  expect(await previews('store-alone')).toMatchObject([{ phase: 'deploying', iids: [41] }]);
});

it('a merge request of a linked preview that goes back to an older commit runs that, and one open again begins anew', async () => {
  const { world, look } = linkedWorld();
  const before = facts(50, { sourceBranch: 'back' });
  const after = { ...before, sha: 'c'.repeat(40), updatedAt: before.updatedAt + 600_000 };
  const wanted = async () =>
    (await database.pool.query(`select wanted_sha from preview_member where slug = 'store-back' order by incarnation`))
      .rows;
  world.mergeRequests.set(50, after);
  await look(50);
  world.mergeRequests.set(50, before);
  await look(50);
  expect(await wanted()).toEqual([{ wanted_sha: before.sha }]);
  world.mergeRequests.set(50, { ...after, state: 'merged', endedAt: after.updatedAt });
  await look(50);
  expect(await previews('store-back')).toMatchObject([{ phase: 'stopped' }]);
  world.mergeRequests.set(50, before);
  await look(50);
  expect(await previews('store-back')).toMatchObject([{ phase: 'stopped' }, { phase: 'deploying', incarnation: 2 }]);
});

it('a merge request of a linked preview that GitLab shows in an older state is told anew', async () => {
  const { world, look, forgotten } = linkedWorld();
  const known = facts(1);
  world.mergeRequests.set(1, known);
  await look(1);
  await look(1);
  expect(forgotten).toEqual([]);
  world.mergeRequests.set(1, { ...known, updatedAt: known.updatedAt - 3_600_000 });
  await look(1);
  expect(forgotten).toEqual([{ projectId: shopId, iid: 1, createdAt: known.createdAt }]);
});
