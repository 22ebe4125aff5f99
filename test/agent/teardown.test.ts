import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningAgent } from '../../src/agent/run.js';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;
let agent: RunningAgent;
let sha: string;

beforeAll(async () => {
  world = await createWorld({ teardownTimeoutMs: 1_000, pollIntervalMs: 500 });
  agent = await world.start();
  sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests() });
});

afterAll(() => world.close());

/** Namespaces take their time to end: the namespace controller's, not the agent's. */
const longMs = 120_000;

async function deploy(slug: string, incarnation = 1): Promise<void> {
  await world.publish({ files: [{ slug, sha, incarnation }] });
  await world.waitForState(slug, 'healthy', { incarnation });
}

async function inventories(slug: string): Promise<string[]> {
  const { items } = await world.cluster.client.list({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: world.options.agentNamespace,
    labelSelector: `mayfly.dev/memory=inventory,mayfly.dev/preview=${slug}`,
  });
  return items.map(({ metadata }) => metadata.name);
}

function gone(slug: string, incarnation = 1): Promise<unknown> {
  return eventually(
    `${slug} is reported gone`,
    () => world.manager.newest(slug, incarnation)?.state === 'gone',
    longMs,
  );
}

test('a file that goes takes its namespace with it, and gone is reported when it is', async () => {
  await deploy('ends');
  expect(await inventories('ends')).toHaveLength(1);
  world.manager.explanations.set('ends#1', 'the merge request was merged');
  await world.publish({ remove: ['ends'] });
  await gone('ends');
  expect(await world.namespace('ends')).toBeNull();
  expect(await inventories('ends')).toEqual([]);
  const states = world.manager.observations.filter(({ slug }) => slug === 'ends').map(({ state }) => state);
  expect(states.slice(-2)).toEqual(['terminating', 'gone']);
  expect(world.manager.newest('ends')?.revision).toBeNull();
  // The next poll no longer lists it.
  const polls = world.manager.polls.length;
  const poll = await eventually('another poll', () => world.manager.polls[polls]);
  expect(poll.living.map(({ slug }) => slug)).not.toContain('ends');
});

test('an incarnation that was torn down is never applied again, the next one is', async () => {
  await deploy('again');
  world.manager.explanations.set('again#1', 'closed');
  await world.publish({ remove: ['again'] });
  await gone('again');
  await agent.stop();
  agent = await world.start();
  await world.publish({
    files: [
      { slug: 'again', sha },
      { slug: 'beside', sha },
    ],
  });
  await world.waitForState('beside', 'healthy');
  expect(await world.namespace('again')).toBeNull();
  await deploy('again', 2);
  expect((await world.namespace('again'))?.metadata.labels).toMatchObject({ 'mayfly.dev/incarnation': '2' });
});

test('what blocks a teardown is named, and the next incarnation waits until it is gone', async () => {
  await deploy('stuck');
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'site', namespace: world.namespaceOf('stuck') };
  await world.cluster.client.mergePatch(reference, { metadata: { finalizers: ['test.example.com/hold'] } });
  const first = await world.namespace('stuck');
  world.manager.explanations.set('stuck#1', 'closed');
  await world.publish({ files: [{ slug: 'stuck', sha, incarnation: 2 }] });
  await eventually(
    'the finalizer is named',
    () => {
      const diagnosis = world.manager.newest('stuck', 1)?.diagnosis;
      return diagnosis?.cause === 'timeout' && JSON.stringify(diagnosis).includes('test.example.com/hold');
    },
    longMs,
  );
  // Mayfly never removes a finalizer, and never deploys over what is still there.
  expect((await world.cluster.client.get(reference)).metadata.finalizers).toEqual(['test.example.com/hold']);
  expect((await world.namespace('stuck'))?.metadata.uid).toBe(first?.metadata.uid);
  await world.cluster.client.mergePatch(reference, { metadata: { finalizers: null } });
  await gone('stuck');
  await eventually('the next incarnation lives', () => world.manager.newest('stuck', 2)?.state === 'healthy', longMs);
  expect((await world.namespace('stuck'))?.metadata.uid).not.toBe(first?.metadata.uid);
});

test('a namespace of the same name that somebody else made meanwhile is left alone', async () => {
  await deploy('swapped');
  await agent.stop();
  const name = world.namespaceOf('swapped');
  await world.cluster.client.remove({ apiVersion: 'v1', kind: 'Namespace', name });
  await eventually('the old namespace is gone', async () => (await world.namespace('swapped')) === null, longMs);
  await world.cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  world.manager.explanations.set('swapped#1', 'closed');
  await world.publish({ remove: ['swapped'] });
  agent = await world.start();
  await gone('swapped');
  expect((await world.namespace('swapped'))?.metadata.deletionTimestamp).toBeUndefined();
});

test('a namespace that lost its labels is not given up, and goes once it has them back', async () => {
  await deploy('unmarked');
  const namespace = { apiVersion: 'v1', kind: 'Namespace', name: world.namespaceOf('unmarked') };
  const { labels } = (await world.cluster.client.get(namespace)).metadata;
  const off = Object.fromEntries(Object.keys(labels ?? {}).map((label) => [label, null]));
  await world.cluster.client.mergePatch(namespace, { metadata: { labels: off } });
  world.manager.explanations.set('unmarked#1', 'closed');
  await world.publish({ remove: ['unmarked'] });
  await eventually('what to do is told', () =>
    world.manager.newest('unmarked')?.diagnosis?.sentence.includes(`kubectl label namespace ${namespace.name}`),
  );
  expect(world.manager.newest('unmarked')?.state).toBe('terminating');
  expect((await world.namespace('unmarked'))?.metadata.deletionTimestamp).toBeUndefined();
  expect(await inventories('unmarked')).toHaveLength(1);
  await world.cluster.client.mergePatch(namespace, { metadata: { labels } });
  await gone('unmarked');
  expect(await world.namespace('unmarked')).toBeNull();
});

test('a file that goes before anything was applied is gone at once', async () => {
  await world.publish({ files: [{ slug: 'never', sha, path: 'nowhere' }] });
  await world.waitForState('never', 'refused');
  await world.publish({ remove: ['never'] });
  await gone('never');
  expect(world.manager.asked.has('never')).toBe(false);
});
