import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { type ApiClient, connect, type Json } from './api-client.js';
import { configMap, deployment, namespace } from './manifests.js';

let cluster: Cluster;
let client: ApiClient;
let count = 0;
let map = '';
let web = '';

beforeAll(async () => {
  cluster = await startCluster();
  client = connect(cluster);
});
beforeEach(async () => {
  count += 1;
  await client.call('POST', '/api/v1/namespaces', namespace(`n${count}`));
  map = `/api/v1/namespaces/n${count}/configmaps/map`;
  web = `/apis/apps/v1/namespaces/n${count}/deployments/web`;
});
afterAll(async () => {
  client.close();
  await cluster.close();
});

const containers = (body: Json) => body.spec?.template?.spec?.containers as unknown as Json[];

describe('server-side apply', () => {
  it('makes an object, and makes nothing of the same again', async () => {
    const made = await client.apply(map, configMap('map', { a: '1' }));
    const again = await client.apply(map, configMap('map', { a: '1' }));
    expect([made.code, again.code]).toEqual([201, 200]);
    expect(again.body).toEqual(made.body);
  });

  it('removes what the same manager no longer names, and leaves what others set', async () => {
    await client.apply(map, configMap('map', { a: '1', b: '1' }), 'mayfly');
    await client.apply(map, configMap('map', { c: '1', b: '1' }), 'somebody');
    await client.call('PATCH', map, { data: { d: '1' } }, { 'content-type': 'application/merge-patch+json' });
    const after = await client.apply(map, configMap('map', { a: '2' }), 'mayfly');
    expect(after.body.data).toEqual({ a: '2', b: '1', c: '1', d: '1' });
  });

  it('does not remember a dry run', async () => {
    await client.apply(map, configMap('map', { a: '1', b: '1' }));
    const path = `${map}?dryRun=All&fieldManager=test`;
    await client.call('PATCH', path, configMap('map', { a: '1' }), { 'content-type': 'application/apply-patch+yaml' });
    const after = await client.apply(map, configMap('map', { a: '1' }));
    expect(after.body.data).toEqual({ a: '1' });
  });

  it('merges containers, ports and variables by their keys', async () => {
    const spec = (list: unknown[]) => ({
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: list } },
    });
    const variables = [
      { name: 'A', value: '1' },
      { name: 'B', value: '1' },
    ];
    const main = { name: 'main', image: 'x:1', env: variables, ports: [{ containerPort: 80 }] };
    await client.apply(web, deployment('web', 'x:1', spec([main, { name: 'side', image: 'y:1' }])));
    await client.apply(
      web,
      deployment('web', 'x:1', spec([{ name: 'main', env: [{ name: 'C', value: '1' }], image: 'x:1' }])),
      'injector',
    );
    const next = { name: 'main', image: 'x:2', env: [{ name: 'B', value: '2' }] };
    const after = await client.apply(web, deployment('web', 'x:2', spec([next])));
    const [only, ...others] = containers(after.body);
    expect(others).toEqual([]);
    expect(only?.image).toBe('x:2');
    expect(only?.ports).toBeUndefined();
    expect(only?.env).toEqual([
      { name: 'B', value: '2' },
      { name: 'C', value: '1' },
    ]);
  });

  it('replaces selectors and other lists as a whole', async () => {
    const service = (spec: Record<string, unknown>) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec,
    });
    const path = map.replace('configmaps/map', 'services/s');
    await client.apply(path, service({ selector: { app: 'a', tier: 'x' }, ports: [{ name: 'a', port: 80 }] }), 'one');
    const after = await client.apply(
      path,
      service({ selector: { app: 'b' }, ports: [{ name: 'b', port: 81 }] }),
      'two',
    );
    expect(after.body.spec?.selector).toEqual({ app: 'b' });
    const ports = after.body.spec?.ports as unknown as Json[];
    expect(ports.map((port) => port.port)).toEqual([80, 81]);
  });

  it('keeps the defaults of what it never named, and gives them back for what it drops', async () => {
    await client.apply(web, deployment('web', 'x:1', { replicas: 3 }));
    const after = await client.apply(web, deployment('web', 'x:1'));
    expect(after.body.spec?.replicas).toBe(1);
    expect(after.body.spec?.strategy?.type).toBe('RollingUpdate');
  });
});

describe('patches', () => {
  it('merges strategically as kubectl asks', async () => {
    await client.call('POST', web.replace(/\/web$/, ''), deployment('web', 'x:1'));
    const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
    const side = { spec: { template: { spec: { containers: [{ name: 'side', image: 'y:1' }] } } } };
    const added = await client.call('PATCH', web, side, strategic);
    expect(containers(added.body).map((container) => container.name)).toEqual(['main', 'side']);
    const gone = { spec: { template: { spec: { containers: [{ name: 'main', $patch: 'delete' }] } } } };
    const removed = await client.call('PATCH', web, gone, strategic);
    expect(containers(removed.body).map((container) => container.name)).toEqual(['side']);
  });

  it('obeys the order, the kept keys and the deleted scalars of a strategic patch', async () => {
    await client.call('POST', web.replace(/\/web$/, ''), deployment('web', 'x:1'));
    const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
    const patch = {
      metadata: { finalizers: ['example.com/a', 'example.com/b'] },
      spec: {
        strategy: { $retainKeys: ['type'], type: 'Recreate' },
        template: {
          spec: {
            '$setElementOrder/containers': [{ name: 'first' }, { name: 'main' }],
            containers: [{ name: 'first', image: 'y:1' }],
          },
        },
      },
    };
    const after = await client.call('PATCH', web, patch, strategic);
    expect(containers(after.body).map((container) => container.name)).toEqual(['first', 'main']);
    expect(after.body.spec?.strategy).toEqual({ type: 'Recreate' });
    const drop = { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] } };
    const dropped = await client.call('PATCH', web, drop, strategic);
    expect(dropped.body.metadata?.finalizers).toEqual(['example.com/b']);
  });

  it.each([
    [[{ op: 'add', path: '/data/x~1y', value: '1' }], { a: '1', 'x/y': '1' }],
    [[{ op: 'replace', path: '/data/a', value: '2' }], { a: '2' }],
    [
      [
        { op: 'copy', from: '/data/a', path: '/data/b' },
        { op: 'remove', path: '/data/a' },
      ],
      { b: '1' },
    ],
    [[{ op: 'move', from: '/data/a', path: '/data/c' }], { c: '1' }],
  ])('runs the JSON patch %j', async (patch, data) => {
    await client.apply(map, configMap('map', { a: '1' }));
    const after = await client.call('PATCH', map, patch, { 'content-type': 'application/json-patch+json' });
    expect(after.body.data).toEqual(data);
  });
});
