import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import type { Person } from '../support/git-client.js';
import { until } from '../support/until.js';
import { anotherCluster } from './support/another-cluster.js';
import { copyDatabase } from './support/copy-database.js';
import { branchName, createGuardWorld, type GuardWorld } from './support/guard-world.js';
import { type Herd, raiseHerd } from './support/herd.js';
import {
  callApi,
  expectAgentHolds,
  expectManagerBlocked,
  expectManagerHolds,
  metric,
  shownBreaker,
  shownPreview,
} from './support/sight.js';

let world: GuardWorld;
let herd: Herd;
let person: Person;
let mend: () => Promise<unknown> = async () => undefined;

beforeAll(async () => {
  world = await createGuardWorld();
  await world.startManager();
  await world.startAgent();
  herd = await raiseHerd(world, 12);
  person = await world.person();
});

afterAll(() => world?.close());

afterEach(async () => {
  await mend();
  mend = async () => undefined;
  await herd.provoke({ agent: false });
  await herd.expectWell();
});

/** Removes files of the branch as a person does; the answer is what takes it back. */
async function removeFiles(slugs: readonly string[]): Promise<() => Promise<void>> {
  await person.pull(branchName);
  for (const slug of slugs) await person.git('rm', '--quiet', `apps/${slug}.yml`);
  const commit = await person.push(branchName, 'remove files');
  return async () => {
    await person.pull(branchName);
    await person.git('revert', '--no-edit', commit);
    await person.git('push', '--quiet', 'origin', `HEAD:refs/heads/${branchName}`);
  };
}

describe('the database', () => {
  test('is an empty one', async () => {
    const empty = await createTestDatabase();
    mend = async () => {
      await world.stopManager();
      world.useDatabase(world.database);
      await world.startManager();
      await empty.drop();
    };
    const mark = world.log.mark();
    await world.stopManager();
    world.useDatabase(empty);
    await world.startManager();
    await herd.provoke();
    await expectManagerBlocked(world, /this database does not know/, mark);
    await herd.agentSpoke();
    await herd.expectNoneLost();
  });

  test('is the one of yesterday', async () => {
    await herd.idle();
    await world.stopManager();
    const yesterday = await copyDatabase(world.database);
    await world.startManager();
    mend = async () => {
      await world.stopManager();
      world.useDatabase(world.database);
      await world.startManager();
      await yesterday.drop();
    };
    // The day in between: the branch moves on.
    for (const preview of herd.previews.slice(0, 3)) await herd.push(preview);
    await herd.provoke();
    await herd.expectNoneLost();
    await world.stopManager();
    const mark = world.log.mark();
    world.useDatabase(yesterday);
    await world.startManager();
    await herd.provoke();
    await expectManagerBlocked(world, /restored from a backup/, mark);
    await herd.agentSpoke();
    await herd.expectNoneLost();
  });
});

describe('the manager', () => {
  test('is down while the branch is as it was', async () => {
    mend = () => world.startManager();
    await world.stopManager();
    await world.log.waitFor('manager not polled', world.log.mark());
    await world.stopAgent();
    await world.startAgent();
    await world.log.waitFor('manager not polled', world.log.mark());
    await herd.expectNoneLost();
  });

  test('cannot be asked why four files are gone', async () => {
    const mark = world.log.mark();
    await world.stopManager();
    const undo = await removeFiles(herd.previews.slice(0, 4).map(({ slug }) => slug));
    mend = undo;
    await world.log.waitFor('deletions not explained', mark);
    await world.log.waitFor('deletions held', mark);
    expect(await world.agentMetrics()).toContain('mayfly_breaker_open{where="agent",reason="limit"} 1');
    await herd.expectNoneLost();
    await world.startManager();
    await herd.provoke();
    await expectAgentHolds(world, 'limit', mark);
    await herd.expectNoneLost();
  });

  test('does not accept the token of the agent any more', async () => {
    const { agents } = world.config;
    mend = () => world.reload({ agents });
    await world.reload({ agents: agents.map((agent) => ({ ...agent, token: `${agent.token}-renewed` })) });
    await world.log.waitFor('manager not polled', world.log.mark());
    await herd.idle();
    await herd.expectNoneLost();
    expect(await metric(world, 'mayfly_agent_last_seen_seconds', { cluster: world.agentOptions.name })).not.toBeNull();
    expect((await shownPreview(world, 'shop-4')).phase).toBe('ready');
  });
});

describe('the agent', () => {
  const branches = [
    { name: 'follows a branch that does not exist', change: { name: 'dynamic-env' }, reason: 'installation-missing' },
    { name: 'follows a branch of something else', change: { name: 'main' }, reason: 'installation-missing' },
    { name: 'looks into another folder', change: { applications: 'app' }, reason: 'applications-missing' },
  ];

  test.each(branches)('$name', async ({ change, reason }) => {
    const mark = world.log.mark();
    mend = async () => {
      await world.stopAgent();
      await world.startAgent();
    };
    await world.stopAgent();
    await world.startAgent({ branch: { ...world.agentOptions.branch, ...change } });
    await herd.provoke();
    await expectAgentHolds(world, reason, mark);
    await herd.expectNoneLost();
  });

  test('is pointed at another cluster, which is empty', async () => {
    const other = await anotherCluster();
    mend = async () => {
      await world.stopAgent();
      await other.close();
      await world.startAgent();
    };
    await world.stopAgent();
    await world.startAgent(other.change);
    await herd.provoke();
    await herd.expectNoneLost();
    for (const { slug } of herd.previews) expect((await shownPreview(world, slug)).stopReason).toBeNull();
    expect((await shownBreaker(world)).held).toEqual([]);
  });

  test('is pointed at a cluster where another installation has namespaces of these names', async () => {
    const other = await anotherCluster();
    const prefix = world.agentOptions.namespacePrefix;
    const theirs = new Map<string, string>();
    for (const { slug } of herd.previews) {
      const labels = {
        'mayfly.dev/installation': 'another',
        'mayfly.dev/preview': slug,
        'mayfly.dev/incarnation': '1',
      };
      const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: prefix + slug, labels } };
      theirs.set(prefix + slug, (await other.client.create(namespace)).metadata.uid ?? '');
    }
    const mark = world.log.mark();
    mend = async () => {
      await world.stopAgent();
      await other.close();
      await world.startAgent();
    };
    await world.stopAgent();
    await world.startAgent(other.change);
    await until('each is refused', () => world.log.find('preview not applied', mark).length >= 12, {
      deadlineMs: 15_000,
      explain: world.log.tail,
    });
    const undo = await removeFiles(herd.previews.slice(0, 2).map(({ slug }) => slug));
    await herd.provoke();
    await herd.expectNoneLost();
    const { items } = await other.client.list({ apiVersion: 'v1', kind: 'Namespace', namespace: null });
    const found = items.filter(({ metadata }) => theirs.has(metadata.name));
    expect(found).toHaveLength(12);
    for (const { metadata } of found) {
      expect(metadata.uid).toBe(theirs.get(metadata.name));
      expect(metadata.deletionTimestamp).toBeUndefined();
      expect(metadata.labels?.['mayfly.dev/installation']).toBe('another');
    }
    await undo();
  });

  test('lost its memory, and the files of four are gone', async () => {
    await world.stopAgent();
    await forget();
    const slugs = herd.previews.slice(4, 8).map(({ slug }) => slug);
    const undo = await removeFiles(slugs);
    mend = async () => {
      // What nobody knows any more stands in the way of the next ones: a person has each removed.
      await world.pool.query(
        `insert into agent_order (cluster, kind, slug, by_name) select $1, 'remove-orphan', slug, 'olga'
         from unnest($2::text[]) slug`,
        [world.agentOptions.name, slugs],
      );
      await herd.waitForLost(slugs);
      await undo();
    };
    await herd.idle();
    await world.startAgent();
    await herd.provoke();
    await herd.expectNoneLost();
    const agents = await world.pool.query<{ orphans: { slug: string }[] }>(
      'select orphans from agent where name = $1',
      [world.agentOptions.name],
    );
    expect(agents.rows[0]?.orphans.length, 'listed for a person').toBe(4);
  });
});

/** The agent's ConfigMaps are deleted, by somebody who tidied up. */
async function forget(): Promise<void> {
  const namespace = world.agentOptions.agentNamespace;
  const { client } = world.cluster;
  const { items } = await client.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace });
  for (const { metadata } of items) {
    await client.remove({ apiVersion: 'v1', kind: 'ConfigMap', namespace, name: metadata.name });
  }
}

describe('somebody speaks as an agent', () => {
  async function observe(token: string, seq: [number, number]): Promise<number> {
    const { rows } = await world.pool.query<{ head: string }>('select branch_head as head from installation');
    const observations = herd.previews.map(({ slug }, index) => ({
      slug,
      incarnation: 1,
      revision: null,
      branchCommit: rows[0]?.head,
      seq: [seq[0], seq[1] + index],
      state: 'gone',
      objects: [],
      diagnosis: null,
    }));
    const answer = await fetch(`${world.manager().url}/agent/v1/observations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ observations }),
    });
    await herd.idle();
    return answer.status;
  }

  test('with another cluster’s token: all are gone, it says, and nothing lives', async () => {
    const mark = world.log.mark();
    expect(await observe(world.foreignAgentToken, [9_000_000_000, 1])).toBe(204);
    await fetch(`${world.manager().url}/agent/v1/poll`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.foreignAgentToken}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        branchCommit: null,
        living: [],
        orphans: [],
        breaker: { open: false, reason: null, pending: [] },
        acknowledged: [],
      }),
    });
    await herd.provoke();
    await herd.expectNoneLost();
    expect(world.log.find('observation of another cluster refused', mark)).toHaveLength(12);
    expect(await metric(world, 'mayfly_observations_total', { outcome: 'refused' })).toBe(12);
    for (const { slug } of herd.previews) expect((await shownPreview(world, slug)).phase).toBe('ready');
  });

  test('with an old message of the agent itself: all are gone', async () => {
    expect(await observe(world.agentOptions.manager?.token ?? '', [0, 1])).toBe(204);
    await herd.provoke();
    await herd.expectNoneLost();
    expect(await metric(world, 'mayfly_observations_total', { outcome: 'known' })).toBeGreaterThanOrEqual(12);
    for (const { slug } of herd.previews) expect((await shownPreview(world, slug)).phase).toBe('ready');
  });

  test('with a token that nobody has', async () => {
    expect(await observe('guessed', [9_000_000_000, 1])).toBe(401);
    await herd.expectNoneLost();
  });

  test('with the agent’s own token, newer than all: beyond the limit nothing goes until a person accepts it', async () => {
    const mark = world.log.mark();
    mend = async () => {
      // Its numbers are above the agent's own, which are heard again only without them.
      await world.pool.query('delete from observation');
      await callApi(world, '/breaker/accept', { reason: 'begin anew' });
    };
    expect(await observe(world.agentOptions.manager?.token ?? '', [9_000_000_000, 1])).toBe(204);
    await herd.provoke();
    // Three may go in an hour, and six are in their second life by now, of which it says nothing.
    await until('the manager holds the rest', async () => (await shownBreaker(world)).held.length >= 6, {
      explain: world.log.tail,
    });
    const { held } = await shownBreaker(world);
    await expectManagerHolds(world, held.length, 'git');
    expect(world.log.find('stop held until a person accepts it', mark).length).toBeGreaterThanOrEqual(6);
    expect((await herd.lost()).length).toBeLessThanOrEqual(3);
  });
});
