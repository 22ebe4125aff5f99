import { expect, test } from 'vitest';
import type { Inventory, InventoryEntry } from '../../src/agent/inventory.js';
import { createLedger } from '../../src/agent/ledger.js';
import { AppError } from '../../src/error/app-error.js';

const entryOf = (name: string): InventoryEntry => {
  return { apiVersion: 'v1', kind: 'ConfigMap', name, uid: `${name}-1`, generation: null, print: 'p', once: false };
};
const inventory: Inventory = {
  slug: 'shop-1',
  incarnation: 1,
  namespace: 'preview-shop-1',
  namespaceUid: 'n',
  revision: null,
  createdAt: 0,
  condemned: null,
  objects: ['a', 'b', 'c'].map(entryOf),
};

/** Saves of which a test says when each is over, and the UIDs that each one had. */
function slowStore() {
  const saves: { uids: (string | null)[]; end(failure?: Error): void }[] = [];
  const save = (state: Inventory) =>
    new Promise<void>((resolve, reject) => {
      const end = (failure?: Error) => (failure === undefined ? resolve() : reject(failure));
      saves.push({ uids: state.objects.map(({ uid }) => uid), end });
    });
  return { saves, ledger: createLedger({ onChange: () => undefined, save }, inventory, true) };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('those that are to be made again together share a write, and none overtakes another', async () => {
  const { saves, ledger } = slowStore();
  const all = Promise.all(['a', 'b', 'c'].map((name) => ledger.expectAnother(`/ConfigMap/${name}`)));
  await settled();
  ledger.replace({ ...entryOf('a'), uid: 'a-2' });
  const last = ledger.save();
  await settled();
  // The first write is not over.
  expect(saves.map(({ uids }) => uids)).toEqual([[null, null, null]]);
  saves[0]?.end();
  await settled();
  expect(saves.map(({ uids }) => uids).slice(1)).toEqual([['a-2', null, null]]);
  saves[1]?.end();
  await all;
  await last;
  await ledger.save();
  expect(saves).toHaveLength(2);
});

test('a write that fails is told, and made up for by the next', async () => {
  const { saves, ledger } = slowStore();
  const first = ledger.expectAnother('/ConfigMap/a');
  await settled();
  saves[0]?.end(new AppError({ code: 'kube-unavailable', disposition: 'retry', publicMessage: 'away' }));
  await expect(first).rejects.toMatchObject({ code: 'kube-unavailable' });
  const second = ledger.save();
  await settled();
  saves[1]?.end();
  await second;
  expect(saves.map(({ uids }) => uids[0])).toEqual([null, null]);
});
