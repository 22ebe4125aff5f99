import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { type ApiClient, connect, type Json } from './api-client.js';
import { configMap, deployment, namespace } from './manifests.js';

let cluster: Cluster;
let client: ApiClient;

beforeAll(async () => {
  cluster = await startCluster();
  client = connect(cluster);
});
afterAll(async () => {
  client.close();
  await cluster.close();
});

const merge = { 'content-type': 'application/merge-patch+json' };

it('has a default ServiceAccount', async () => {
  await client.call('POST', '/api/v1/namespaces', namespace('fresh'));
  await client.until('/api/v1/namespaces/fresh/serviceaccounts/default', (answer) => answer.code === 200);
});

it('goes with all that is in it', async () => {
  await client.call('POST', '/api/v1/namespaces', namespace('full'));
  await client.call('POST', '/api/v1/namespaces/full/configmaps', configMap('a'));
  await client.call('POST', '/apis/apps/v1/namespaces/full/deployments', deployment('web', 'x:1', { replicas: 3 }));
  const isUp = (body: Json) => Number(body.status?.availableReplicas) === 3;
  await client.until('/apis/apps/v1/namespaces/full/deployments/web', (answer) => isUp(answer.body));
  const deleted = await client.call('DELETE', '/api/v1/namespaces/full');
  expect([deleted.code, deleted.body.status?.phase]).toEqual([200, 'Terminating']);
  await client.until('/api/v1/namespaces/full', (answer) => answer.code === 404);
  expect(cluster.inNamespace('full')).toEqual([]);
  expect(cluster.list('events', 'full')).toEqual([]);
});

it('stays, refuses new content and names the finalizer while something is held', async () => {
  await client.call('POST', '/api/v1/namespaces', namespace('held'));
  const held = { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/stay'] } };
  await client.call('POST', '/api/v1/namespaces/held/configmaps', held);
  await client.call('DELETE', '/api/v1/namespaces/held');
  const told = await client.until('/api/v1/namespaces/held', (answer) => answer.text.includes('SomeFinalizersRemain'));
  expect(told.text).toContain('example.com/stay in 1 resource instances');
  const late = await client.call('POST', '/api/v1/namespaces/held/configmaps', configMap('late'));
  expect([late.code, late.body.reason]).toEqual([403, 'Forbidden']);
  expect(late.body.details?.causes?.[0]?.reason).toBe('NamespaceTerminating');
  const applied = await client.apply('/api/v1/namespaces/held/configmaps/late', configMap('late'));
  expect(applied.code).toBe(403);
  await client.call('PATCH', '/api/v1/namespaces/held/configmaps/held', { metadata: { finalizers: null } }, merge);
  await client.until('/api/v1/namespaces/held', (answer) => answer.code === 404);
});

it('waits for its own finalizers too', async () => {
  const object = { ...namespace('own'), metadata: { name: 'own', finalizers: ['example.com/own'] } };
  await client.call('POST', '/api/v1/namespaces', object);
  await client.call('DELETE', '/api/v1/namespaces/own');
  await client.until('/api/v1/namespaces/own', (answer) => JSON.stringify(answer.body.spec) === '{"finalizers":[]}');
  await client.call('PATCH', '/api/v1/namespaces/own', { metadata: { finalizers: null } }, merge);
  await client.until('/api/v1/namespaces/own', (answer) => answer.code === 404);
});

it('can be made again under the same name, as another one', async () => {
  const first = await client.call('POST', '/api/v1/namespaces', namespace('again'));
  await client.call('DELETE', '/api/v1/namespaces/again');
  await client.until('/api/v1/namespaces/again', (answer) => answer.code === 404);
  const second = await client.call('POST', '/api/v1/namespaces', namespace('again'));
  expect(second.code).toBe(201);
  expect(second.body.metadata?.uid).not.toBe(first.body.metadata?.uid);
});
