import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AgentProgram, type AgentPrograms, compileAgent } from './support/agent-program.js';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;
let programs: AgentPrograms;

beforeAll(async () => {
  world = await createWorld();
  programs = await compileAgent();
});

afterAll(async () => {
  await programs?.close();
  await world?.close();
});

async function startProcess(): Promise<AgentProgram> {
  const program = programs.start(world.options);
  await program.ready;
  return program;
}

async function kill(program: AgentProgram): Promise<void> {
  program.kill();
  await program.ended;
}

test('killed at random points of apply, prune and teardown, nothing is missing and nothing is left', async () => {
  const slugs = Array.from({ length: 6 }, (_, index) => `killed-${index}`);
  let revision = '';
  for (let round = 0; round < 6; round += 1) {
    // Every second revision has an object more, so that there is something to prune.
    const extra = '---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra}\n';
    const text = shopManifests({ colour: `c${round}` }) + (round % 2 === 0 ? extra : '');
    const sha = await world.pushManifests({ 'deploy/shop.yaml': text });
    await world.publish({ files: slugs.map((slug) => ({ slug, sha })) });
    revision = sha;
    const child = await startProcess();
    await delay(Math.random() * 400);
    await kill(child);
  }
  const last = await startProcess();
  for (const slug of slugs) {
    await world.waitForState(slug, 'healthy', { revision: world.revision({ slug, sha: revision }) });
    expect((await world.find(slug, 'v1', 'ConfigMap', 'site'))?.data).toEqual({ colour: 'c5' });
    await eventually('what is no longer wanted is pruned', async () => {
      return (await world.find(slug, 'v1', 'ConfigMap', 'extra')) === null;
    });
  }
  await kill(last);

  for (const slug of slugs) world.manager.explanations.set(`${slug}#1`, 'merged');
  await world.publish({ remove: slugs });
  for (let round = 0; round < 4; round += 1) {
    const child = await startProcess();
    await delay(Math.random() * 300);
    await kill(child);
  }
  await startProcess();
  for (const slug of slugs) {
    await eventually(`${slug} is gone`, async () => (await world.namespace(slug)) === null, 120_000);
  }
  await eventually('no inventory is left', async () => {
    const labelSelector = 'mayfly.dev/memory=inventory';
    const namespace = world.options.agentNamespace;
    const { items } = await world.cluster.client.list({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace,
      labelSelector,
    });
    return items.length === 0;
  });
  expect(world.manager.polls.at(-1)?.orphans ?? []).toEqual([]);
}, 180_000);
