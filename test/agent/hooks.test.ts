import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningAgent } from '../../src/agent/run.js';
import { collectWrites } from './support/collect-writes.js';
import { eventually } from './support/eventually.js';
import { createWorld, type FileInput, shopManifests, type World } from './support/world.js';

let world: World;
let agent: RunningAgent;

beforeAll(async () => {
  world = await createWorld();
  agent = await world.start();
});

afterAll(() => world.close());

function job(name: string, annotations: Record<string, string>, tag = '1', backoffLimit = 0): string {
  const container = { name: 'job', image: `job:${tag}` };
  return JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    // A name that ends so is left to Mayfly, as many hooks do.
    metadata: { ...(name.endsWith('-') ? { generateName: name } : { name }), annotations },
    spec: { backoffLimit, template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  });
}

const preSync = { 'argocd.argoproj.io/hook': 'PreSync' };
const postSync = { 'argocd.argoproj.io/hook': 'PostSync' };

async function publish(slug: string, files: Record<string, string>, more: Partial<FileInput> = {}): Promise<FileInput> {
  const named = Object.entries(files).map(([name, text]) => [`${slug}/${name}`, text]);
  const sha = await world.pushManifests(Object.fromEntries(named));
  const file = { slug, sha, path: slug, ...more };
  await world.publish({ files: [file] });
  return file;
}

async function healthy(file: FileInput): Promise<void> {
  await world.waitForState(file.slug, 'healthy', { revision: world.revision(file) });
}

const findJob = (slug: string, name: string) => world.find(slug, 'batch/v1', 'Job', name);

test('hooks run before and after the rest, once a revision, also across a restart and a repair', async () => {
  const files = {
    'shop.yaml': shopManifests(),
    'migrate.json': job('migrate', preSync),
    'seed.json': job('seed-', postSync),
  };
  const writes = await collectWrites(world.cluster.client.connection.server, async () => {
    await healthy(await publish('hooked', files));
  });
  const at = (what: string) => writes.findIndex((write) => write.includes(`${world.namespaceOf('hooked')}/${what}`));
  expect(at('jobs')).toBeGreaterThanOrEqual(0);
  const last = writes.findLastIndex((write) => write.includes(`${world.namespaceOf('hooked')}/jobs`));
  for (const kind of ['serviceaccounts', 'configmaps', 'deployments']) {
    expect(at(kind), kind).toBeGreaterThan(at('jobs'));
    expect(at(kind), kind).toBeLessThan(last);
  }
  const [migrated, seeded] = [await findJob('hooked', 'migrate'), await findJob('hooked', 'seed-postsync')];

  const later = await collectWrites(world.cluster.client.connection.server, async () => {
    await agent.stop();
    world.manager.observations.length = 0;
    agent = await world.start();
    await world.waitForState('hooked', 'healthy');
  });
  expect(later).toEqual([]);
  const gone = { apiVersion: 'v1', kind: 'ConfigMap', name: 'site', namespace: world.namespaceOf('hooked') };
  await world.cluster.client.remove(gone);
  await eventually('the repair', () => world.find('hooked', 'v1', 'ConfigMap', 'site'));
  expect((await findJob('hooked', 'migrate'))?.metadata.uid).toBe(migrated?.metadata.uid);

  await healthy(await publish('hooked', { 'shop.yaml': shopManifests({ colour: 'blue' }) }));
  expect((await findJob('hooked', 'migrate'))?.metadata.uid).not.toBe(migrated?.metadata.uid);
  expect(seeded).not.toBeNull();
  expect((await findJob('hooked', 'seed-postsync'))?.metadata.uid).not.toBe(seeded?.metadata.uid);
});

test('a hook that fails fails the preview with what its pod says, and nothing after it is applied', async () => {
  const failing = { ...preSync, 'argocd.argoproj.io/hook-delete-policy': 'HookFailed' };
  const files = { 'shop.yaml': shopManifests(), 'migrate.json': job('migrate', failing, 'fail') };
  const first = await publish('broken', files);
  await world.waitForState('broken', 'degraded', { revision: world.revision(first) });
  const { diagnosis } = world.manager.newest('broken') ?? {};
  expect(diagnosis?.sentence).toContain('PreSync hook Job/migrate failed');
  expect(diagnosis?.cause).toBe('health');
  expect(await world.find('broken', 'apps/v1', 'Deployment', 'shop')).toBeNull();
  await eventually('it is deleted, as its policy says', async () => (await findJob('broken', 'migrate')) === null);

  // Told again after a restart, and not run again.
  await agent.stop();
  world.manager.observations.length = 0;
  agent = await world.start();
  await world.waitForState('broken', 'degraded');
  expect(world.manager.newest('broken')?.diagnosis).toEqual(diagnosis);
  expect(await findJob('broken', 'migrate')).toBeNull();

  await healthy(await publish('broken', { 'migrate.json': job('migrate', failing, '2') }));
});

test('a hook that has run is not run again when what comes after it is refused and the agent is started again', async () => {
  const files = { 'shop.yaml': shopManifests(), 'migrate.json': job('migrate', preSync) };
  const refused = files['shop.yaml'].replace(
    'serviceAccountName: shop',
    'serviceAccountName: shop\n      noSuchField: 1',
  );
  const file = await publish('after', { ...files, 'shop.yaml': refused });
  await world.waitForState('after', 'degraded', { revision: world.revision(file) });
  expect(world.manager.newest('after')?.diagnosis?.object).toBe('Deployment/shop');
  await agent.stop();
  // As the cluster does by itself when a Job has a time to live.
  const reference = { apiVersion: 'batch/v1', kind: 'Job', name: 'migrate', namespace: world.namespaceOf('after') };
  await world.cluster.client.remove(reference);
  await eventually('the hook is gone', async () => (await findJob('after', 'migrate')) === null);
  world.manager.observations.length = 0;
  const writes = await collectWrites(world.cluster.client.connection.server, async () => {
    agent = await world.start();
    await world.waitForState('after', 'degraded');
  });
  expect(writes.filter((write) => write.includes('/jobs'))).toEqual([]);
});

test('a namespace that lost its labels is not taken for a deleted one: no hook runs again', async () => {
  const once = { ...preSync, 'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded' };
  await healthy(await publish('unlabelled', { 'shop.yaml': shopManifests(), 'migrate.json': job('migrate', once) }));
  const namespace = { apiVersion: 'v1', kind: 'Namespace', name: world.namespaceOf('unlabelled') };
  const { labels } = (await world.cluster.client.get(namespace)).metadata;
  const gone = Object.fromEntries(Object.keys(labels ?? {}).map((key) => [key, null]));
  const writes = await collectWrites(world.cluster.client.connection.server, async () => {
    await world.cluster.client.mergePatch(namespace, { metadata: { labels: gone } });
    await eventually('it is told', () =>
      world.manager.newest('unlabelled')?.diagnosis?.sentence.includes('was not made for it'),
    );
    await agent.stop();
    await world.cluster.client.mergePatch(namespace, { metadata: { labels } });
    world.manager.observations.length = 0;
    agent = await world.start();
    await world.waitForState('unlabelled', 'healthy');
  });
  expect(writes.filter((write) => write.includes(`${world.namespaceOf('unlabelled')}/`))).toEqual([]);
});

test('a hook of a newer revision ends the wait for an older one', async () => {
  // No pod of it ever ends.
  const files = { 'shop.yaml': shopManifests(), 'migrate.json': job('migrate', preSync, 'unready') };
  await publish('stuck', files);
  const old = await eventually('the first hook', () => findJob('stuck', 'migrate'));
  await healthy(await publish('stuck', { 'migrate.json': job('migrate', preSync, '2') }));
  expect((await findJob('stuck', 'migrate'))?.metadata.uid).not.toBe(old.metadata.uid);
});

test('Helm’s hooks run in the order of their weights, and go as their policies say', async () => {
  const hook = (weight: string) => ({
    'helm.sh/hook': 'pre-install,pre-upgrade',
    'helm.sh/hook-weight': weight,
    'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
  });
  const map = (name: string, annotations: Record<string, string>) =>
    JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data: { name } });
  const files = {
    'a.json': job('second', hook('5')),
    'b.json': map('first', hook('-5')),
    'c.json': map('rest', {}),
    'd.json': map('checked', { 'helm.sh/hook': 'post-rollback' }),
  };
  const writes = await collectWrites(world.cluster.client.connection.server, async () => {
    await healthy(await publish('helm', files));
  });
  const own = writes.filter((write) => write.includes(world.namespaceOf('helm')) && !write.startsWith('DELETE'));
  const order = own.flatMap((write) => /\/(jobs|configmaps(?=\?)|configmaps\/rest)/.exec(write)?.[1] ?? []);
  expect(order).toEqual(['configmaps', 'jobs', 'configmaps/rest']);
  expect(await findJob('helm', 'second')).toBeNull();
  expect(await world.find('helm', 'v1', 'ConfigMap', 'first')).toBeNull();
  expect(await world.find('helm', 'v1', 'ConfigMap', 'checked')).toBeNull();
  const told = world.manager.newest('helm')?.objects.find(({ name }) => name === 'checked');
  expect(told?.message).toContain('helm.sh/hook: post-rollback is not supported: it is never run');
});

test('what the Application asks for in vain is told by name', async () => {
  const spec = { syncPolicy: { syncOptions: ['Validate=false', 'PruneLast=true', 'ServerSideApply=true'] } };
  await healthy(await publish('asks', { 'shop.yaml': shopManifests() }, { spec }));
  const told = world.manager.newest('asks')?.objects.filter(({ group }) => group === 'argoproj.io');
  expect(told?.map(({ message }) => message)).toEqual([
    'syncOptions: Validate=false is not supported and has no effect',
  ]);
  const jq = [{ kind: 'Deployment', group: 'apps', jqPathExpressions: ['.spec.replicas'] }];
  const refused = await publish('asks', {}, { spec: { ignoreDifferences: jq } });
  await world.waitForState('asks', 'refused', { revision: world.revision(refused) });
  expect(world.manager.newest('asks')?.diagnosis?.sentence).toContain('jqPathExpressions');
});
