import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectWrites } from '../agent/support/collect-writes.js';
import { eventually } from '../agent/support/eventually.js';
import { createWorld, type FileInput, type World } from '../agent/support/world.js';
import { realKubeconfig } from '../support/cluster.js';

/** Ownership of fields, immutable fields and dry runs, which only the real API server has. */
describe.skipIf(realKubeconfig === null)('sync on a real API server', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld();
    await world.start();
  });

  afterAll(() => world?.close());

  async function publish(slug: string, objects: object[], spec: Record<string, unknown> = {}): Promise<FileInput> {
    const text = objects.map((each) => JSON.stringify(each)).join('\n---\n');
    const sha = await world.pushManifests({ [`${slug}/all.yaml`]: text });
    const file = { slug, sha, path: slug, spec };
    await world.publish({ files: [file] });
    return file;
  }

  const reached = (file: FileInput, state: string) =>
    world.waitForState(file.slug, state, { revision: world.revision(file) });

  async function patchAs(manager: string, path: string, body: unknown): Promise<void> {
    const answer = await world.cluster.client.connection.send({
      method: 'PATCH',
      path: `${path}?fieldManager=${manager}`,
      contentType: 'application/merge-patch+json',
      body,
      timeoutMs: 5_000,
    });
    await answer.body.dump();
    expect(answer.statusCode).toBe(200);
  }

  function deployment(replicas: number, annotations: Record<string, string> = {}) {
    const labels = { app: 'web' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'web', image: 'web:1' }] } };
    const metadata = { name: 'web', annotations };
    return {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: { replicas, selector: { matchLabels: labels }, template },
    };
  }

  const job = (tag: string, annotations: Record<string, string> = {}) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'seed', annotations },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'seed', image: `seed:${tag}` }] } } },
  });

  const map = (data: Record<string, string>, annotations: Record<string, string> = {}, name = 'site') => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, annotations },
    data,
  });

  const replicasOf = async (slug: string) =>
    ((await world.find(slug, 'apps/v1', 'Deployment', 'web'))?.spec as { replicas?: number } | undefined)?.replicas;

  test('an immutable field: refused with its name, and nothing else of the revision is written', async () => {
    await reached(await publish('immutable', [job('1'), map({ a: '1' })]), 'healthy');
    const before = await world.find('immutable', 'batch/v1', 'Job', 'seed');
    const file = await publish('immutable', [job('2'), map({ a: '2' })]);
    await reached(file, 'degraded');
    const { diagnosis } = world.manager.newest('immutable') ?? {};
    expect(diagnosis).toMatchObject({ cause: 'apply', object: 'Job/seed' });
    expect(diagnosis?.sentence).toMatch(/immutable \(spec\.template: .*Replace=true/);
    expect((await world.find('immutable', 'batch/v1', 'Job', 'seed'))?.metadata.uid).toBe(before?.metadata.uid);
    expect((await world.find('immutable', 'v1', 'ConfigMap', 'site'))?.data).toEqual({ a: '1' });
  });

  test('with Replace=true, on the object or the Application, it is deleted and made again', async () => {
    const annotated = { 'argocd.argoproj.io/sync-options': 'Replace=true' };
    await reached(await publish('replace', [job('1', annotated)]), 'healthy');
    const first = await world.find('replace', 'batch/v1', 'Job', 'seed');
    await reached(await publish('replace', [job('2', annotated)]), 'healthy');
    const second = await world.find('replace', 'batch/v1', 'Job', 'seed');
    expect(second?.metadata.uid).not.toBe(first?.metadata.uid);
    await reached(await publish('replace', [job('3')], { syncPolicy: { syncOptions: ['Replace=true'] } }), 'healthy');
    const third = await world.find('replace', 'batch/v1', 'Job', 'seed');
    expect(third?.metadata.uid).not.toBe(second?.metadata.uid);
    expect(JSON.stringify(third?.spec)).toContain('seed:3');
  });

  test('a field that another program holds is taken only where the object says so', async () => {
    await reached(await publish('forced', [map({ a: '1' })]), 'healthy');
    const path = `/api/v1/namespaces/${world.namespaceOf('forced')}/configmaps/site`;
    await patchAs('some-operator', path, { data: { a: 'operator' } });
    await world.waitForState('forced', 'degraded');
    expect(world.manager.newest('forced')?.diagnosis?.sentence).toContain('.data.a is held by some-operator');
    await reached(await publish('forced', [map({ a: '2' }, { 'mayfly.dev/force-conflicts': 'true' })]), 'healthy');
    expect((await world.find('forced', 'v1', 'ConfigMap', 'site'))?.data).toEqual({ a: '2' });
  });

  test.each([
    ['without', {}],
    ['with', { syncPolicy: { syncOptions: ['RespectIgnoreDifferences=true'] } }],
  ])('replicas that an autoscaler set are not fought over, %s RespectIgnoreDifferences', async (name, policy) => {
    const slug = `scaled-${name}`;
    const spec = {
      ...policy,
      ignoreDifferences: [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }],
    };
    await reached(await publish(slug, [deployment(1)], spec), 'healthy');
    const path = `/apis/apps/v1/namespaces/${world.namespaceOf(slug)}/deployments/web`;
    const writes = await collectWrites(world.cluster.client.connection.server, async () => {
      await patchAs('some-autoscaler', `${path}/scale`, { spec: { replicas: 3 } });
      await eventually('all three', async () => {
        const status = (await world.find(slug, 'apps/v1', 'Deployment', 'web'))?.status as { readyReplicas?: number };
        return status?.readyReplicas === 3;
      });
    });
    const own = writes.filter((write) => write.includes(path) && write.includes('fieldManager=mayfly'));
    expect(own.filter((write) => !write.includes('dryRun=All'))).toEqual([]);
    // A new revision changes the rest, and leaves them as they are.
    const changed = deployment(1, { note: 'changed' });
    await reached(await publish(slug, [changed], spec), 'healthy');
    expect(await replicasOf(slug)).toBe(3);
    const found = await world.find(slug, 'apps/v1', 'Deployment', 'web');
    expect(found?.metadata.annotations).toMatchObject({ note: 'changed' });
    // What a person set by hand is ignored as well.
    await patchAs('kubectl', `${path}/scale`, { spec: { replicas: 2 } });
    await reached(await publish(slug, [deployment(1, { note: 'again' })], spec), 'healthy');
    expect(await replicasOf(slug)).toBe(2);
  });

  test('fields of a named manager are ignored; without the rule the same is a conflict', async () => {
    const spec = { ignoreDifferences: [{ kind: 'ConfigMap', managedFieldsManagers: ['some-operator'] }] };
    await reached(await publish('managed', [map({ a: '1', b: '1' })], spec), 'healthy');
    const path = `/api/v1/namespaces/${world.namespaceOf('managed')}/configmaps/site`;
    await patchAs('some-operator', path, { data: { a: 'operator' } });
    await reached(await publish('managed', [map({ a: '1', b: '2' })], spec), 'healthy');
    expect((await world.find('managed', 'v1', 'ConfigMap', 'site'))?.data).toEqual({ a: 'operator', b: '2' });
    await reached(await publish('managed', [map({ a: '1', b: '3' })]), 'degraded');
  });

  test('a key that is taken out of a secret’s stringData is gone', async () => {
    const secret = (stringData: Record<string, string>) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'key' },
      stringData,
    });
    await reached(await publish('texts', [secret({ a: 'one', b: 'two' })]), 'healthy');
    await reached(await publish('texts', [secret({ a: 'three' })]), 'healthy');
    const data = (await world.find('texts', 'v1', 'Secret', 'key'))?.data;
    expect(data).toEqual({ a: Buffer.from('three').toString('base64') });
  });

  test('an object that somebody made there before is taken over only where nobody is in the way', async () => {
    await reached(await publish('theirs', [map({ a: '1' }, {}, 'other')]), 'healthy');
    const namespace = world.namespaceOf('theirs');
    const path = `/api/v1/namespaces/${namespace}/configmaps?fieldManager=some-operator`;
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'site' }, data: { a: 'theirs' } };
    const answer = await world.cluster.client.connection.send({ method: 'POST', path, body, timeoutMs: 5_000 });
    await answer.body.dump();
    await reached(await publish('theirs', [map({ a: '1' }, {}, 'other'), map({ a: 'ours' })]), 'degraded');
    expect(world.manager.newest('theirs')?.diagnosis?.sentence).toContain('some-operator');
    expect((await world.find('theirs', 'v1', 'ConfigMap', 'site'))?.data).toEqual({ a: 'theirs' });
    await reached(await publish('theirs', [map({ a: '1' }, {}, 'other'), map({ a: 'theirs' })]), 'healthy');
  });
});
