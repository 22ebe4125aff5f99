import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/kube-object.js';
import { watchObjects } from '../../src/kube/watch.js';
import { eventually } from '../agent/support/eventually.js';
import { openTestCluster, realKubeconfig, type TestCluster } from '../support/cluster.js';

let cluster: TestCluster;
const namespace = `kube-${randomBytes(4).toString('hex')}`;

beforeAll(async () => {
  cluster = await openTestCluster();
  await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
});

afterAll(async () => {
  await cluster.client.remove({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
  await cluster.close();
});

function map(name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): KubeObject {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, labels }, data };
}

function reference(name: string) {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, namespace };
}

test('an object that is applied comes back whole, and applying it again changes nothing', async () => {
  const first = await cluster.client.apply(map('applied', { a: '1' }));
  const second = await cluster.client.apply(map('applied', { a: '1' }));
  expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
  expect(await cluster.client.get(reference('applied'))).toMatchObject({ kind: 'ConfigMap', data: { a: '1' } });
});

test('a dry run writes nothing', async () => {
  await cluster.client.apply(map('dry'), { dryRun: true });
  await expect(cluster.client.get(reference('dry'))).rejects.toMatchObject({ code: 'kube-not-found' });
});

test('refusals are told apart, in the API server’s own words', async () => {
  await cluster.client.create(map('refusals'));
  await expect(cluster.client.create(map('refusals'))).rejects.toMatchObject({ code: 'kube-already-exists' });
  await expect(cluster.client.get(reference('none'))).rejects.toMatchObject({
    code: 'kube-not-found',
    disposition: 'stall',
    data: { words: 'configmaps "none" not found', status: 404, reason: 'NotFound' },
  });
  await expect(cluster.client.create(map('Not_A_Name'))).rejects.toMatchObject({ code: 'kube-invalid' });
  await expect(cluster.client.apply({ ...map('field'), datta: {} })).rejects.toMatchObject({ code: 'kube-invalid' });
  await expect(
    cluster.client.get({ apiVersion: 'example.com/v1', kind: 'Widget', name: 'a', namespace }),
  ).rejects.toMatchObject({ code: 'kube-unknown-kind' });
  await expect(
    cluster.client.get({ apiVersion: '../../v1', kind: 'Secret', name: 'a', namespace }),
  ).rejects.toMatchObject({ code: 'kube-unknown-kind' });
});

test('only the very object that was meant is deleted', async () => {
  const { uid, resourceVersion } = (await cluster.client.create(map('meant'))).metadata;
  const wrongUid = { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } };
  await expect(cluster.client.remove(reference('meant'), wrongUid)).rejects.toMatchObject({ code: 'kube-conflict' });
  await cluster.client.mergePatch(reference('meant'), { data: { b: '2' } });
  const preconditions = { uid: uid ?? '', resourceVersion: resourceVersion ?? '' };
  await expect(cluster.client.remove(reference('meant'), { preconditions })).rejects.toMatchObject({
    code: 'kube-conflict',
  });
  await cluster.client.remove(reference('meant'), { preconditions: { uid: uid ?? '' } });
  await expect(cluster.client.get(reference('meant'))).rejects.toMatchObject({ code: 'kube-not-found' });
});

test('a write for another version of the object is a conflict', async () => {
  await cluster.client.create(map('versioned'));
  await expect(
    cluster.client.mergePatch(reference('versioned'), { metadata: { resourceVersion: '1' }, data: { a: 'b' } }),
  ).rejects.toMatchObject({ code: 'kube-conflict', disposition: 'retry' });
});

test('a list has all that match, over all its pages', async () => {
  const names = Array.from({ length: 7 }, (_, index) => `listed-${index}`);
  for (const name of names) await cluster.client.create(map(name, {}, { listed: 'yes' }));
  const query = { apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector: 'listed=yes' };
  const { items } = await cluster.client.list(query);
  expect(items.map(({ metadata }) => metadata.name).sort()).toEqual(names);
  expect(items.every(({ kind, apiVersion }) => kind === 'ConfigMap' && apiVersion === 'v1')).toBe(true);
  expect((await cluster.client.list({ ...query, limit: 3 })).items).toHaveLength(3);
});

test('a watch tells what there is, what changes and what goes, until it is ended', async () => {
  const labels = { watched: 'yes' };
  await cluster.client.create(map('watched-0', { a: '0' }, labels));
  const seen: string[] = [];
  const control = new AbortController();
  const watching = watchObjects(
    cluster.client,
    { apiVersion: 'v1', kind: 'ConfigMap', namespace: null, labelSelector: 'watched=yes' },
    {
      replaced: (objects) => void seen.push(...objects.map(({ metadata }) => `listed ${metadata.name}`)),
      changed: ({ metadata, data }) => void seen.push(`changed ${metadata.name} ${JSON.stringify(data)}`),
      deleted: ({ metadata }) => void seen.push(`deleted ${metadata.name}`),
    },
    control.signal,
  );
  await eventually('the list', () => seen.includes('listed watched-0'));
  await cluster.client.create(map('watched-1', { a: '1' }, labels));
  await cluster.client.mergePatch(reference('watched-1'), { data: { a: '2' } });
  await cluster.client.create(map('unwatched'));
  await cluster.client.remove(reference('watched-0'));
  await eventually('the deletion', () => seen.includes('deleted watched-0'));
  expect(seen).toEqual([
    'listed watched-0',
    'changed watched-1 {"a":"1"}',
    'changed watched-1 {"a":"2"}',
    'deleted watched-0',
  ]);
  control.abort();
  await watching;
});

test('a call that is cancelled ends with the reason of its signal', async () => {
  const reason = new Error('no longer wanted');
  await expect(cluster.client.get(reference('a'), AbortSignal.abort(reason))).rejects.toBe(reason);
});

describe.skipIf(realKubeconfig === null)('on a real API server', () => {
  test('a field that another manager holds is a conflict that names it, and force takes it', async () => {
    await cluster.client.apply(map('held', { a: '1' }));
    const answer = await cluster.client.connection.send({
      method: 'PATCH',
      path: `/api/v1/namespaces/${namespace}/configmaps/held?fieldManager=somebody`,
      contentType: 'application/merge-patch+json',
      body: { data: { a: '2' } },
      timeoutMs: 5_000,
    });
    await answer.body.dump();
    const conflict = await cluster.client.apply(map('held', { a: '1' })).catch((error: unknown) => error);
    expect(conflict).toMatchObject({
      code: 'kube-conflict',
      data: { causes: [{ reason: 'FieldManagerConflict', message: expect.stringContaining('"somebody"') }] },
    });
    expect(await cluster.client.apply(map('held', { a: '1' }), { force: true })).toMatchObject({ data: { a: '1' } });
  });

  test('an object in a namespace that is being deleted is refused with that cause', async () => {
    const name = `${namespace}-going`;
    await cluster.client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    const held = { ...map('held'), metadata: { name: 'held', namespace: name, finalizers: ['test.example.com/hold'] } };
    await cluster.client.create(held);
    await cluster.client.remove({ apiVersion: 'v1', kind: 'Namespace', name });
    const late = { ...map('late'), metadata: { name: 'late', namespace: name } };
    await expect(cluster.client.apply(late)).rejects.toMatchObject({
      code: 'kube-forbidden',
      data: { causes: [{ reason: 'NamespaceTerminating' }] },
    });
    await cluster.client.mergePatch({ ...reference('held'), namespace: name }, { metadata: { finalizers: null } });
  });
});
