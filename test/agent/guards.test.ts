import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Order } from '../../src/protocol/poll.js';
import { eventually } from './support/eventually.js';
import { branchName, createWorld, type World } from './support/world.js';

let world: World;
let sha: string;

beforeEach(async () => {
  world = await createWorld({ pollIntervalMs: 300 });
  sha = await world.pushManifests({ 'deploy/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n' });
});

afterEach(() => world.close());

async function live(...slugs: string[]): Promise<void> {
  await world.publish({ files: slugs.map((slug) => ({ slug, sha })) });
  for (const slug of slugs) await world.waitForState(slug, 'healthy');
}

/** Waits until the agent has told why it deletes nothing, twice, so that it had the time to do it. */
async function heldFor(reason: string): Promise<void> {
  for (let times = 0; times < 2; times += 1) {
    const from = world.manager.polls.length;
    await eventually(`breaker says ${reason}`, () =>
      world.manager.polls.slice(from).some(({ breaker }) => breaker.open && breaker.reason === reason),
    );
  }
}

async function expectAllAlive(...slugs: string[]): Promise<void> {
  for (const slug of slugs) {
    const namespace = await world.namespace(slug);
    expect(namespace?.metadata.deletionTimestamp, slug).toBeUndefined();
    expect(namespace, slug).not.toBeNull();
    expect(await world.find(slug, 'v1', 'ConfigMap', 'a'), slug).not.toBeNull();
  }
}

function order(change: Partial<Order>): Order {
  return { id: 1, kind: 'accept', by: 'ada', ...change };
}

test('a rewritten branch deletes nothing until a person accepts it', async () => {
  await world.start();
  await live('one', 'two', 'three');
  await world.branch.git('checkout', '--quiet', '--orphan', 'fresh');
  await world.branch.git('rm', '--quiet', '-f', 'apps/one.yml');
  await world.branch.commit('history rewritten');
  await world.branch.git('push', '--quiet', '--force', 'origin', `HEAD:refs/heads/${branchName}`);
  await heldFor('rewritten');
  await expectAllAlive('one', 'two', 'three');
  world.manager.explanations.set('one#1', 'closed');
  world.manager.orders.push(order({}));
  await eventually('the removed one goes', () => world.manager.newest('one')?.state === 'gone', 120_000);
  await expectAllAlive('two', 'three');
});

test('without mayfly.yml, and with another installation’s, nothing at all is done', async () => {
  await world.start();
  await live('one', 'two');
  await world.branch.git('rm', '--quiet', 'mayfly.yml');
  await world.publish({ remove: ['one'], files: [{ slug: 'three', sha }] });
  world.manager.explanations.set('one#1', 'closed');
  await heldFor('installation-missing');
  await world.branch.write('mayfly.yml', 'installation: another\nlayout: 1\n');
  await world.publish({});
  await heldFor('installation-changed');
  await expectAllAlive('one', 'two');
  expect(await world.namespace('three')).toBeNull();
  await world.branch.write('mayfly.yml', `installation: ${world.installation}\nlayout: 1\n`);
  await world.publish({});
  await world.waitForState('three', 'healthy');
  await eventually('the removed one goes', () => world.manager.newest('one')?.state === 'gone', 120_000);
});

test('a branch that is gone deletes nothing', async () => {
  await world.start();
  await live('one');
  await world.branch.git('push', '--quiet', 'origin', '--delete', branchName);
  await heldFor('installation-missing');
  await expectAllAlive('one');
});

test('when the folder of Applications is gone, only what the manager explains goes', async () => {
  await world.start();
  await live('one', 'two');
  await world.branch.git('rm', '--quiet', '-r', 'apps');
  await world.publish({});
  await heldFor('applications-missing');
  await expectAllAlive('one', 'two');
  world.manager.explanations.set('one#1', 'merged').set('two#1', 'merged');
  await eventually(
    'both are gone',
    () => ['one', 'two'].every((slug) => world.manager.newest(slug)?.state === 'gone'),
    120_000,
  );
});

test('when every file is gone at once, none of them is torn down unexplained', async () => {
  await world.start();
  await live('one', 'two');
  await world.publish({ remove: ['one', 'two'] });
  await heldFor('all-files-gone');
  await expectAllAlive('one', 'two');
  expect(world.manager.newest('one')?.state).toBe('held');
});

test('an agent that never saw the branch before still takes the manager’s word when every file is gone', async () => {
  const agent = await world.start();
  await live('one', 'two');
  await agent.stop();
  const { agentNamespace: namespace, name } = world.options;
  const state = { apiVersion: 'v1', kind: 'ConfigMap', name: `mayfly-${name}-state`, namespace };
  await world.cluster.client.mergePatch(state, { data: { head: 'null' } });
  await world.publish({ remove: ['one', 'two'] });
  await world.start();
  await heldFor('all-files-gone');
  world.manager.explanations.set('one#1', 'merged').set('two#1', 'merged');
  const gone = () => ['one', 'two'].every((slug) => world.manager.newest(slug)?.state === 'gone');
  await eventually('both are gone', gone, 120_000);
});

test('over the limit none of the unexplained deletions is done, explained ones are, and a person can accept', async () => {
  await world.start();
  await live('a', 'b', 'c', 'd', 'e', 'stays');
  world.manager.explanations.set('e#1', 'merged');
  await world.publish({ remove: ['a', 'b', 'c', 'd', 'e'] });
  await heldFor('limit');
  await eventually('the explained one is gone', () => world.manager.newest('e')?.state === 'gone', 120_000);
  await expectAllAlive('a', 'b', 'c', 'd', 'stays');
  const { breaker } = world.manager.polls.at(-1) ?? {};
  expect(breaker?.pending.map(({ slug }) => slug).sort()).toEqual(['a', 'b', 'c', 'd']);
  // Held ones are asked about again, so that a late explanation counts.
  world.manager.explanations.set('a#1', 'closed');
  world.manager.orders.push(order({ id: 7, slug: 'b', incarnation: 1 }));
  for (const slug of ['a', 'b', 'c', 'd']) {
    // Two are left, and two are within the limit.
    await eventually(`${slug} is gone`, () => world.manager.newest(slug)?.state === 'gone', 120_000);
  }
  await eventually('the order is acknowledged', () => world.manager.orders.length === 0);
  await expectAllAlive('stays');
});

test('the sliding hour outlives a restart', async () => {
  const agent = await world.start();
  await live('a', 'b', 'c', 'd', 'stays');
  await world.publish({ remove: ['a', 'b', 'c'] });
  for (const slug of ['a', 'b', 'c']) {
    await eventually(`${slug} goes`, () => ['terminating', 'gone'].includes(world.manager.newest(slug)?.state ?? ''));
  }
  await agent.stop();
  await world.publish({ remove: ['d'] });
  await world.start();
  await heldFor('limit');
  await expectAllAlive('d', 'stays');
});

test('a file that says nothing that could be obeyed tears nothing down', async () => {
  await world.start();
  await live('broken', 'foreign', 'renamed', 'moved', 'back', 'fine');
  await world.publish({ files: [{ slug: 'back', sha, incarnation: 2 }] });
  world.manager.explanations.set('back#1', 'reopened');
  await eventually('the second life begins', () => world.manager.newest('back', 2)?.state === 'healthy', 120_000);

  await world.branch.write('apps/broken.yml', 'a: [unclosed\n');
  const renamed = await world.branch.read('apps/renamed.yml');
  await world.branch.write('apps/renamed.yml', renamed.replace('name: renamed', 'name: something-else'));
  await world.publish({
    files: [
      { slug: 'foreign', sha, installation: 'not-this-one' },
      { slug: 'moved', sha, namespace: 'kube-system' },
      { slug: 'back', sha, incarnation: 1 },
      { slug: 'last', sha },
    ],
  });
  await world.waitForState('last', 'healthy');
  await heldNothing();
  await expectAllAlive('broken', 'foreign', 'renamed', 'moved', 'back', 'fine');
});

async function heldNothing(): Promise<void> {
  const from = world.manager.polls.length;
  const poll = await eventually('two more polls', () => world.manager.polls[from + 1]);
  expect(poll.breaker).toEqual({ open: false, reason: null, pending: [] });
}

test('what is seen while the manager is away is told when it is back', async () => {
  await world.start();
  await live('one');
  world.manager.setAway(true);
  await world.publish({ files: [{ slug: 'two', sha }] });
  await eventually(
    'it is deployed all the same',
    async () => (await world.find('two', 'v1', 'ConfigMap', 'a')) !== null,
  );
  expect(world.manager.newest('two')).toBeNull();
  world.manager.setAway(false);
  await world.waitForState('two', 'healthy');
});

test('a paused preview is not touched, and is caught up with when it is resumed', async () => {
  await world.start();
  await live('one');
  world.manager.orders.push(order({ id: 1, kind: 'pause', slug: 'one' }));
  await eventually('the order is acknowledged', () => world.manager.orders.length === 0);
  const next = await world.pushManifests({
    'deploy/map.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\n',
  });
  await world.publish({
    files: [
      { slug: 'one', sha: next },
      { slug: 'two', sha: next },
    ],
  });
  await world.waitForState('two', 'healthy');
  expect(await world.find('one', 'v1', 'ConfigMap', 'b')).toBeNull();
  world.manager.orders.push(order({ id: 2, kind: 'resume', slug: 'one' }));
  await eventually('it is deployed', async () => (await world.find('one', 'v1', 'ConfigMap', 'b')) !== null);
});
