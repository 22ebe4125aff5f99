import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningAgent } from '../../src/agent/run.js';
import { eventually } from './support/eventually.js';
import { createWorld, type FileInput, shopManifests, type World } from './support/world.js';

let world: World;
let agent: RunningAgent;

beforeAll(async () => {
  world = await createWorld();
  agent = await world.start();
});

afterAll(() => world.close());

test('an agent that is stopped anywhere in its work finishes it in the next run', async () => {
  const slugs = Array.from({ length: 8 }, (_, index) => `cut-${index}`);
  for (let round = 1; round <= 4; round += 1) {
    const sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests({ colour: `colour-${round}` }) });
    await world.publish({ files: slugs.map((slug) => ({ slug, sha })) });
    await delay(40 + Math.random() * 250);
    await agent.stop();
    agent = await world.start();
    for (const slug of slugs) {
      await world.waitForState(slug, 'healthy', { revision: world.revision({ slug, sha }) });
      expect((await world.find(slug, 'v1', 'ConfigMap', 'site'))?.data).toEqual({ colour: `colour-${round}` });
    }
  }
  // Torn down halfway, and finished by the next run without being asked again.
  for (const slug of slugs) world.manager.explanations.set(`${slug}#1`, 'merged');
  await world.publish({ remove: slugs });
  await eventually('the first ends', () => slugs.some((slug) => world.manager.newest(slug)?.state === 'terminating'));
  await agent.stop();
  agent = await world.start();
  for (const slug of slugs) {
    await eventually(`${slug} is gone`, async () => (await world.namespace(slug)) === null, 120_000);
  }
  await eventually('no inventory is left', async () => {
    const { items } = await world.cluster.client.list({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: world.options.agentNamespace,
      labelSelector: 'mayfly.dev/memory=inventory',
    });
    return items.length === 0;
  });
});

test('a newer revision ends the work for the one before', async () => {
  const versions: FileInput[] = [];
  for (let round = 1; round <= 5; round += 1) {
    const sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests({ colour: `quick-${round}` }) });
    const file = { slug: 'quick', sha };
    versions.push(file);
    await world.publish({ files: [file] });
  }
  const last = versions.at(-1);
  if (last === undefined) throw new Error('no version');
  await world.waitForState('quick', 'healthy', { revision: world.revision(last) });
  expect((await world.find('quick', 'v1', 'ConfigMap', 'site'))?.data).toEqual({ colour: 'quick-5' });
});
