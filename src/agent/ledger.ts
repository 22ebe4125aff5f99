import { isAppError } from '../error/app-error.js';
import type { Inventory, InventoryEntry } from './inventory.js';
import { keyOf } from './manifest.js';

/** The inventory while a revision is being applied: changed in memory at once, persisted when it is told to. */
export interface Ledger {
  inventory(): Inventory;
  entry(key: string): InventoryEntry | undefined;
  /** Changes fields of the whole. */
  set(change: Partial<Inventory>): void;
  replace(entry: InventoryEntry): void;
  drop(keys: ReadonlySet<string>): void;
  /**
   * Another object is about to be made under the name of the one that is listed: persists that it is to be found by its
   * labels, for whoever dies before the answer knows the old UID alone.
   */
  expectAnother(key: string): Promise<void>;
  /** Returns when the cluster has it; does nothing when it was not changed since. Those who ask together share a write. */
  save(): Promise<void>;
}

export interface LedgerDeps {
  /** Hears each state. */
  onChange(inventory: Inventory): void;
  save(inventory: Inventory): Promise<void>;
}

/** `isStored`: the cluster has the inventory as it is given. */
export function createLedger(deps: LedgerDeps, initial: Inventory, isStored: boolean): Ledger {
  let inventory = initial;
  let stored = isStored ? initial : null;
  let saving: Promise<void> = Promise.resolve();

  function change(next: Inventory): void {
    inventory = next;
    deps.onChange(next);
  }

  const find = (key: string) => inventory.objects.find((entry) => keyOf(entry) === key);

  function replace(entry: InventoryEntry): void {
    const key = keyOf(entry);
    change({ ...inventory, objects: inventory.objects.map((each) => (keyOf(each) === key ? entry : each)) });
  }

  /** One after the other, or an older state could arrive last. */
  function save(): Promise<void> {
    const own = saving.then(async () => {
      if (stored === inventory) return;
      const state = inventory;
      await deps.save(state);
      stored = state;
    });
    saving = own.catch(() => undefined);
    return own;
  }

  return {
    inventory: () => inventory,
    entry: find,
    set: (fields) => change({ ...inventory, ...fields }),
    replace,
    drop: (keys) => change({ ...inventory, objects: inventory.objects.filter((entry) => !keys.has(keyOf(entry))) }),
    async expectAnother(key) {
      const entry = find(key);
      if (entry === undefined || entry.uid === null) return;
      replace({ ...entry, uid: null });
      await save();
    },
    save,
  };
}

/** What was learnt before a failure is persisted as well as it can be: the next run may be that of an agent started anew. */
export async function orSaved<T>(
  ledger: Pick<Ledger, 'save'>,
  signal: AbortSignal,
  write: () => Promise<T>,
): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!isAppError(error) || signal.aborted) throw error;
    await ledger.save().catch((failure: unknown) => {
      // The failure before it is the one to tell.
      if (!isAppError(failure)) throw failure;
    });
    throw error;
  }
}
