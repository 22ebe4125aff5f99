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
  /** Returns when the cluster has it; does nothing when it was not changed since. */
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

  function change(next: Inventory): void {
    inventory = next;
    deps.onChange(next);
  }

  return {
    inventory: () => inventory,
    entry: (key) => inventory.objects.find((entry) => keyOf(entry) === key),
    set: (fields) => change({ ...inventory, ...fields }),
    replace(entry) {
      const key = keyOf(entry);
      change({ ...inventory, objects: inventory.objects.map((each) => (keyOf(each) === key ? entry : each)) });
    },
    drop: (keys) => change({ ...inventory, objects: inventory.objects.filter((entry) => !keys.has(keyOf(entry))) }),
    async save() {
      if (stored === inventory) return;
      const saving = inventory;
      await deps.save(saving);
      stored = saving;
    },
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
