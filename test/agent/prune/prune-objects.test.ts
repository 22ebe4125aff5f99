import { expect, test } from 'vitest';
import type { InventoryEntry } from '../../../src/agent/inventory.js';
import type { Manifest } from '../../../src/agent/manifest.js';
import { marksOf } from '../../../src/agent/marks.js';
import { pruneObjects } from '../../../src/agent/prune/prune-objects.js';
import { AppError } from '../../../src/error/app-error.js';

const identity = { installation: 'i', slug: 'a', incarnation: 1 };
const entry: InventoryEntry = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: 'old',
  uid: 'u-1',
  generation: null,
  print: null,
  once: false,
};

function failure(code: string): AppError {
  return new AppError({ code, disposition: 'retry', publicMessage: '-' });
}

async function prune(found: Partial<Manifest['metadata']> | AppError, removal: AppError | null = null) {
  const removed: unknown[] = [];
  const kept = await pruneObjects(
    {
      async get() {
        if (found instanceof AppError) throw found;
        return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'old', ...found } };
      },
      async remove(_, { preconditions }) {
        if (removal !== null) throw removal;
        removed.push(preconditions);
      },
    },
    { identity, namespace: 'preview-a', entries: [entry], signal: new AbortController().signal },
  );
  return { removed, kept: kept.length };
}

const labels = marksOf(identity);

test('it goes only as it was read', async () => {
  expect(await prune({ uid: 'u-1', resourceVersion: '9', labels })).toEqual({
    removed: [{ uid: 'u-1', resourceVersion: '9' }],
    kept: 0,
  });
});

test.each<[string, Partial<Manifest['metadata']>]>([
  ['another UID', { uid: 'u-2', labels }],
  ['no labels', { uid: 'u-1' }],
  ['another preview’s labels', { uid: 'u-1', labels: { ...labels, 'mayfly.dev/preview': 'b' } }],
])('what has %s is not ours, and is forgotten', async (_, metadata) => {
  expect(await prune(metadata)).toEqual({ removed: [], kept: 0 });
});

test('what is gone or going needs nothing more', async () => {
  expect(await prune(failure('kube-not-found'))).toEqual({ removed: [], kept: 0 });
  expect(await prune({ uid: 'u-1', labels, deletionTimestamp: 'now' })).toEqual({ removed: [], kept: 0 });
});

test('what could not be confirmed stays in the inventory', async () => {
  const metadata = { uid: 'u-1', resourceVersion: '9', labels };
  expect(await prune(metadata, failure('kube-conflict'))).toEqual({ removed: [], kept: 1 });
  expect(await prune(failure('kube-unavailable'))).toEqual({ removed: [], kept: 1 });
});

test('a refusal is told', async () => {
  await expect(prune(failure('kube-forbidden'))).rejects.toMatchObject({ code: 'kube-forbidden' });
});

test('what asks to stay in the cluster stays, and that is told', async () => {
  const annotations = { keep: 'yes' };
  const found = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'old', uid: 'u-1', labels, annotations } };
  const stayed: InventoryEntry[] = [];
  const kept = await pruneObjects(
    {
      get: async () => found,
      remove: async () => Promise.reject(failure('removed')),
    },
    {
      identity,
      namespace: 'preview-a',
      entries: [entry],
      asksToStay: (found) => found?.keep === 'yes',
      onStay: (each) => stayed.push(each),
      signal: new AbortController().signal,
    },
  );
  expect(kept).toEqual([entry]);
  expect(stayed).toEqual([entry]);
});
