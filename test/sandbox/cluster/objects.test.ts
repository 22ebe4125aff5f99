import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { type ApiClient, connect, type Json } from './api-client.js';
import { configMap, deployment, namespace } from './manifests.js';

let cluster: Cluster;
let client: ApiClient;
const maps = '/api/v1/namespaces/demo/configmaps';
const deployments = '/apis/apps/v1/namespaces/demo/deployments';
const items = (body: Json) => body.items as unknown as Json[];
const names = (body: Json) => items(body).map((item) => item.metadata?.name);

beforeAll(async () => {
  cluster = await startCluster();
  client = connect(cluster);
  await client.call('POST', '/api/v1/namespaces', namespace('demo'));
});
afterAll(async () => {
  client.close();
  await cluster.close();
});

describe('access', () => {
  it('refuses a request without the token, but answers probes', async () => {
    const headers = { authorization: 'Bearer wrong' };
    const refused = await client.call('GET', '/api/v1/pods', undefined, headers);
    expect([refused.code, refused.body.reason]).toEqual([401, 'Unauthorized']);
    const probe = await client.call('GET', '/readyz', undefined, headers);
    expect([probe.code, probe.text]).toEqual([200, 'ok']);
  });

  it('tells what it serves in both forms of discovery', async () => {
    const plain = await client.call('GET', '/apis/apps/v1');
    const resources = plain.body.resources as unknown as Json[];
    expect(resources.map((resource) => resource.name)).toContain('deployments/scale');
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
    const whole = await client.call('GET', '/apis', undefined, { accept });
    expect(whole.body.kind).toBe('APIGroupDiscoveryList');
    expect(items(whole.body).map((group) => group.metadata?.name)).toContain('batch');
  });
});

describe('writes', () => {
  it('creates with uid, time and a new resource version', async () => {
    const first = await client.call('POST', maps, configMap('one', { a: '1' }));
    const second = await client.call('POST', maps, configMap('two'));
    expect(first.code).toBe(201);
    expect(first.body.metadata?.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(Number(second.body.metadata?.resourceVersion)).toBeGreaterThan(Number(first.body.metadata?.resourceVersion));
  });

  it('lets only one of two writers from the same state win', async () => {
    const read = await client.call('POST', maps, configMap('raced'));
    const won = await client.call('PUT', `${maps}/raced`, { ...read.body, data: { by: 'first' } });
    const lost = await client.call('PUT', `${maps}/raced`, { ...read.body, data: { by: 'second' } });
    expect([won.code, lost.code, lost.body.reason]).toEqual([200, 409, 'Conflict']);
    expect((await client.call('GET', `${maps}/raced`)).body.data).toEqual({ by: 'first' });
  });

  it('does not raise the resource version for a write that changes nothing', async () => {
    const read = await client.call('POST', maps, configMap('same', { a: '1' }));
    const again = await client.call('PUT', `${maps}/same`, { ...read.body });
    expect(again.body.metadata?.resourceVersion).toBe(read.body.metadata?.resourceVersion);
  });

  it('raises the generation when the spec changes, and only then', async () => {
    await client.call('POST', deployments, deployment('gen', 'x:1'));
    const merge = { 'content-type': 'application/merge-patch+json' };
    const labelled = await client.call('PATCH', `${deployments}/gen`, { metadata: { labels: { a: 'b' } } }, merge);
    expect(labelled.body.metadata?.generation).toBe(1);
    const scaled = await client.call('PATCH', `${deployments}/gen`, { spec: { replicas: 2 } }, merge);
    expect(scaled.body.metadata?.generation).toBe(2);
  });

  it('writes nothing in a dry run, and answers as if it had', async () => {
    const made = await client.call('POST', `${maps}?dryRun=All`, configMap('dry', { a: '1' }));
    expect([made.code, made.body.data]).toEqual([201, { a: '1' }]);
    expect((await client.call('GET', `${maps}/dry`)).code).toBe(404);
    await client.call('POST', maps, configMap('dry', { a: '1' }));
    const changed = await client.apply(`${maps}/dry`, configMap('dry', { a: '2' }));
    expect(changed.code).toBe(200);
    const path = `${maps}/dry?dryRun=All&fieldManager=test`;
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const tried = await client.call('PATCH', path, configMap('dry', { a: '3' }), apply);
    expect(tried.body.data).toEqual({ a: '3' });
    await client.call('DELETE', `${maps}/dry`, { dryRun: ['All'] });
    expect((await client.call('GET', `${maps}/dry`)).body.data).toEqual({ a: '2' });
  });

  it('drops unknown fields with a warning, unless they are checked strictly', async () => {
    const body = { ...configMap('warned'), extra: { a: 1 } };
    const made = await client.call('POST', maps, body);
    expect(made.headers.warning).toBe('299 - "unknown field \\"extra\\""');
    expect(made.body.extra).toBeUndefined();
    const strict = await client.call('POST', `${maps}?fieldValidation=Strict`, {
      ...body,
      metadata: { name: 'strict' },
    });
    expect([strict.code, strict.body.reason]).toEqual([400, 'BadRequest']);
  });

  it('keeps the status out of writes to the object, and the object out of writes to its status', async () => {
    const path = `${deployments}/gen`;
    const merge = { 'content-type': 'application/merge-patch+json' };
    const direct = await client.call('PATCH', path, { status: { replicas: 99 } }, merge);
    expect(direct.body.status?.replicas).not.toBe(99);
    const claims = '/api/v1/namespaces/demo/resourcequotas';
    await client.call('POST', claims, { metadata: { name: 'quota' }, spec: { hard: { pods: '3' } } });
    const told = { spec: { hard: { pods: '9' } }, status: { hard: { pods: '3' }, used: { pods: '1' } } };
    const written = await client.call('PATCH', `${claims}/quota/status`, told, merge);
    expect(written.body.status?.used).toEqual({ pods: '1' });
    expect(written.body.spec?.hard).toEqual({ pods: '3' });
  });

  it('scales through /scale', async () => {
    const merge = { 'content-type': 'application/merge-patch+json' };
    const scaled = await client.call('PATCH', `${deployments}/gen/scale`, { spec: { replicas: 3 } }, merge);
    expect(scaled.body.spec?.replicas).toBe(3);
    expect((await client.call('GET', `${deployments}/gen`)).body.spec?.replicas).toBe(3);
  });

  it('turns stringData into data, and gives a Service an address that stays', async () => {
    const secrets = '/api/v1/namespaces/demo/secrets';
    const secret = await client.call('POST', secrets, { metadata: { name: 's' }, stringData: { key: 'hello' } });
    expect(secret.body.data).toEqual({ key: 'aGVsbG8=' });
    expect(secret.body.stringData).toBeUndefined();
    const services = '/api/v1/namespaces/demo/services';
    const wish = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { ports: [{ port: 80 }] } };
    const made = await client.call('POST', services, wish);
    expect(made.body.spec?.clusterIP).toMatch(/^10\.96\./);
    const put = await client.call('PUT', `${services}/web`, { ...wish, spec: { ports: [{ port: 81 }] } });
    expect(put.body.spec?.clusterIP).toBe(made.body.spec?.clusterIP);
  });
});

describe('deletes', () => {
  it('keeps an object until its finalizers are gone', async () => {
    const held = { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/stay'] } };
    await client.call('POST', maps, held);
    const deleted = await client.call('DELETE', `${maps}/held`);
    expect(deleted.body.metadata?.deletionTimestamp).toBeDefined();
    const there = await client.call('GET', `${maps}/held`);
    expect(there.code).toBe(200);
    const json = { 'content-type': 'application/json-patch+json' };
    await client.call('PATCH', `${maps}/held`, [{ op: 'remove', path: '/metadata/finalizers/0' }], json);
    expect((await client.call('GET', `${maps}/held`)).code).toBe(404);
  });

  it('deletes only the object that the precondition names', async () => {
    const made = await client.call('POST', maps, configMap('exact'));
    const wrong = await client.call('DELETE', `${maps}/exact`, { preconditions: { uid: 'another' } });
    expect([wrong.code, wrong.body.reason]).toEqual([409, 'Conflict']);
    const uid = made.body.metadata?.uid;
    expect((await client.call('DELETE', `${maps}/exact`, { preconditions: { uid } })).code).toBe(200);
    expect((await client.call('GET', `${maps}/exact`)).code).toBe(404);
  });

  it('deletes what a selector matches', async () => {
    for (const name of ['a', 'b', 'c']) {
      const labels = { group: name === 'c' ? 'stay' : 'go' };
      await client.call('POST', maps, { ...configMap(`many-${name}`), metadata: { name: `many-${name}`, labels } });
    }
    await client.call('DELETE', `${maps}?labelSelector=group%3Dgo`);
    const left = await client.call('GET', `${maps}?labelSelector=group`);
    expect(names(left.body)).toEqual(['many-c']);
  });
});

describe('lists', () => {
  beforeAll(async () => {
    await client.call('POST', '/api/v1/namespaces', namespace('listed'));
    for (let i = 0; i < 7; i += 1) {
      const labels = { tier: i % 2 === 0 ? 'even' : 'odd', ...(i > 4 ? { extra: 'yes' } : {}) };
      const object = { ...configMap(`n${i}`), metadata: { name: `n${i}`, labels } };
      await client.call('POST', '/api/v1/namespaces/listed/configmaps', object);
    }
  });

  it.each([
    ['labelSelector=tier%3Deven', ['n0', 'n2', 'n4', 'n6']],
    ['labelSelector=tier!%3Deven,extra', ['n5']],
    ['labelSelector=tier+in+(odd),!extra', ['n1', 'n3']],
    ['labelSelector=tier+notin+(odd,even),tier', []],
    ['fieldSelector=metadata.name%3Dn3', ['n3']],
    ['fieldSelector=metadata.name!%3Dn3&labelSelector=tier%3Dodd', ['n1', 'n5']],
  ])('selects by %s', async (query, expected) => {
    const list = await client.call('GET', `/api/v1/namespaces/listed/configmaps?${query}`);
    expect(names(list.body).filter((name) => String(name) !== 'kube-root-ca.crt')).toEqual(expected);
  });

  it('comes in pages that together hold everything once', async () => {
    const seen: unknown[] = [];
    let token = '';
    for (let page = 0; page < 10; page += 1) {
      const query = `limit=3&continue=${token}`;
      const answer = await client.call('GET', `/api/v1/namespaces/listed/configmaps?${query}`);
      seen.push(...names(answer.body));
      token = String(answer.body.metadata?.continue ?? '');
      if (token === '') break;
    }
    expect(seen).toEqual(['kube-root-ca.crt', 'n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6']);
  });

  it('shows events in both of their versions', async () => {
    await client.call('POST', '/apis/apps/v1/namespaces/listed/deployments', deployment('web', 'x:1'));
    const isThere = (body: Json) => items(body).some((event) => String(event.reason) === 'ScalingReplicaSet');
    await client.until('/api/v1/namespaces/listed/events', (answer) => isThere(answer.body));
    const fresh = await client.call('GET', '/apis/events.k8s.io/v1/namespaces/listed/events');
    const event = items(fresh.body).find((each) => String(each.reason) === 'ScalingReplicaSet');
    expect(event?.regarding?.name).toBe('web');
    expect(String(event?.note)).toMatch(/^Scaled up replica set web-\S+ from 0 to 1$/);
  });
});
