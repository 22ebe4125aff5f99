import { expect, test } from 'vitest';
import type { Inventory, InventoryEntry } from '../../../src/agent/inventory.js';
import type { Manifest, ObjectReference } from '../../../src/agent/manifest.js';
import { marksOf } from '../../../src/agent/marks.js';
import { inSteps } from '../../../src/agent/plan/apply-order.js';
import { type TeardownDeps, tearDown } from '../../../src/agent/teardown/tear-down.js';
import { AppError } from '../../../src/error/app-error.js';

const identity = { installation: 'i', slug: 'a', incarnation: 1 };
const { signal } = new AbortController();

function entry(apiVersion: string, kind: string, name: string, uid: string | null): InventoryEntry {
  return { apiVersion, kind, name, uid, generation: null, print: null, once: false };
}

const inventory: Inventory = {
  slug: 'a',
  incarnation: 1,
  namespace: 'preview-a',
  namespaceUid: 'ns-1',
  revision: 'r',
  createdAt: 0,
  condemned: 'merged',
  objects: [
    entry('v1', 'ConfigMap', 'site', 'cm-1'),
    entry('apps/v1', 'Deployment', 'web', 'd-1'),
    entry('networking.k8s.io/v1', 'Ingress', 'web', 'in-1'),
    entry('v1', 'Secret', 'unsure', null),
  ],
};

/** A cluster of these objects, by kind; what was deleted is written down. */
function cluster(objects: Record<string, Partial<Manifest['metadata']> & { status?: unknown }>) {
  const removed: string[] = [];
  const deps: TeardownDeps = {
    async get({ kind, name, apiVersion }: ObjectReference) {
      const found = objects[kind];
      if (found === undefined) throw new AppError({ code: 'kube-not-found', disposition: 'stall', publicMessage: '-' });
      const { status, ...metadata } = found;
      return { apiVersion, kind, metadata: { name, ...metadata }, ...(status === undefined ? {} : { status }) };
    },
    async remove({ kind }, { preconditions }) {
      removed.push(`${kind} ${preconditions.uid}`);
    },
  };
  return { deps, removed };
}

function run(deps: TeardownDeps, change: Partial<Inventory> = {}) {
  const all = { ...inventory, ...change };
  return tearDown(deps, { identity, inventory: all, steps: inSteps(all.objects).reverse(), signal });
}

const labels = marksOf(identity);

test('objects go in reverse order and the namespace last, each by the UID that was written down', async () => {
  const { deps, removed } = cluster({ Namespace: { uid: 'ns-1', labels }, Secret: { uid: 's-1', labels } });
  expect(await run(deps)).toMatchObject({ state: 'going', namespaceUid: 'ns-1' });
  expect(removed).toEqual(['Ingress in-1', 'Deployment d-1', 'ConfigMap cm-1', 'Secret s-1', 'Namespace ns-1']);
});

test('an object of unknown UID that does not carry the labels is not touched', async () => {
  const { deps, removed } = cluster({ Namespace: { uid: 'ns-1', labels }, Secret: { uid: 's-1', labels: {} } });
  await run(deps);
  expect(removed).not.toContain('Secret s-1');
});

test.each<[string, Partial<Manifest['metadata']>]>([
  ['of another UID', { uid: 'ns-2', labels }],
  ['of another UID without labels', { uid: 'ns-2' }],
  ['of another incarnation', { uid: 'ns-2', labels: { ...labels, 'mayfly.dev/incarnation': '2' } }],
])('a namespace %s is somebody else’s: nothing in it is touched', async (_, metadata) => {
  const { deps, removed } = cluster({ Namespace: metadata, Deployment: { uid: 'd-1', labels } });
  expect(await run(deps)).toEqual({ state: 'gone' });
  expect(removed).toEqual([]);
});

test.each<[string, Partial<Manifest['metadata']>]>([
  ['without labels', { uid: 'ns-1' }],
  ['with the labels of another incarnation', { uid: 'ns-1', labels: { ...labels, 'mayfly.dev/incarnation': '2' } }],
])('our own namespace %s is neither touched nor given up', async (_, metadata) => {
  const { deps, removed } = cluster({ Namespace: metadata, Deployment: { uid: 'd-1', labels } });
  expect(await run(deps)).toEqual({ state: 'unmarked' });
  expect(removed).toEqual([]);
});

test('our own namespace without labels that is going is waited for', async () => {
  const { deps } = cluster({ Namespace: { uid: 'ns-1', deletionTimestamp: '2026-01-01T00:00:00Z' } });
  expect(await run(deps)).toMatchObject({ state: 'going', namespaceUid: 'ns-1' });
});

test('without a UID in the inventory the labels alone say whose it is', async () => {
  const { deps, removed } = cluster({ Namespace: { uid: 'ns-1' } });
  expect(await run(deps, { namespaceUid: null })).toEqual({ state: 'gone' });
  expect(removed).toEqual([]);
});

test('a namespace that is going is waited for, and what holds it is told', async () => {
  const conditions = [
    { type: 'NamespaceDeletionContentFailure', status: 'False', message: 'all is well' },
    { type: 'NamespaceFinalizersRemaining', status: 'True', message: 'finalizers remaining: example.com/hold' },
  ];
  const going = { uid: 'ns-1', labels, deletionTimestamp: '2026-01-01T00:00:00Z', status: { conditions } };
  const { deps, removed } = cluster({ Namespace: going });
  expect(await run(deps)).toEqual({
    state: 'going',
    namespaceUid: 'ns-1',
    since: Date.parse('2026-01-01T00:00:00Z'),
    blockers: {
      why: 'finalizers remaining: example.com/hold',
      finalizers: [],
      evidence: ['finalizers remaining: example.com/hold'],
    },
  });
  expect(removed).toEqual([]);
});

test('what was never made is gone', async () => {
  const { deps } = cluster({});
  expect(await run(deps, { namespaceUid: null })).toEqual({ state: 'gone' });
});
