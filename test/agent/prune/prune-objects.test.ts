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

/** `after`: what a read finds once it was deleted; default: nothing. */
async function prune(
  found: Partial<Manifest['metadata']> | AppError,
  { removal = null, after = null }: { removal?: AppError | null; after?: Partial<Manifest['metadata']> | null } = {},
) {
  const removed: unknown[] = [];
  const going: unknown[] = [];
  const there = { apiVersion: 'v1', kind: 'ConfigMap' };
  const kept = await pruneObjects(
    {
      async get() {
        if (found instanceof AppError) throw found;
        if (removed.length === 0) return { ...there, metadata: { name: 'old', ...found } };
        if (after === null) throw failure('kube-not-found');
        return { ...there, metadata: { name: 'old', ...after } };
      },
      async remove(_, { preconditions }) {
        if (removal !== null) throw removal;
        removed.push(preconditions);
      },
    },
    {
      identity,
      namespace: 'preview-a',
      entries: [entry],
      onGoing: ({ metadata }) => going.push(metadata.uid),
      signal: new AbortController().signal,
    },
  );
  return { removed, kept: kept.length, ...(going.length === 0 ? {} : { going }) };
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

test('what is gone is forgotten, and what is going only when it is gone', async () => {
  expect(await prune(failure('kube-not-found'))).toEqual({ removed: [], kept: 0 });
  const going = { uid: 'u-1', labels, deletionTimestamp: 'now' };
  expect(await prune(going)).toEqual({ removed: [], kept: 1, going: ['u-1'] });
  // A finalizer holds it after its deletion was asked for.
  expect(await prune({ uid: 'u-1', labels }, { after: going })).toEqual({
    removed: [{ uid: 'u-1' }],
    kept: 1,
    going: ['u-1'],
  });
  expect(await prune({ uid: 'u-1', labels }, { after: { uid: 'u-2' } })).toMatchObject({ kept: 0 });
});

test('what could not be confirmed stays in the inventory', async () => {
  const metadata = { uid: 'u-1', resourceVersion: '9', labels };
  expect(await prune(metadata, { removal: failure('kube-conflict') })).toEqual({ removed: [], kept: 1 });
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
