import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningAgent } from '../../src/agent/run.js';
import { collectWrites } from './support/collect-writes.js';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;
let agent: RunningAgent;

beforeAll(async () => {
  world = await createWorld();
  agent = await world.start();
});

afterAll(() => world.close());

test('a new file becomes a namespace with its objects, and is reported healthy', async () => {
  const sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests() });
  const file = { slug: 'shop-1', sha };
  const head = await world.publish({ files: [file] });
  await world.waitForState('shop-1', 'healthy', { revision: world.revision(file) });

  const namespace = await world.namespace('shop-1');
  expect(namespace?.metadata.labels).toMatchObject({
    'mayfly.dev/installation': world.installation,
    'mayfly.dev/preview': 'shop-1',
    'mayfly.dev/incarnation': '1',
    'pod-security.kubernetes.io/enforce': 'baseline',
    'pod-security.kubernetes.io/warn': 'restricted',
  });
  for (const [apiVersion, kind, name] of [
    ['v1', 'ServiceAccount', 'shop'],
    ['v1', 'ConfigMap', 'site'],
    ['v1', 'Secret', 'settings'],
    ['v1', 'Service', 'shop'],
    ['apps/v1', 'Deployment', 'shop'],
  ] as const) {
    const found = await world.find('shop-1', apiVersion, kind, name);
    expect(found?.metadata.labels, `${kind}/${name}`).toMatchObject({ 'mayfly.dev/preview': 'shop-1' });
  }
  const observation = world.manager.newest('shop-1');
  expect(observation).toMatchObject({ branchCommit: head, incarnation: 1, diagnosis: null });
  expect(observation?.objects.map(({ kind, health }) => `${kind} ${health}`).sort()).toEqual([
    'ConfigMap Healthy',
    'Deployment Healthy',
    'Secret Healthy',
    'Service Healthy',
    'ServiceAccount Healthy',
  ]);
});

test('a new revision is applied, what it no longer asks for is removed, and nothing else is', async () => {
  const worker = shopManifests().replaceAll('name: shop}', 'name: worker}').split('---')[4] ?? '';
  const first = await world.pushManifests({ 'prune/shop.yaml': shopManifests(), 'prune/worker.yaml': worker });
  await world.publish({ files: [{ slug: 'shop-2', sha: first, path: 'prune' }] });
  await world.waitForState('shop-2', 'healthy');
  expect(await world.find('shop-2', 'apps/v1', 'Deployment', 'worker')).not.toBeNull();
  await world.cluster.client.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'of-a-person', namespace: world.namespaceOf('shop-2') },
  });

  await world.shop.git('rm', '--quiet', 'prune/worker.yaml');
  const second = await world.pushManifests({ 'prune/shop.yaml': shopManifests({ colour: 'blue' }) });
  const file = { slug: 'shop-2', sha: second, path: 'prune' };
  await world.publish({ files: [file] });
  await world.waitForState('shop-2', 'healthy', { revision: world.revision(file) });
  await eventually('the worker is gone', async () => {
    const worker = await world.find('shop-2', 'apps/v1', 'Deployment', 'worker');
    return worker === null || worker.metadata.deletionTimestamp !== undefined;
  });
  expect((await world.find('shop-2', 'v1', 'ConfigMap', 'site'))?.data).toEqual({ colour: 'blue' });
  expect(await world.find('shop-2', 'v1', 'ConfigMap', 'of-a-person')).not.toBeNull();
});

test('what a finalizer holds is in the inventory until it is gone, and holds the revision up in nothing', async () => {
  const old = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: held}\n';
  const first = await world.pushManifests({ 'held/shop.yaml': shopManifests(), 'held/old.yaml': old });
  await world.publish({ files: [{ slug: 'held', sha: first, path: 'held' }] });
  await world.waitForState('held', 'healthy');
  const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'held', namespace: world.namespaceOf('held') };
  await world.cluster.client.mergePatch(reference, { metadata: { finalizers: ['test.example.com/hold'] } });
  await world.shop.git('rm', '--quiet', 'held/old.yaml');
  const file = { slug: 'held', sha: await world.pushManifests({}), path: 'held' };
  await world.publish({ files: [file] });
  await world.waitForState('held', 'healthy', { revision: world.revision(file) });
  const listed = async () => {
    const { items } = await world.cluster.client.list({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      namespace: world.options.agentNamespace,
      labelSelector: 'mayfly.dev/memory=inventory,mayfly.dev/preview=held',
    });
    return JSON.stringify(items).includes('\\"name\\":\\"held\\"');
  };
  expect(await listed()).toBe(true);
  expect((await world.cluster.client.get(reference)).metadata.deletionTimestamp).toBeDefined();
  await world.cluster.client.mergePatch(reference, { metadata: { finalizers: null } });
  await eventually('it is forgotten', async () => !(await listed()));
});

test('an agent that is started again writes nothing where nothing differs', async () => {
  const sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests() });
  await world.publish({ files: [{ slug: 'shop-3', sha }] });
  await world.waitForState('shop-3', 'healthy');
  const before = await versions('shop-3');
  const writes = await collectWrites(world.cluster.client.connection.server, async () => {
    for (let restarts = 0; restarts < 3; restarts += 1) {
      await agent.stop();
      world.manager.observations.length = 0;
      agent = await world.start();
      await world.waitForState('shop-3', 'healthy');
    }
  });
  expect(writes).toEqual([]);
  expect(await versions('shop-3')).toEqual(before);
});

test('a preview that is refused, or whose source is missing, holds up no other', async () => {
  const sha = await world.pushManifests({
    'role/shop.yaml': `${shopManifests()}---\napiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: all}\nrules: []\n`,
    'deploy/shop.yaml': shopManifests(),
    'broken/field.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndatta: {}\n',
  });
  await world.publish({
    files: [
      { slug: 'bad-fence', sha, path: 'role' },
      { slug: 'bad-path', sha, path: 'nowhere' },
      { slug: 'bad-sha', sha: 'f'.repeat(40) },
      { slug: 'bad-field', sha, path: 'broken' },
      { slug: 'bad-repository', sha, repository: 'https://elsewhere.example.com/x/y.git' },
      { slug: 'good', sha },
    ],
  });
  await world.waitForState('good', 'healthy');
  await world.waitForState('bad-fence', 'refused');
  await world.waitForState('bad-path', 'refused');
  await world.waitForState('bad-sha', 'refused');
  await world.waitForState('bad-repository', 'refused');
  await world.waitForState('bad-field', 'degraded');
  const causes = ['bad-fence', 'bad-path', 'bad-sha', 'bad-repository', 'bad-field'].map(
    (slug) => world.manager.newest(slug)?.diagnosis?.cause,
  );
  expect(causes).toEqual(['fence', 'source', 'source', 'source', 'apply']);
  expect(world.manager.newest('bad-fence')?.diagnosis?.sentence).toContain('Role/all');
  // Refused as a whole: not even the namespace was made.
  expect(await world.namespace('bad-fence')).toBeNull();
});

test('a namespace that somebody else made is refused and left as it is', async () => {
  const name = world.namespaceOf('taken');
  await world.cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const before = await world.namespace('taken');
  const sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests() });
  await world.publish({ files: [{ slug: 'taken', sha }] });
  await world.waitForState('taken', 'degraded');
  expect(world.manager.newest('taken')?.diagnosis?.sentence).toContain(`namespace ${name} exists`);
  expect(await world.namespace('taken')).toEqual(before);
  expect(await world.find('taken', 'v1', 'ConfigMap', 'site')).toBeNull();
  // And when its file goes, the namespace stays: it was never ours.
  world.manager.explanations.set('taken#1', 'merged');
  await world.publish({ remove: ['taken'] });
  await world.waitForState('taken', 'gone');
  expect((await world.namespace('taken'))?.metadata.deletionTimestamp).toBeUndefined();
});

test('manifests may be JSON, of several documents, a List, and in folders', async () => {
  const map = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { name } });
  const sha = await world.pushManifests({
    'many/a.json': JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [map('one'), map('two')] }),
    'many/b.yml': `${JSON.stringify(map('three'))}\n---\n# nothing\n---\n${JSON.stringify(map('four'))}\n`,
    'many/sub/deep/c.yaml': JSON.stringify(map('five')),
    'many/readme.md': 'not a manifest',
  });
  await world.publish({
    files: [
      { slug: 'flat', sha, path: 'many' },
      { slug: 'deep', sha, path: './many/', recurse: true },
    ],
  });
  await world.waitForState('flat', 'healthy');
  await world.waitForState('deep', 'healthy');
  const names = (slug: string) =>
    world.manager
      .newest(slug)
      ?.objects.map(({ name }) => name)
      .sort();
  expect(names('flat')).toEqual(['four', 'one', 'three', 'two']);
  expect(names('deep')).toEqual(['five', 'four', 'one', 'three', 'two']);
});

test('a preview that is declared asleep has no pods and is suspended', async () => {
  const sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests({ replicas: 2 }) });
  await world.publish({ files: [{ slug: 'sleepy', sha }] });
  await world.waitForState('sleepy', 'healthy');
  await world.publish({ files: [{ slug: 'sleepy', sha, asleep: true }] });
  await world.waitForState('sleepy', 'suspended');
  const deployment = await world.find('sleepy', 'apps/v1', 'Deployment', 'shop');
  expect(deployment?.spec).toMatchObject({ replicas: 0 });
});

async function versions(slug: string): Promise<Record<string, string | undefined>> {
  const found = await Promise.all(
    ['ConfigMap', 'Secret', 'Service', 'ServiceAccount'].map((kind) =>
      world.cluster.client.list({ apiVersion: 'v1', kind, namespace: world.namespaceOf(slug) }),
    ),
  );
  const deployment = await world.find(slug, 'apps/v1', 'Deployment', 'shop');
  const inventories = await world.cluster.client.list({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace: world.options.agentNamespace,
    labelSelector: `mayfly.dev/memory=inventory,mayfly.dev/preview=${slug}`,
  });
  const all = [...found.flatMap(({ items }) => items), ...inventories.items, await world.namespace(slug)];
  return {
    generation: String(deployment?.metadata.generation),
    ...Object.fromEntries(
      all.map((object) => [`${object?.kind}/${object?.metadata.name}`, object?.metadata.resourceVersion]),
    ),
  };
}
