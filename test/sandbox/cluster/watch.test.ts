import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { createStore } from '../../../src/sandbox/cluster/store.js';
import { type ApiClient, connect, eventually, type Json } from './api-client.js';
import { configMap, namespace } from './manifests.js';

let cluster: Cluster;
let client: ApiClient;
let stop: AbortController;
let ns = '';
let maps = '';
let count = 0;

beforeAll(async () => {
  cluster = await startCluster();
  client = connect(cluster);
});
beforeEach(async () => {
  count += 1;
  ns = `w${count}`;
  stop = new AbortController();
  maps = `/api/v1/namespaces/${ns}/configmaps`;
  await client.call('POST', '/api/v1/namespaces', namespace(ns));
  await client.until(`${maps}/kube-root-ca.crt`, (answer) => answer.code === 200);
});
afterEach(() => stop.abort());
afterAll(async () => {
  client.close();
  await cluster.close();
});

const told = (events: Json[]) => events.map((event) => `${event.type} ${event.object?.metadata?.name}`);
const position = async () => String((await client.call('GET', maps)).body.metadata?.resourceVersion);
const labelled = (name: string, group: string) => ({ ...configMap(name), metadata: { name, labels: { group } } });

describe('a watch', () => {
  it('tells what is added, changed and deleted after where it starts', async () => {
    const { events } = client.watch(`${maps}?watch=true&resourceVersion=${await position()}`, stop.signal);
    await client.call('POST', maps, configMap('a'));
    await client.call('PUT', `${maps}/a`, configMap('a', { x: '1' }));
    await client.call('DELETE', `${maps}/a`);
    await eventually(() => events.length === 3, 'three events');
    expect(told(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    const versions = events.map((event) => Number(event.object?.metadata?.resourceVersion));
    expect(versions).toEqual(versions.toSorted((x, y) => x - y));
  });

  it('catches up on what happened before it was opened', async () => {
    const from = await position();
    await client.call('POST', maps, configMap('missed'));
    const { events } = client.watch(`${maps}?watch=true&resourceVersion=${from}`, stop.signal);
    await eventually(() => events.length === 1, 'the missed event');
    expect(told(events)).toEqual(['ADDED missed']);
  });

  it('shows an object that starts to match as added and one that stops as deleted', async () => {
    const query = `watch=true&labelSelector=group%3Dmine&resourceVersion=${await position()}`;
    const { events } = client.watch(`${maps}?${query}`, stop.signal);
    await client.call('POST', maps, labelled('a', 'other'));
    await client.call('PUT', `${maps}/a`, labelled('a', 'mine'));
    await client.call('PUT', `${maps}/a`, { ...labelled('a', 'mine'), data: { x: '1' } });
    await client.call('PUT', `${maps}/a`, labelled('a', 'other'));
    await client.call('DELETE', `${maps}/a`);
    await client.call('POST', maps, labelled('last', 'mine'));
    await eventually(() => events.length === 4, 'four events');
    expect(told(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED last']);
    // As the API server: what left is shown as it was when it still matched, with the version at which it left.
    expect(events[2]?.object?.metadata?.labels).toEqual({ group: 'mine' });
    expect(Number(events[2]?.object?.metadata?.resourceVersion)).toBeGreaterThan(
      Number(events[1]?.object?.metadata?.resourceVersion),
    );
  });

  it('starts with what is there when it names no version, and marks where that ends when asked', async () => {
    const query = 'watch=true&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan';
    const { events } = client.watch(`${maps}?${query}`, stop.signal);
    await eventually(() => events.length === 2, 'the initial events');
    expect(told(events)[0]).toBe('ADDED kube-root-ca.crt');
    expect(events[1]?.type).toBe('BOOKMARK');
    expect(events[1]?.object?.metadata?.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  });

  it('ends after timeoutSeconds, with a bookmark from which the next one goes on', async () => {
    const query = `watch=true&allowWatchBookmarks=true&timeoutSeconds=1&resourceVersion=${await position()}`;
    const { events, ended } = client.watch(`${maps}?${query}`, stop.signal);
    await ended;
    expect(events.map((event) => event.type)).toEqual(['BOOKMARK']);
    expect(Number(events[0]?.object?.metadata?.resourceVersion)).toBeGreaterThan(0);
  });

  it('shows rows of a table when it is asked to', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
    const { events } = client.watch(`${maps}?watch=true&resourceVersion=${await position()}`, stop.signal, accept);
    await client.call('POST', maps, configMap('a', { x: '1' }));
    await client.call('DELETE', `${maps}/a`);
    await eventually(() => events.length === 2, 'two events');
    const tables = events.map((event) => event.object as Json);
    const rows = tables.map((table) => (table.rows as unknown as Json[])[0]);
    expect(tables[0]?.kind).toBe('Table');
    expect([rows[0]?.cells?.[0], rows[0]?.cells?.[1]]).toEqual(['a', 1]);
    expect(tables[1]?.columnDefinitions).toBeNull();
  });
});

describe('the memory of changes', () => {
  it('is bounded, and knows from where a watch can still go on', () => {
    const store = createStore({ revision: 1, entries: [] });
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', namespace: 'n', uid: 'u' } };
    for (let i = 0; i < 30_000; i += 1) store.put('configmaps', object);
    expect(store.oldestRevision()).toBeGreaterThan(1);
    const kept = store.since('configmaps', store.oldestRevision());
    expect(kept[0]?.revision).toBe(store.oldestRevision() + 1);
    expect(kept.at(-1)?.revision).toBe(store.revision());
  });
});
