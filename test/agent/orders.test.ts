import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningAgent } from '../../src/agent/run.js';
import type { Order, Poll } from '../../src/protocol/poll.js';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;
let agent: RunningAgent;
let sha: string;
let orders = 0;

beforeAll(async () => {
  world = await createWorld({ teardownTimeoutMs: 1_000, pollIntervalMs: 500 });
  agent = await world.start();
  sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests() });
});

afterAll(() => world.close());

/** Namespaces take their time to end: the namespace controller's, not the agent's. */
const longMs = 120_000;

/** Gives an order and waits until it was carried out; answers what the agent said of it. */
async function order(given: Omit<Order, 'id' | 'by'>): Promise<Poll['outcomes'][number] | null> {
  orders += 1;
  const id = orders;
  world.manager.orders.push({ id, by: 'ops', ...given });
  const poll = await eventually(`order ${id}`, () =>
    world.manager.polls.find(({ acknowledged }) => acknowledged.includes(id)),
  );
  return poll.outcomes.find((each) => each.id === id) ?? null;
}

async function deploy(slug: string, more: { mergeRequest?: string } = {}): Promise<void> {
  await world.publish({ files: [{ slug, sha, ...more }] });
  await world.waitForState(slug, 'healthy');
}

function site(slug: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: 'site', namespace: world.namespaceOf(slug) };
}

const exists = async (slug: string) => (await world.find(slug, 'v1', 'ConfigMap', 'site')) !== null;

/** Another preview's drift is repaired: by then the agent has heard what came before. */
async function agentHasLookedRound(slug: string): Promise<void> {
  await world.cluster.client.remove(site(slug));
  await eventually('another preview was repaired', () => exists(slug));
}

const paused = () => world.manager.polls.at(-1)?.paused ?? [];

describe('a pause', () => {
  beforeAll(async () => {
    await deploy('beside', { mergeRequest: 'acme/other!1' });
  });

  test('of a preview: nothing of it is touched, which is told, and everything is taken up afterwards', async () => {
    await deploy('resting');
    await order({ kind: 'pause', slug: 'resting' });
    await eventually('the report', () =>
      paused().some(({ scope, name, by }) => scope === 'preview' && name === 'resting' && by === 'ops'),
    );
    await world.cluster.client.remove(site('resting'));
    const next = await world.pushManifests({ 'deploy/shop.yaml': shopManifests({ colour: 'blue' }) });
    const file = { slug: 'resting', sha: next };
    await world.publish({ files: [file] });
    await eventually('the word', () => {
      const newest = world.manager.newest('resting');
      return newest?.revision === world.revision(file) && /paused by ops/.test(newest.diagnosis?.sentence ?? '');
    });
    await agentHasLookedRound('beside');
    expect(await exists('resting')).toBe(false);
    // It outlives the agent.
    await agent.stop();
    agent = await world.start();
    await agentHasLookedRound('beside');
    expect(await exists('resting')).toBe(false);
    await order({ kind: 'resume', slug: 'resting' });
    await world.waitForState('resting', 'healthy', { revision: world.revision(file) });
    expect((await world.find('resting', 'v1', 'ConfigMap', 'site'))?.data).toEqual({ colour: 'blue' });
  });

  test('of a project: new previews of it are not applied, and no removal is carried out', async () => {
    await deploy('ours');
    await order({ kind: 'pause', project: 'acme/shop' });
    await world.publish({ files: [{ slug: 'newcomer', sha }] });
    await eventually('the word', () =>
      /paused by ops/.test(world.manager.newest('newcomer')?.diagnosis?.sentence ?? ''),
    );
    world.manager.explanations.set('ours#1', 'merged');
    await world.publish({ remove: ['ours'] });
    await agentHasLookedRound('beside');
    expect(await world.namespace('newcomer')).toBeNull();
    expect((await world.namespace('ours'))?.metadata.deletionTimestamp).toBeUndefined();
    await order({ kind: 'resume', project: 'acme/shop' });
    await world.waitForState('newcomer', 'healthy');
    await eventually('the end', () => world.manager.newest('ours')?.state === 'gone', longMs);
  });

  test('by an annotation on the namespace holds without any manager', async () => {
    await deploy('annotated');
    world.manager.setAway(true);
    const namespace = { apiVersion: 'v1', kind: 'Namespace', name: world.namespaceOf('annotated') };
    const annotate = (value: string | null) =>
      world.cluster.client.mergePatch(namespace, { metadata: { annotations: { 'mayfly.dev/paused': value } } });
    await annotate('true');
    await agentHasLookedRound('beside');
    await world.cluster.client.remove(site('annotated'));
    // Also for an agent that starts only now.
    await agent.stop();
    agent = await world.start();
    await agentHasLookedRound('beside');
    expect(await exists('annotated')).toBe(false);
    world.manager.setAway(false);
    await eventually('the report', () =>
      paused().some(({ scope, name }) => scope === 'namespace' && name === 'annotated'),
    );
    await annotate(null);
    await eventually('it is back', () => exists('annotated'));
  });

  test('of everything is one word', async () => {
    await order({ kind: 'pause' });
    await world.cluster.client.remove(site('beside'));
    await world.publish({ files: [{ slug: 'meanwhile', sha }] });
    await eventually('the word', () =>
      /paused by ops/.test(world.manager.newest('meanwhile')?.diagnosis?.sentence ?? ''),
    );
    expect(await exists('beside')).toBe(false);
    expect(await world.namespace('meanwhile')).toBeNull();
    await order({ kind: 'resume' });
    await world.waitForState('meanwhile', 'healthy');
    await eventually('it is back', () => exists('beside'));
  });
});

describe('unblock', () => {
  const hold = 'test.example.com/hold';
  const other = 'test.example.com/other';

  test('removes the named finalizer from what blocks, and no other', async () => {
    await deploy('stuck');
    await world.cluster.client.mergePatch(site('stuck'), { metadata: { finalizers: [hold, other] } });
    // What is not being deleted keeps its finalizers, whatever they are called.
    await deploy('bystander');
    await world.cluster.client.mergePatch(site('bystander'), { metadata: { finalizers: [hold] } });
    expect(await order({ kind: 'unblock', slug: 'stuck', incarnation: 1, finalizer: hold })).toMatchObject({
      done: false,
      detail: expect.stringContaining('is not being deleted'),
    });
    world.manager.explanations.set('stuck#1', 'closed');
    await world.publish({ remove: ['stuck'] });
    await eventually(
      'the way out is named',
      () => {
        const sentence = world.manager.newest('stuck', 1)?.diagnosis?.sentence ?? '';
        return sentence.includes('mayfly unblock stuck --finalizer test.example.com/');
      },
      longMs,
    );
    expect(await order({ kind: 'unblock', slug: 'stuck', incarnation: 1, finalizer: hold })).toMatchObject({
      done: true,
      detail: expect.stringContaining('removed from ConfigMap/site'),
    });
    expect((await world.cluster.client.get(site('stuck'))).metadata.finalizers).toEqual([other]);
    expect(await order({ kind: 'unblock', slug: 'stuck', incarnation: 1, finalizer: hold })).toMatchObject({
      done: false,
      detail: expect.stringContaining('waits for test.example.com/hold'),
    });
    await order({ kind: 'unblock', slug: 'stuck', incarnation: 1, finalizer: other });
    await eventually('the end', () => world.manager.newest('stuck')?.state === 'gone', longMs);
    expect((await world.cluster.client.get(site('bystander'))).metadata.finalizers).toEqual([hold]);
    await world.cluster.client.mergePatch(site('bystander'), { metadata: { finalizers: null } });
  });

  test('of what is not here is said to be not done', async () => {
    expect(await order({ kind: 'unblock', slug: 'nowhere', incarnation: 1, finalizer: hold })).toMatchObject({
      done: false,
      detail: expect.stringContaining('nothing of nowhere'),
    });
  });
});

describe('an orphan', () => {
  const marks = (slug: string, incarnation: number) => ({
    'mayfly.dev/installation': world.installation,
    'mayfly.dev/preview': slug,
    'mayfly.dev/incarnation': String(incarnation),
  });

  async function orphan(slug: string, incarnation: number): Promise<void> {
    await world.cluster.client.create({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: world.namespaceOf(slug), labels: marks(slug, incarnation) },
    });
    await eventually('it is told', () =>
      world.manager.polls.at(-1)?.orphans.some((each) => each.slug === slug && each.incarnation === incarnation),
    );
  }

  test('is told, left alone, and removed on a word for exactly that incarnation', async () => {
    await orphan('lost', 3);
    expect(await order({ kind: 'remove-orphan', slug: 'lost', incarnation: 2 })).toMatchObject({ done: false });
    expect((await world.namespace('lost'))?.metadata.deletionTimestamp).toBeUndefined();
    expect(await order({ kind: 'remove-orphan', slug: 'lost', incarnation: 3 })).toMatchObject({ done: true });
    await eventually('it is gone', async () => (await world.namespace('lost')) === null, longMs);
    await eventually('it is no longer told', () => world.manager.polls.at(-1)?.orphans.length === 0);
  });

  test('that has a file by the time of the order is not removed, and that is said', async () => {
    await orphan('adopted', 1);
    await deploy('adopted');
    expect(await order({ kind: 'remove-orphan', slug: 'adopted', incarnation: 1 })).toMatchObject({
      done: false,
      detail: expect.stringContaining('no orphan'),
    });
    expect(await exists('adopted')).toBe(true);
  });
});

describe('a number that a person edited', () => {
  test('ends nothing, and does not stand in the way of the next incarnation', async () => {
    await deploy('numbered');
    world.manager.toGoOn.add('numbered#1');
    await world.publish({ files: [{ slug: 'numbered', sha, incarnation: 900 }] });
    await eventually('it is held', () => world.manager.newest('numbered', 1)?.state === 'held');
    expect(await exists('numbered')).toBe(true);
    await world.publish({ remove: ['numbered'] });
    // Explained while the agent still has the file, the end of the first would let 900 be made.
    await eventually('900 was never made', () => world.manager.newest('numbered', 900)?.state === 'gone');
    world.manager.toGoOn.clear();
    world.manager.explanations.set('numbered#1', 'merged');
    await eventually('the end', () => world.manager.newest('numbered', 1)?.state === 'gone', longMs);
    await world.publish({ files: [{ slug: 'numbered', sha, incarnation: 2 }] });
    await world.waitForState('numbered', 'healthy', { incarnation: 2 });
  });
});
