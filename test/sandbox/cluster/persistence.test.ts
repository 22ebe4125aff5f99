import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { type ApiClient, connect } from './api-client.js';
import { configMap, deployment, namespace } from './manifests.js';

let folder = '';
let dataFile = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-cluster-'));
  dataFile = join(folder, 'state', 'cluster.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

async function during(work: (client: ApiClient) => Promise<void>): Promise<void> {
  const cluster = await startCluster({ dataFile });
  const client = connect(cluster);
  try {
    await work(client);
  } finally {
    client.close();
    await cluster.close();
  }
}

const map = '/api/v1/namespaces/demo/configmaps/map';
const web = '/apis/apps/v1/namespaces/demo/deployments/web';

it('keeps objects, and what was applied, from one start to the next', async () => {
  let version = 0;
  await during(async (client) => {
    await client.call('POST', '/api/v1/namespaces', namespace('demo'));
    await client.apply(map, configMap('map', { a: '1', b: '1' }));
    await client.call('POST', '/api/v1/namespaces/demo/configmaps', configMap('gone'));
    await client.call('DELETE', '/api/v1/namespaces/demo/configmaps/gone');
    await client.apply(web, deployment('web', 'x:1'));
    const up = await client.until(web, (answer) => Number(answer.body.status?.availableReplicas) === 1);
    version = Number(up.body.metadata?.resourceVersion);
  });
  await during(async (client) => {
    expect((await client.call('GET', '/api/v1/namespaces/demo/configmaps/gone')).code).toBe(404);
    const there = await client.call('GET', web);
    expect([there.body.status?.availableReplicas, Number(there.body.metadata?.resourceVersion)]).toEqual([1, version]);
    const after = await client.apply(map, configMap('map', { a: '2' }));
    expect(after.body.data).toEqual({ a: '2' });
    expect(Number(after.body.metadata?.resourceVersion)).toBeGreaterThan(version);
    await client.apply(web, deployment('web', 'x:2'));
    await client.until(web, (answer) => Number(answer.body.status?.observedGeneration) === 2);
  });
});

it('tells a watch from before the start that it must list again', async () => {
  await during(async (client) => {
    await client.call('POST', '/api/v1/namespaces', namespace('demo'));
    await client.apply(map, configMap('map'));
  });
  await during(async (client) => {
    const stop = new AbortController();
    const path = '/api/v1/namespaces/demo/configmaps?watch=true&resourceVersion=2';
    const { events, ended } = client.watch(path, stop.signal);
    await ended;
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ type: 'ERROR', object: { kind: 'Status', reason: 'Expired', code: 410 } });
  });
});

it('survives a last line that was cut off, and lets nobody else read the file', async () => {
  await during(async (client) => {
    await client.call('POST', '/api/v1/namespaces', namespace('demo'));
    await client.apply(map, configMap('map', { a: '1' }));
  });
  expect((await stat(dataFile)).mode & 0o077).toBe(0);
  await appendFile(dataFile, '{"r":999,"s":"configmaps","o":{"apiVersion":"v1","ki');
  await during(async (client) => {
    expect((await client.call('GET', map)).body.data).toEqual({ a: '1' });
    await client.apply(map, configMap('map', { a: '2' }));
  });
  expect(await readFile(dataFile, 'utf8')).not.toContain('"ki\n');
  await during(async (client) => {
    expect((await client.call('GET', map)).body.data).toEqual({ a: '2' });
  });
});

it('goes on with a deletion that was under way', async () => {
  await during(async (client) => {
    await client.call('POST', '/api/v1/namespaces', namespace('demo'));
    const held = { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/stay'] } };
    await client.call('POST', '/api/v1/namespaces/demo/configmaps', held);
    await client.call('DELETE', '/api/v1/namespaces/demo');
  });
  await during(async (client) => {
    const merge = { 'content-type': 'application/merge-patch+json' };
    const path = '/api/v1/namespaces/demo/configmaps/held';
    await client.call('PATCH', path, { metadata: { finalizers: null } }, merge);
    await client.until('/api/v1/namespaces/demo', (answer) => answer.code === 404);
  });
});
