import { isAppError } from '../../error/app-error.js';
import type { InventoryEntry } from '../inventory.js';
import type { Manifest, ObjectReference } from '../manifest.js';
import { carriesMarks, type PreviewIdentity } from '../marks.js';

export interface PruneDeps {
  get(reference: ObjectReference, signal: AbortSignal): Promise<Manifest>;
  remove(
    reference: ObjectReference,
    options: { preconditions: { uid: string; resourceVersion?: string }; signal: AbortSignal },
  ): Promise<void>;
}

export interface PruneInput {
  identity: PreviewIdentity;
  namespace: string;
  /** In the order of removal. */
  entries: readonly InventoryEntry[];
  /** Whether what an object's annotations say in the cluster keeps it. Default: nothing does. */
  asksToStay?(annotations: Readonly<Record<string, string>> | undefined): boolean;
  /** Hears of each that stays for that; it is among those that are returned. */
  onStay?(entry: InventoryEntry): void;
  /** Hears each that is being deleted and still there, for a finalizer or its grace; it is among those that are returned. */
  onGoing?(found: Manifest): void;
  signal: AbortSignal;
}

/**
 * Removes what the file no longer asks for. Each object is read again; it goes only when its labels and UID say that
 * it is the one that was written, and only in the state that was read. Returns the entries that stay in the inventory,
 * for it could not be confirmed that they are gone or another's: deletion that was asked for is not yet done.
 */
export async function pruneObjects(deps: PruneDeps, input: PruneInput): Promise<InventoryEntry[]> {
  const kept: InventoryEntry[] = [];
  for (const entry of input.entries) {
    input.signal.throwIfAborted();
    if (!(await pruneOne(deps, entry, input))) kept.push(entry);
  }
  return kept;
}

/** Whether the inventory can forget it. */
async function pruneOne(deps: PruneDeps, entry: InventoryEntry, input: PruneInput): Promise<boolean> {
  const { apiVersion, kind, name } = entry;
  const reference = { apiVersion, kind, name, namespace: input.namespace };
  try {
    let found = await deps.get(reference, input.signal);
    const { uid, resourceVersion, labels, annotations, deletionTimestamp } = found.metadata;
    const ours = carriesMarks(labels, input.identity) && (entry.uid === null || entry.uid === uid);
    // Another object under that name, or one that somebody took the labels off: not ours to delete.
    if (!ours || uid === undefined) return true;
    if (input.asksToStay?.(annotations) === true) {
      input.onStay?.(entry);
      return false;
    }
    if (deletionTimestamp === undefined) {
      const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
      await deps.remove(reference, { preconditions, signal: input.signal });
      found = await deps.get(reference, input.signal);
      // Ours is gone, and somebody was quick to make another.
      if (found.metadata.uid !== uid) return true;
    }
    input.onGoing?.(found);
    return false;
  } catch (error) {
    if (isAppError(error, 'kube-not-found') || isAppError(error, 'kube-unknown-kind')) return true;
    // It changed between the reading and the deletion, or the answer was lost: looked at again in the next run.
    if (isAppError(error, 'kube-conflict') || isAppError(error, 'kube-unavailable')) return false;
    throw error;
  }
}
