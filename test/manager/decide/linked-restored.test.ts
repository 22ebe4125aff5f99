import { afterAll, beforeAll, expect, it } from 'vitest';
import { runDecide } from '../../../src/manager/decide/run.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { createWorld, facts, policy, shopId } from './decide-world.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database?.drop());

it('a merge request of a linked preview that GitLab shows in an older state is told anew', async () => {
  const world = createWorld(database);
  const forgotten: unknown[] = [];
  const group = {
    policy: policy({ project: 'store', nameTemplate: '{{group}}-{{branchSlug}}', urlTemplate: null }),
    projects: [{ projectId: shopId, policy: policy() }],
  };
  const { store, settings } = world.deps;
  const deps = {
    ...world.deps,
    store: { ...store, forgetTold: async (input: unknown) => void forgotten.push(input) },
    settings: { ...settings, groupOf: () => 'store', groupFor: () => group, suffixOf: () => 'abc123' },
  };
  const look = async () => {
    await world.sql(
      `insert into merge_request (project_id, iid, asked_at) values ($1, 1, clock_timestamp() - interval '2 ms')
       on conflict (project_id, iid) do update set asked_at = excluded.asked_at`,
      [shopId],
    );
    await runDecide(deps, { subject: `mr:${shopId}:1` }, new AbortController().signal);
  };
  const known = facts(1);
  world.mergeRequests.set(1, known);
  await look();
  await look();
  expect(forgotten).toEqual([]);
  world.mergeRequests.set(1, { ...known, updatedAt: known.updatedAt - 3_600_000 });
  await look();
  expect(forgotten).toEqual([{ projectId: shopId, iid: 1, createdAt: known.createdAt }]);
});
