import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ManagerConfig, ProjectConfig } from '../../src/config/manager-config.js';
import { until } from '../support/until.js';
import { createGuardWorld, type GuardWorld } from './support/guard-world.js';
import { type Herd, raiseHerd } from './support/herd.js';
import {
  callApi,
  expectManagerBlocked,
  expectManagerHolds,
  metric,
  shownBreaker,
  shownPreview,
} from './support/sight.js';

let world: GuardWorld;
let herd: Herd;
let good: ManagerConfig;
let mend: () => Promise<unknown> = async () => undefined;
let usedTheLimit = false;

const hourMs = 3_600_000;

beforeAll(async () => {
  world = await createGuardWorld();
  await world.startManager();
  await world.startAgent();
  herd = await raiseHerd(world, 12);
  good = world.config;
});

afterAll(() => world?.close());

afterEach(async () => {
  await mend();
  mend = async () => undefined;
  if (usedTheLimit) await herd.nextHour();
  usedTheLimit = false;
  await herd.provoke({ agent: false });
  await herd.expectWell();
});

/** Changes the one project of the configuration. */
function lifetimeOf(ttlMs: number): ProjectConfig['lifetime'] {
  return { ttlMs, maxMs: 1e12, warnMs: 0, keepAfterMergeMs: 0, sleep: { afterMs: null, awake: null } };
}

function changed(change: (project: ProjectConfig) => Partial<ProjectConfig>): Pick<ManagerConfig, 'projects'> {
  return { projects: good.projects.map((project) => ({ ...project, ...change(project) })) };
}

/** Everything of GitLab's merge requests happened so much earlier. */
function age(ms: number): void {
  for (const { mergeRequest } of herd.previews) {
    mergeRequest.createdAt -= ms;
    for (const version of mergeRequest.versions) version.createdAt -= ms;
    mergeRequest.updatedAt += 1_000;
  }
}

/** An expired preview comes back with an activity. */
async function pushToAll(): Promise<void> {
  for (const preview of herd.previews) await herd.push(preview);
}

interface Way {
  name: string;
  change(): Pick<ManagerConfig, 'projects'>;
  reason: string;
  before?(): void;
  after?(): Promise<void>;
}

const ways: Way[] = [
  {
    name: 'a label is asked for that nobody has',
    change: () => changed(({ follow }) => ({ follow: { ...follow, labels: { any: ['previw'], all: [], none: [] } } })),
    reason: 'label',
  },
  {
    name: 'the glob of target branches has a typing error',
    change: () => changed(({ follow }) => ({ follow: { ...follow, targetBranches: ['mian'] } })),
    reason: 'unfollowed',
  },
  { name: 'the project is removed', change: () => ({ projects: [] }), reason: 'unfollowed' },
  {
    name: 'the TTL is a minute',
    before: () => age(hourMs),
    change: () => changed(() => ({ lifetime: lifetimeOf(60_000) })),
    reason: 'expired',
    after: pushToAll,
  },
];

describe('a reloaded configuration would stop all: three go, nine are held', () => {
  test.each(ways)('$name', async ({ change, reason, before, after }) => {
    before?.();
    usedTheLimit = true;
    mend = async () => {
      await world.reload(good);
      await herd.idle();
      expect((await shownBreaker(world)).held, 'a mended cause drops what is held').toEqual([]);
      await after?.();
    };
    const mark = world.log.mark();
    await world.reload(change());
    await herd.provoke();
    await herd.waitForLost(3);
    await herd.provoke();
    await herd.waitForLost(3);
    await expectManagerHolds(world, 9, reason);
    const said = world.log.find('stop held until a person accepts it', mark).map((line) => line.reason);
    expect(said, 'the log says so').toEqual(Array.from({ length: 9 }, () => reason));
  });

  test('accepting two of them lets exactly these go', async () => {
    usedTheLimit = true;
    mend = () => world.reload(good);
    await world.reload(
      changed(({ follow }) => ({ follow: { ...follow, labels: { any: ['previw'], all: [], none: [] } } })),
    );
    await herd.provoke();
    const first = await herd.waitForLost(3);
    const { held } = await expectManagerHolds(world, 9, 'label');
    const deletions = held.slice(2, 4).map(({ slug, incarnation }) => ({ slug, incarnation }));
    const answer = await callApi(world, '/breaker/accept', { reason: 'the label is meant', deletions });
    expect(answer).toMatchObject({ accepted: deletions });
    const order = herd.previews.map(({ slug }) => slug);
    const expected = [...first, ...deletions.map(({ slug }) => slug)].sort(
      (a, b) => order.indexOf(a) - order.indexOf(b),
    );
    await herd.waitForLost(expected);
    await herd.provoke();
    await herd.waitForLost(expected);
    await expectManagerHolds(world, 7, 'label');
  });
});

describe('a reloaded configuration that means no deletion', () => {
  const harmless = [
    { name: 'the path of the project has a typing error', change: () => changed(() => ({ path: 'acme/shpo' })) },
    {
      name: 'previews go to another cluster from now on',
      change: () => changed(({ preview }) => ({ preview: { ...preview, cluster: good.agents[1]?.name ?? '' } })),
    },
    {
      name: 'previews are named otherwise from now on',
      change: () => changed(({ preview }) => ({ preview: { ...preview, name: 'other-{{iid}}' } })),
    },
    { name: 'fewer previews are allowed than live', change: () => changed(() => ({ limits: { previews: 1 } })) },
  ];

  test.each(harmless)('$name', async ({ change }) => {
    mend = () => world.reload(good);
    await world.reload(change());
    await herd.provoke();
    await herd.expectNoneLost();
    expect(await metric(world, 'mayfly_previews', { project: 'shop', phase: 'ready' })).toBe(12);
    expect((await shownBreaker(world)).held).toEqual([]);
  });
});

test('PostgreSQL’s clock is a year ahead: GitLab is asked again, three expire, nine are held', async () => {
  usedTheLimit = true;
  await world.stopManager();
  const name = new URL(world.database.url).pathname.slice(1);
  await world.pool.query(`create schema ahead;
    create function ahead.now() returns timestamptz stable language sql as $$ select pg_catalog.now() + interval '1 year' $$;
    create function ahead.clock_timestamp() returns timestamptz language sql as
      $$ select pg_catalog.clock_timestamp() + interval '1 year' $$;
    alter database ${name} set search_path = public, ahead, pg_catalog`);
  mend = async () => {
    await world.stopManager();
    await world.pool.query(`alter database ${name} reset search_path; drop schema ahead cascade`);
    // What was done in the wrong year is no longer of the last hour.
    await world.pool.query('update preview set stop_decided_at = now() where stop_decided_at > now()');
    await world.startManager();
    await herd.provoke();
    await pushToAll();
  };
  await world.startManager();
  await herd.provoke();
  await herd.waitForLost(3);
  await herd.provoke();
  await herd.waitForLost(3);
  await expectManagerHolds(world, 9, 'expired');
});

test('all have expired while GitLab cannot say: none goes, and the API says since when it is unknown', async () => {
  world.gitlab.faults.add({ kind: 'bad-gateway' });
  await world.reload(changed(() => ({ lifetime: lifetimeOf(1) })));
  mend = async () => {
    await world.reload(good);
    world.gitlab.faults.clear();
  };
  await herd.provoke();
  await herd.expectNoneLost();
  expect(await shownPreview(world, 'shop-9')).toMatchObject({ phase: 'ready', heldStop: null, stopReason: null });
  expect((await shownPreview(world, 'shop-9')).unknownSince).not.toBeNull();
});

describe('the manager is started with another branch', () => {
  test.each([
    { name: 'that does not exist', branch: 'dynamic-env', words: /The branch is gone/ },
    { name: 'that people use for something else', branch: 'main', words: /mayfly\.yml is gone/ },
  ])('$name', async ({ branch, words }) => {
    const mark = world.log.mark();
    await world.stopManager();
    mend = async () => {
      await world.stopManager();
      await world.startManager(good);
    };
    await world.startManager({ branch: { ...good.branch, name: branch } });
    const [first] = herd.previews;
    if (first !== undefined) await herd.push(first);
    await herd.provoke();
    await expectManagerBlocked(world, words, mark);
    await herd.expectNoneLost();
    expect((await shownPreview(world, 'shop-5')).phase).toBe('ready');
  });
});

test('ten merge requests are merged at once: explained, and all ten are torn down', async () => {
  usedTheLimit = true;
  const mark = world.log.mark();
  const merged = herd.previews.slice(0, 10);
  for (const { mergeRequest } of merged) await world.gitlab.mergeMergeRequest(mergeRequest);
  await herd.waitForLost(merged.map(({ slug }) => slug));
  const rows = await until('all ended', async () => {
    const shown = await Promise.all(merged.map(({ slug }) => shownPreview(world, slug)));
    return shown.every(({ phase }) => phase === 'stopped') && shown;
  });
  expect(new Set(rows.map(({ stopReason }) => stopReason))).toEqual(new Set(['merged']));
  expect((await shownBreaker(world)).open).toBe(false);
  expect(world.log.find('deletions held', mark)).toEqual([]);
  mend = async () => {
    herd.forget(merged.map(({ slug }) => slug));
  };
});
