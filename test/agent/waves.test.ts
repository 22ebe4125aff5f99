import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningAgent } from '../../src/agent/run.js';
import { collectWrites } from './support/collect-writes.js';
import { eventually } from './support/eventually.js';
import { createWorld, type FileInput, type World } from './support/world.js';

let world: World;
let agent: RunningAgent;

beforeAll(async () => {
  world = await createWorld({ kinds: { allow: ['nowhere.example.com/Widget'], deny: [] } });
  agent = await world.start();
});

afterAll(() => world.close());

function map(name: string, annotations: Record<string, string> = {}, data: Record<string, string> = {}): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data });
}

function deployment(name: string, annotations: Record<string, string>, tag = '1'): string {
  const labels = { app: name };
  return JSON.stringify({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, annotations },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name, image: `${name}:${tag}` }] } },
    },
  });
}

const wave = (number: number) => ({ 'argocd.argoproj.io/sync-wave': String(number) });

async function publish(slug: string, files: Record<string, string>, more: Partial<FileInput> = {}): Promise<FileInput> {
  const named = Object.entries(files).map(([name, text]) => [`${slug}/${name}`, text]);
  const sha = await world.pushManifests(Object.fromEntries(named));
  const file = { slug, sha, path: slug, ...more };
  await world.publish({ files: [file] });
  return file;
}

async function remove(slug: string, names: string[], more: Partial<FileInput> = {}): Promise<FileInput> {
  for (const name of names) await world.shop.git('rm', '--quiet', `${slug}/${name}`);
  return publish(slug, {}, more);
}

async function healthy(file: FileInput): Promise<void> {
  await world.waitForState(file.slug, 'healthy', { revision: world.revision(file) });
}

const findMap = (slug: string, name: string) => world.find(slug, 'v1', 'ConfigMap', name);

test('a wave begins when the one before it is healthy, also when the agent is started again meanwhile', async () => {
  const file = await publish('waves', {
    'a.json': deployment('early', wave(-1), 'slow'),
    'b.json': map('middle'),
    'c.json': deployment('late', wave(2)),
  });
  await eventually('what it waits for is told', () => {
    return world.manager.newest('waves')?.diagnosis?.sentence.includes('waits for Deployment/early');
  });
  expect(world.manager.newest('waves')?.state).toBe('applying');
  expect(await findMap('waves', 'middle')).toBeNull();
  await agent.stop();
  agent = await world.start();
  await healthy(file);
  const early = await world.find('waves', 'apps/v1', 'Deployment', 'early');
  const { conditions = [] } = (early?.status ?? {}) as { conditions?: { type: string; lastTransitionTime: string }[] };
  const available = conditions.find(({ type }) => type === 'Available')?.lastTransitionTime ?? '';
  const middle = await findMap('waves', 'middle');
  expect(Date.parse(String(middle?.metadata.creationTimestamp))).toBeGreaterThanOrEqual(Date.parse(available));
  expect(Date.parse(available)).toBeGreaterThan(0);
});

test('a wave that does not become healthy is blamed, and the next one is not begun', async () => {
  const files = { 'a.json': deployment('base', wave(0), 'missing'), 'b.json': map('next', wave(1)) };
  const file = await publish('held', files);
  await world.waitForState('held', 'degraded', { revision: world.revision(file) });
  expect(JSON.stringify(world.manager.newest('held')?.diagnosis)).toContain('ImagePullBackOff');
  expect(await findMap('held', 'next')).toBeNull();
  await healthy(await publish('held', { 'a.json': deployment('base', wave(0), '2') }));
  expect(await findMap('held', 'next')).not.toBeNull();
});

test('what is to go last goes when the rest is healthy, and what is to stay stays while the preview lives', async () => {
  const options = (value: string) => ({ 'argocd.argoproj.io/sync-options': value });
  const files = {
    'app.json': deployment('app', {}),
    'last.json': map('last', options('PruneLast=true')),
    'kept.json': map('kept', options('Prune=false')),
    'plain.json': map('plain'),
  };
  await healthy(await publish('prune', files));
  await world.shop.write('prune/app.json', deployment('app', {}, 'slow'));
  const file = await remove('prune', ['last.json', 'kept.json', 'plain.json']);
  await eventually('the plain one is gone', async () => (await findMap('prune', 'plain')) === null);
  expect(await findMap('prune', 'last')).not.toBeNull();
  await healthy(file);
  expect(await findMap('prune', 'last')).toBeNull();
  expect(await findMap('prune', 'kept')).not.toBeNull();
  // Deleted by a person, it is nobody's any more.
  await world.cluster.client.remove({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    name: 'kept',
    namespace: world.namespaceOf('prune'),
  });
  world.manager.explanations.set('prune#1', 'merged');
  await world.publish({ remove: ['prune'] });
  await world.waitForState('prune', 'gone');
  expect(await world.namespace('prune')).toBeNull();
});

test('a revision that changes nothing of an object asks the API server nothing about it', async () => {
  await healthy(await publish('same', { 'a.json': map('one', {}, { a: '1' }), 'b.json': map('two', {}, { a: '1' }) }));
  const before = await findMap('same', 'one');
  const writes = await collectWrites(world.cluster.client.connection.server, async () => {
    await healthy(await publish('same', { 'b.json': map('two', {}, { a: '2' }) }));
  });
  const own = writes.filter((write) => write.includes(world.namespaceOf('same')));
  // The one that changed: looked at, then written.
  expect(own.map((write) => /configmaps\/(\w+)/.exec(write)?.[1])).toEqual(['two', 'two']);
  expect(own.map((write) => write.includes('dryRun=All'))).toEqual([true, false]);
  expect((await findMap('same', 'one'))?.metadata.resourceVersion).toBe(before?.metadata.resourceVersion);
});

test('a kind that the cluster does not serve is waited for only where the file says so', async () => {
  const widget = JSON.stringify({ apiVersion: 'nowhere.example.com/v1', kind: 'Widget', metadata: { name: 'w' } });
  await publish('widget', { 'a.json': widget });
  await world.waitForState('widget', 'degraded');
  const spec = { syncPolicy: { syncOptions: ['SkipDryRunOnMissingResource=true'] } };
  const file = await publish('widget', {}, { spec });
  await world.waitForState('widget', 'applying', { revision: world.revision(file) });
  await eventually('what it waits for', () => {
    return world.manager.newest('widget')?.diagnosis?.sentence.includes('waits until the cluster has the kind Widget');
  });
});

test('a field of another program that the file does not name is looked at, and not written over', async () => {
  const files = { 'a.json': map('one', {}, { a: '1' }), 'b.json': map('marker', {}, { a: '1' }) };
  await healthy(await publish('beside', files));
  const path = (name: string) => `/api/v1/namespaces/${world.namespaceOf('beside')}/configmaps/${name}`;
  const writes = await collectWrites(world.cluster.client.connection.server, async () => {
    await patchAs('some-operator', path('one'), { data: { b: 'theirs' } });
    // Changed later, so that once it is set back the other was looked at.
    await patchAs('kubectl-edit', path('marker'), { data: { a: '2' } });
    await eventually('the marker is set back', async () => {
      const { a } = ((await findMap('beside', 'marker'))?.data ?? {}) as { a?: string };
      return a === '1';
    });
  });
  const own = writes.filter((write) => write.includes(path('one')) && write.includes('fieldManager=mayfly'));
  expect(own.length).toBeGreaterThan(0);
  expect(own.filter((write) => !write.includes('dryRun=All'))).toEqual([]);
  expect((await findMap('beside', 'one'))?.data).toEqual({ a: '1', b: 'theirs' });
});

async function patchAs(manager: string, path: string, body: unknown): Promise<void> {
  const answer = await world.cluster.client.connection.send({
    method: 'PATCH',
    path: `${path}?fieldManager=${manager}`,
    contentType: 'application/merge-patch+json',
    body,
    timeoutMs: 5_000,
  });
  await answer.body.dump();
}
