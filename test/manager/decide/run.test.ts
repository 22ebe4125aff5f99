import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { until } from '../../support/until.js';
import { createWorld, facts, policy, shopId, type World } from './decide-world.js';

let database: TestDatabase;
let world: World;

beforeAll(async () => {
  database = await createTestDatabase({ max: 60 });
});

afterAll(() => database.drop());

beforeEach(async () => {
  world = createWorld(database);
  await world.sql(
    'truncate merge_request, wish, preview, preview_event, observation, gate_verdict, agent_order, branch_write, slug cascade',
  );
  await world.sql('delete from graphile_worker._private_jobs');
});

/** What the branch writer and the agent do: the file is pushed, the cluster reports on it. */
async function observe(iid: number, state: string, revision: string | null = `revision-${iid}`): Promise<void> {
  await world.sql(
    "update preview set wanted_revision = coalesce(wanted_revision, $2) where subject = $1 and phase <> 'stopped'",
    [`mr:${shopId}:${iid}`, `revision-${iid}`],
  );
  await world.sql(
    `insert into branch_write (slug, incarnation, blob, generation)
     select slug, incarnation, 'b', 1 from preview where subject = $1 and phase <> 'stopped'`,
    [`mr:${shopId}:${iid}`],
  );
  await world.sql(
    `insert into observation (slug, incarnation, cluster, revision, branch_commit, start_number, counter, state, objects)
     select slug, incarnation, cluster, $2, 'c', 1, 1, $3, '[]' from preview where subject = $1 and phase <> 'stopped'
     on conflict (slug, incarnation) do update set state = excluded.state, revision = excluded.revision`,
    [`mr:${shopId}:${iid}`, revision, state],
  );
}

async function ready(iid: number): Promise<void> {
  world.mergeRequests.set(iid, facts(iid));
  await world.hint(iid);
  await observe(iid, 'healthy');
  await world.decide(iid);
}

/** As if everything that happened had happened long before. */
async function age(hours: number): Promise<void> {
  await world.sql(
    `update preview set lived_since = lived_since - $1 * interval '1 hour',
    stop_decided_at = stop_decided_at - $1 * interval '1 hour'`,
    [hours],
  );
}

test('an opened merge request gets a row, its file is asked for', async () => {
  world.mergeRequests.set(42, facts(42));
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({
    slug: 'shop-42',
    incarnation: 1,
    phase: 'deploying',
    namespace: 'preview-shop-42',
    url: 'https://shop-42.preview.example.com',
    needs_commit: true,
    wanted_revision: null,
  });
  expect(await world.sql('select * from preview_member')).toMatchObject([
    { project_id: shopId, iid: 42, wanted_sha: facts(42).sha, deployed_sha: null, next: null },
  ]);
  // The branch writer has it told what it wrote.
  expect(await world.jobs()).toEqual([]);
  expect(world.woken).toEqual(['commit']);
  expect((await world.sql('select kind from preview_event order by id')).map((event) => event.kind)).toContain(
    'created',
  );
});

test('deciding again changes nothing and asks GitLab nothing', async () => {
  world.mergeRequests.set(42, facts(42));
  await world.hint(42);
  const before = await world.row(42);
  world.calls.length = 0;
  expect(await world.decide(42)).toBeNull();
  expect(world.calls).toEqual([]);
  expect(await world.row(42)).toEqual(before);
});

test('a whole life: healthy, merged, removed, gone, and the next incarnation after a reopening', async () => {
  await ready(42);
  expect(await world.row(42)).toMatchObject({ phase: 'ready', deployed_revision: 'revision-42' });
  const endedAt = Date.now();
  world.mergeRequests.set(42, facts(42, { state: 'closed', endedAt, updatedAt: endedAt }));
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ phase: 'stopping', stop_reason: 'closed' });
  // Reopened before the namespace is gone: the old incarnation ends first.
  world.mergeRequests.set(42, facts(42, { lastReopenedAt: endedAt + 1_000, updatedAt: endedAt + 1_000 }));
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ incarnation: 1, phase: 'stopping' });
  await observe(42, 'gone', null);
  await world.hint(42);
  const rows = await world.sql('select incarnation, phase, stop_decided_at from preview order by incarnation');
  expect(rows).toMatchObject([
    { incarnation: 1, phase: 'stopped' },
    { incarnation: 2, phase: 'deploying', stop_decided_at: null },
  ]);
  expect(await world.sql('select last_incarnation from slug')).toEqual([{ last_incarnation: 2 }]);
});

test('an incarnation number never comes back, even when retention removed the old rows', async () => {
  await ready(42);
  await world.sql(
    "update preview set phase = 'stopped', stop_reason = 'closed', stopped_at = now() - interval '1 year'",
  );
  await world.sql('delete from preview');
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ slug: 'shop-42', incarnation: 2 });
});

test('an answer that began before the newest one is dropped', async () => {
  world.mergeRequests.set(42, facts(42, { title: 'new' }));
  await world.hint(42);
  const { readMergeRequest } = world.deps.gitlab;
  world.deps.gitlab.readMergeRequest = async (projectId, iid, signal) => {
    const late = await readMergeRequest(projectId, iid, signal);
    // While this answer, a closed one, is on its way, a newer read of another manager lands.
    await world.sql('update merge_request set read_started_at = clock_timestamp()');
    return late.known ? { ...late, facts: { ...late.facts, state: 'closed', title: 'old' } } : late;
  };
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ phase: 'deploying' });
  expect(await world.sql("select facts ->> 'title' as title from merge_request")).toEqual([{ title: 'new' }]);
});

test('what was asked while the answer was on its way stays asked', async () => {
  world.mergeRequests.set(42, facts(42));
  const { readMergeRequest } = world.deps.gitlab;
  world.deps.gitlab.readMergeRequest = async (...call) => {
    const answer = await readMergeRequest(...call);
    await world.sql('update merge_request set asked_at = clock_timestamp()');
    return answer;
  };
  await world.hint(42);
  expect(await world.sql('select asked_at is not null as asked from merge_request')).toEqual([{ asked: true }]);
});

test('unknown stops nothing and is asked again later', async () => {
  await ready(42);
  world.mergeRequests.set(42, null);
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ phase: 'ready', unknown_since: expect.any(Date) });
  expect(await world.jobs()).toContain(`decide:mr:${shopId}:42@later`);
  world.mergeRequests.set(42, facts(42));
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ phase: 'ready', unknown_since: null });
});

test('an expiry asks GitLab first, and unknown postpones it', async () => {
  await ready(42);
  const old = Date.now() - 100 * 3_600_000;
  const expired = facts(42, { createdAt: old, lastPushAt: old, updatedAt: old });
  world.mergeRequests.set(42, null);
  await world.sql('update merge_request set facts = $1', [JSON.stringify(expired)]);
  await world.decide(42);
  expect(world.calls.filter((call) => call === 'merge request 42')).toHaveLength(2);
  expect(await world.row(42)).toMatchObject({ phase: 'ready', unknown_since: expect.any(Date) });
  world.mergeRequests.set(42, expired);
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ phase: 'stopping', stop_reason: 'expired' });
});

test('a merge request that is not there is asked for ever more rarely, up to once a day', async () => {
  await ready(42);
  world.mergeRequests.set(42, null);
  const pauseAfter = async (unknownFor: string, absent: boolean) => {
    await world.sql('update merge_request set unknown_since = now() - $1::interval', [unknownFor]);
    await world.sql('delete from graphile_worker._private_jobs');
    world.absent = absent;
    await world.hint(42);
    const [job] = await world.sql(
      "select extract(epoch from run_at - now())::float8 / 60 as minutes from graphile_worker.jobs where key like 'decide%@later'",
    );
    return Number(job?.minutes);
  };
  expect(await pauseAfter('2 hours', true)).toBeCloseTo(60, 0);
  expect(await pauseAfter('30 days', true)).toBeCloseTo(24 * 60, 0);
  // A GitLab that is out of order comes back: it is not left alone for so long.
  expect(await pauseAfter('30 days', false)).toBeCloseTo(10, 0);
  expect(await world.row(42)).toMatchObject({ phase: 'ready', unknown_since: expect.any(Date) });
});

test('nothing is deployed before its pipeline succeeded, and an open gate is remembered', async () => {
  world.policies.set(shopId, policy({ gatePipeline: 'success' }));
  const sha = facts(42).sha ?? '';
  world.mergeRequests.set(42, facts(42));
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ phase: 'waiting', waiting_for: 'pipeline', needs_commit: false });
  expect(world.woken).toEqual([]);
  world.gates.set(sha, { state: 'open' });
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ phase: 'deploying', needs_commit: true });
  expect(await world.sql('select sha from gate_verdict')).toEqual([{ sha }]);
});

test('a gate that cannot be read keeps waiting and is asked again later', async () => {
  const { AppError } = await import('../../../src/error/app-error.js');
  world.policies.set(shopId, policy({ gatePipeline: 'success' }));
  world.mergeRequests.set(42, facts(42));
  world.deps.gitlab.readGate = async () => {
    throw new AppError({ code: 'gitlab-unavailable', disposition: 'retry', publicMessage: 'GitLab does not answer.' });
  };
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ phase: 'waiting', waiting_for: 'pipeline' });
  expect(await world.jobs()).toContain(`decide:mr:${shopId}:42@later`);
});

test('50 merge requests at once never take more than 20 slots, and the rest stand in line', async () => {
  const iids = Array.from({ length: 50 }, (_, index) => index + 1);
  for (const iid of iids) world.mergeRequests.set(iid, facts(iid));
  await Promise.all(iids.map((iid) => world.hint(iid)));
  const phases = await world.sql('select phase, waiting_for, count(*) from preview group by 1, 2 order by 1');
  expect(phases).toEqual([
    { phase: 'deploying', waiting_for: null, count: 20 },
    { phase: 'waiting', waiting_for: 'slot', count: 30 },
  ]);
});

test('a freed slot goes to the head of the line, one at a time, whoever stops at once', async () => {
  const iids = Array.from({ length: 30 }, (_, index) => index + 1);
  for (const iid of iids) world.mergeRequests.set(iid, facts(iid));
  for (const iid of iids) await world.hint(iid);
  await world.sql('delete from graphile_worker._private_jobs');
  for (const iid of [1, 2, 3]) {
    await observe(iid, 'healthy');
    world.mergeRequests.set(iid, facts(iid, { state: 'merged', endedAt: Date.now() }));
    await world.hint(iid);
    await observe(iid, 'gone', null);
  }
  await Promise.all([1, 2, 3].map((iid) => world.decide(iid)));
  // The queue runs what was enqueued until nothing is left.
  for (;;) {
    const [job] = await world.sql(
      "delete from graphile_worker._private_jobs where id in (select id from graphile_worker._private_jobs where key like 'decide:%' order by id limit 1) returning payload",
    );
    if (job === undefined) break;
    await world.decide(Number((job.payload as { subject: string }).subject.split(':')[2]));
  }
  const took = await world.sql("select subject from preview where phase = 'deploying' and subject = any($1)", [
    [21, 22, 23, 24].map((iid) => `mr:${shopId}:${iid}`),
  ]);
  expect(took.map((row) => row.subject).sort()).toEqual([21, 22, 23].map((iid) => `mr:${shopId}:${iid}`));
});

test('the limit of all projects holds too', async () => {
  world.limits.total = 5;
  world.policies.set(8, policy({ project: 'cart' }));
  world.limits.projects.set('cart', 20);
  const iids = Array.from({ length: 12 }, (_, index) => index + 1);
  for (const iid of iids) world.mergeRequests.set(iid, facts(iid));
  await Promise.all(iids.map((iid) => world.hint(iid)));
  expect(await world.sql("select count(*) from preview where phase = 'deploying'")).toEqual([{ count: 5 }]);
});

test('two branches with one name get two slugs, however close they come', async () => {
  world.policies.set(shopId, policy({ nameTemplate: '{{branchSlug}}' }));
  world.mergeRequests.set(1, facts(1, { sourceBranch: 'a/b' }));
  world.mergeRequests.set(2, facts(2, { sourceBranch: 'a-b' }));
  await Promise.all([world.hint(1), world.hint(2)]);
  const slugs = (await world.sql('select slug from preview order by length(slug)')).map((row) => row.slug);
  expect(slugs[0]).toBe('a-b');
  expect(slugs[1]).toMatch(/^a-b-shop-[12]$/);
});

test('a slug whose file is a stranger is taken', async () => {
  await world.sql("insert into foreign_file (slug, blob) values ('shop-42', 'x')");
  world.mergeRequests.set(42, facts(42));
  await world.hint(42);
  expect(String((await world.row(42))?.slug)).not.toBe('shop-42');
  await world.sql('delete from foreign_file');
});

test('a filter that would stop more than three at once stops three and holds the rest until a person accepts', async () => {
  for (const iid of [1, 2, 3, 4, 5]) await ready(iid);
  await age(2);
  for (const iid of [1, 2, 3, 4, 5]) world.mergeRequests.set(iid, facts(iid, { labels: ['no-preview'] }));
  await Promise.all([1, 2, 3, 4, 5].map((iid) => world.hint(iid)));
  const held = await world.sql(
    "select slug, incarnation, phase, held_stop ->> 'reason' as reason from preview where held_stop is not null",
  );
  expect(held).toHaveLength(2);
  expect(held[0]).toMatchObject({ phase: 'ready', reason: 'label' });
  expect(await world.sql("select count(*) from preview where phase = 'stopping'")).toEqual([{ count: 3 }]);
  await world.sql(
    "insert into agent_order (cluster, kind, slug, incarnation, by_name) values ('default', 'accept', $1, 1, 'ada')",
    [held[0]?.slug],
  );
  for (const iid of [1, 2, 3, 4, 5]) await world.hint(iid);
  expect(await world.sql("select count(*) from preview where phase = 'stopping'")).toEqual([{ count: 4 }]);
});

test('an agent that says gone of all that run ends three and has the rest held', async () => {
  for (const iid of [1, 2, 3, 4, 5]) await ready(iid);
  await age(2);
  await world.sql(`insert into observation (slug, incarnation, cluster, branch_commit, start_number, counter, state, objects)
    select slug, incarnation, cluster, 'c1', 1, 1, 'gone', '[]' from preview
    on conflict (slug, incarnation) do update set state = 'gone', revision = null`);
  await Promise.all([1, 2, 3, 4, 5].map((iid) => world.hint(iid)));
  const count = async (where: string) =>
    Number((await world.sql(`select count(*) from preview where ${where}`))[0]?.count);
  expect(await count("held_stop ->> 'reason' = 'git' and phase = 'ready'")).toBe(2);
  expect(await count("phase = 'stopped' and stop_reason = 'git' and stop_decided_at is not null")).toBe(3);
  // Deciding again, in any order, lets no further one go within the hour.
  for (const iid of [5, 4, 3, 2, 1]) await world.hint(iid);
  expect(await count("held_stop ->> 'reason' = 'git' and phase = 'ready'")).toBe(2);
});

test('what the agent tore down before the branch was read back ends by the wish of who removed its file', async () => {
  await ready(42);
  await observe(42, 'gone', null);
  world.readBranch = async () => {
    await world.sql(
      `with removed as (update preview set needs_commit = false, committed_blob = null where slug = 'shop-42')
       insert into wish (subject, kind, source, at, by_name) values ($1, 'stop', 'git', now(), 'grace')`,
      [`mr:${shopId}:42`],
    );
    return true;
  };
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({
    phase: 'stopped',
    stop_reason: 'git',
    stopped_by: 'grace',
    incarnation: 1,
  });
  // It stays stopped: nobody asked for the next one.
  await world.hint(42);
  expect(await world.row(42)).toMatchObject({ phase: 'stopped', incarnation: 1 });
});

test('a loss is believed only once the branch could be read', async () => {
  await ready(42);
  await observe(42, 'gone', null);
  world.readBranch = () => Promise.resolve(false);
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ phase: 'ready', incarnation: 1 });
  world.readBranch = () => Promise.reject(new Error('no answer'));
  await expect(world.decide(42)).rejects.toThrow('no answer');
  expect(await world.row(42)).toMatchObject({ phase: 'ready', incarnation: 1 });
  world.readBranch = () => Promise.resolve(true);
  await world.decide(42);
  expect(
    await world.sql('select phase, stop_reason, stopped_by, incarnation from preview order by incarnation'),
  ).toMatchObject([
    { phase: 'stopped', stop_reason: 'git', stopped_by: null, incarnation: 1 },
    { phase: 'deploying', incarnation: 2 },
  ]);
});

test('a held stop is dropped when its cause is mended', async () => {
  for (const iid of [1, 2, 3, 4]) await ready(iid);
  for (const iid of [1, 2, 3, 4]) {
    world.mergeRequests.set(iid, facts(iid, { labels: ['no-preview'] }));
    await world.hint(iid);
  }
  expect(await world.row(4)).toMatchObject({ phase: 'ready', held_stop: { reason: 'label' } });
  world.mergeRequests.set(4, facts(4));
  await world.hint(4);
  expect(await world.row(4)).toMatchObject({ phase: 'ready', held_stop: null });
});

test('explained stops pass the breaker, all of them', async () => {
  for (const iid of [1, 2, 3, 4, 5, 6]) await ready(iid);
  for (const iid of [1, 2, 3, 4, 5, 6]) {
    world.mergeRequests.set(iid, facts(iid, { state: 'merged', endedAt: Date.now() }));
    await world.hint(iid);
  }
  expect(await world.sql("select count(*) from preview where phase = 'stopping'")).toEqual([{ count: 6 }]);
});

test('a revision that commit stored while a decision was made is not lost', async () => {
  world.mergeRequests.set(42, facts(42));
  await world.hint(42);
  const commit = await database.pool.connect();
  try {
    await commit.query('begin');
    await commit.query("update preview set wanted_revision = 'rendered' where slug = 'shop-42'");
    const renamed = facts(42, { lastPushAt: Date.now() + 60_000 });
    world.mergeRequests.set(42, renamed);
    const deciding = world.hint(42);
    await expect
      .poll(
        async () =>
          (
            await world.sql(
              "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
            )
          )[0]?.count,
      )
      .toBeGreaterThan(0);
    await commit.query('commit');
    await deciding;
  } finally {
    commit.release();
  }
  expect(await world.row(42)).toMatchObject({ wanted_revision: 'rendered', phase: 'deploying' });
});

test('a decision that waits for the branch writer knows of the push that it began', async () => {
  world.mergeRequests.set(42, facts(42));
  await world.hint(42);
  const writer = await database.pool.connect();
  try {
    await writer.query('begin');
    await writer.query("update preview set version = version + 1 where slug = 'shop-42'");
    await writer.query("insert into branch_write (slug, incarnation, blob, generation) values ('shop-42', 1, 'b', 1)");
    world.mergeRequests.set(42, facts(42, { state: 'merged', endedAt: Date.now() }));
    const deciding = world.hint(42);
    await until('the decision waits for the row', async () => {
      const waiting = await world.sql(
        `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      );
      return waiting.length > 0;
    });
    await writer.query('commit');
    await deciding;
  } finally {
    writer.release();
  }
  // The file is on its way to the cluster: only the agent knows when nothing of it is there any more.
  expect(await world.row(42)).toMatchObject({ phase: 'stopping', stop_reason: 'merged' });
});
