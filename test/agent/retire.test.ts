import { expect, test } from 'vitest';
import type { Inventory } from '../../src/agent/inventory.js';
import { type RetireInput, retire } from '../../src/agent/retire.js';
import { AppError } from '../../src/error/app-error.js';

const inventory: Inventory = {
  slug: 'shop-1',
  incarnation: 1,
  namespace: 'preview-shop-1',
  namespaceUid: 'uid',
  revision: null,
  objects: [],
  createdAt: 0,
  condemned: 'the file was removed',
};

test('a namespace that lost its labels stays in the inventory, and what a person can do is said at once', async () => {
  const forgotten: string[] = [];
  const found = await retire(
    {
      cluster: {
        get: async () => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'preview-shop-1', uid: 'uid' } }),
        remove: () => Promise.reject(new Error('nothing is to be removed')),
      },
      removeInventory: async ({ slug }) => void forgotten.push(slug),
      expectTornDown: () => undefined,
      rememberTornDown: async ({ slug }) => void forgotten.push(slug),
    },
    { installation: 'i', inventory, since: null, timeoutMs: 300_000, now: 1, signal: new AbortController().signal },
  );
  expect(found).toMatchObject({ state: 'terminating', since: 1, diagnosis: { object: 'Namespace/preview-shop-1' } });
  const command =
    'kubectl label namespace preview-shop-1 --overwrite mayfly.dev/installation=i mayfly.dev/preview=shop-1 mayfly.dev/incarnation=1';
  expect(found).toHaveProperty('diagnosis.sentence', expect.stringContaining(command));
  expect(forgotten).toEqual([]);
});

function step(input: Partial<RetireInput>) {
  const refused = new AppError({ code: 'kube-forbidden', disposition: 'stall', publicMessage: 'You may not do that.' });
  return retire(
    {
      cluster: { get: () => Promise.reject(refused), remove: () => Promise.reject(refused) },
      removeInventory: async () => undefined,
      expectTornDown: () => undefined,
      rememberTornDown: async () => undefined,
    },
    {
      installation: 'i',
      inventory,
      since: null,
      timeoutMs: 300_000,
      now: 1_000_000,
      signal: new AbortController().signal,
      ...input,
    },
  );
}

test('a teardown that is refused is tried again soon at first, and then less often', async () => {
  const first = await step({});
  expect(first).toMatchObject({
    state: 'terminating',
    since: 1_000_000,
    diagnosis: null,
    error: { code: 'kube-forbidden' },
  });
  expect(first).toHaveProperty(
    'againMs',
    expect.toSatisfy((ms: number) => ms >= 500 && ms <= 1_000),
  );
  const later = await step({ since: 900_000 });
  expect(later).toHaveProperty(
    'againMs',
    expect.toSatisfy((ms: number) => ms >= 12_500 && ms <= 25_000),
  );
});

test('after the timeout the refusal is told in the API server’s words', async () => {
  const found = await step({ since: 600_000 });
  expect(found).toMatchObject({ diagnosis: { cause: 'timeout', object: 'Namespace/preview-shop-1' } });
  expect(found).toHaveProperty('diagnosis.sentence', expect.stringMatching(/shop-1: .*5 min: You may not do that\./));
});

test('a run that is cancelled ends as such', async () => {
  await expect(step({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'kube-forbidden' });
});
