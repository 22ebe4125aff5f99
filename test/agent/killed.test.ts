import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compileFolders } from '../support/compiled.js';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;
let compiled: { folder: string; remove: () => Promise<void> };
const alive = new Set<ChildProcess>();

beforeAll(async () => {
  world = await createWorld();
  const folders = await agentFolders();
  compiled = await compileFolders(folders);
  await writeFile(
    join(compiled.folder, 'main.js'),
    `import { pino } from 'pino';
import { runAgent } from './agent/run.js';
const agent = runAgent(JSON.parse(process.argv[2]), { log: pino({ level: process.env.TEST_LOG ?? 'silent' }, pino.destination(2)) });
await agent.ready;
process.stdout.write('ready');
`,
  );
});

/** All that the agent may be made of: the other house's rooms are not among it. */
async function agentFolders(): Promise<string[]> {
  const entries = await readdir(new URL('../../src', import.meta.url), { withFileTypes: true });
  const others = ['cli', 'config', 'gitlab', 'manager', 'sandbox', 'store'];
  return entries.filter((entry) => entry.isDirectory() && !others.includes(entry.name)).map(({ name }) => name);
}

afterAll(async () => {
  for (const child of alive) child.kill('SIGKILL');
  await world.close();
  await compiled.remove();
});

/** An agent in a process of its own; resolves when it has looked at the branch. */
async function startProcess(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [join(compiled.folder, 'main.js'), JSON.stringify(world.options)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  alive.add(child);
  if (child.stdout !== null) await once(child.stdout, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
  alive.delete(child);
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
