import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClusterProxy, startClusterProxy } from './support/cluster-proxy.js';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;
let proxy: ClusterProxy;
let sha: string;

beforeAll(async () => {
  world = await createWorld();
  proxy = await startClusterProxy(world.cluster.client.connection);
  const kubeconfig = join(world.options.dataDir, 'through-the-proxy');
  await proxy.writeKubeconfig(kubeconfig);
  world.options.kubeconfig = { path: kubeconfig };
  await world.start();
  sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests() });
});

afterAll(async () => {
  await world.close();
  await proxy.close();
});

function site(slug: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: 'site', namespace: world.namespaceOf(slug) };
}

const exists = async (slug: string) => (await world.find(slug, 'v1', 'ConfigMap', 'site')) !== null;

async function deploy(slug: string): Promise<void> {
  await world.publish({ files: [{ slug, sha }] });
  await world.waitForState(slug, 'healthy');
}

test('one watch for each kind, however many previews there are', async () => {
  await deploy('first');
  // The namespace and the five kinds of the shop.
  await eventually('all watches', () => proxy.open() === 6);
  await deploy('second');
  expect(proxy.open()).toBe(6);
});

test.each([
  ['a reset', 'never'],
  ['a reset after which the API server has forgotten, told as a status', 'as-status'],
  ['a reset after which the API server has forgotten, told in the stream', 'as-event'],
] as const)('what is deleted while the watches are down is repaired after %s', async (_, gone) => {
  const slug = `gap-${gone}`;
  await deploy(slug);
  const refused = proxy.refused();
  proxy.block();
  await eventually('every watch has tried again', () => proxy.open() === 0 && proxy.blocked() >= 6);
  await world.cluster.client.remove(site(slug));
  proxy.heal(gone);
  await eventually('it is there again', () => exists(slug), 30_000);
  await eventually('all watches', () => proxy.open() === 6);
  expect(proxy.refused() > refused).toBe(gone !== 'never');
  // The watches go on as if nothing had been.
  await world.cluster.client.remove(site(slug));
  await eventually('once more', () => exists(slug), 30_000);
});

test('many resets one after the other lose nothing', async () => {
  await deploy('shaken');
  for (let times = 0; times < 5; times += 1) {
    proxy.cut();
    await world.cluster.client.remove(site('shaken'));
    await eventually('it is there again', () => exists('shaken'), 60_000);
  }
  await world.waitForState('shaken', 'healthy');
});
