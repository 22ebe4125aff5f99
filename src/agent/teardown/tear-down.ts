import { isAppError } from '../../error/app-error.js';
import type { Inventory, InventoryEntry } from '../inventory.js';
import type { Manifest, ObjectReference } from '../manifest.js';
import { carriesMarks, type PreviewIdentity } from '../marks.js';
import { type Blockers, blockersOf } from './blockers.js';

export interface TeardownDeps {
  get(reference: ObjectReference, signal: AbortSignal): Promise<Manifest>;
  remove(reference: ObjectReference, options: { preconditions: { uid: string }; signal: AbortSignal }): Promise<void>;
}

export interface TeardownInput {
  identity: PreviewIdentity;
  inventory: Inventory;
  /** The inventory's objects in the order of removal, those of a step together. */
  steps: readonly InventoryEntry[][];
  signal: AbortSignal;
}

/**
 * `gone`: nothing of the incarnation is left. `going`: deletion was asked for and is not over. `unmarked`: its namespace
 * stands but has lost its labels; nothing in it was touched.
 */
export type TeardownResult =
  | { state: 'gone' }
  | { state: 'unmarked' }
  | { state: 'going'; namespaceUid: string; since: number | null; blockers: Blockers };

/**
 * Removes one incarnation as far as it can be at this moment: its objects in reverse order, then its namespace. Only
 * what still has the UID and the labels of the inventory is touched. Called again until it says `gone`.
 */
export async function tearDown(deps: TeardownDeps, input: TeardownInput): Promise<TeardownResult> {
  const { inventory, signal } = input;
  const reference = { apiVersion: 'v1', kind: 'Namespace', name: inventory.namespace };
  const namespace = await find(deps, reference, signal);
  if (namespace === null) return { state: 'gone' };
  const uid = namespace.metadata.uid ?? '';
  const isMarked = carriesMarks(namespace.metadata.labels, input.identity);
  // Of another UID, it was made by somebody else after ours had gone. Ours stays ours without its labels.
  if (inventory.namespaceUid === null ? !isMarked : inventory.namespaceUid !== uid) return { state: 'gone' };
  if (namespace.metadata.deletionTimestamp !== undefined) {
    const since = Date.parse(namespace.metadata.deletionTimestamp);
    return {
      state: 'going',
      namespaceUid: uid,
      since: Number.isNaN(since) ? null : since,
      blockers: blockersOf(namespace),
    };
  }
  if (!isMarked) return { state: 'unmarked' };
  for (const step of input.steps) {
    await Promise.all(step.map((entry) => removeEntry(deps, entry, input)));
    signal.throwIfAborted();
  }
  await quietly(deps.remove(reference, { preconditions: { uid }, signal }));
  return { state: 'going', namespaceUid: uid, since: null, blockers: { why: null, finalizers: [], evidence: [] } };
}

async function removeEntry(deps: TeardownDeps, entry: InventoryEntry, input: TeardownInput): Promise<void> {
  const { apiVersion, kind, name } = entry;
  const reference = { apiVersion, kind, name, namespace: input.inventory.namespace };
  const uid = entry.uid ?? (await uidOf(deps, reference, input));
  if (uid !== null) await quietly(deps.remove(reference, { preconditions: { uid }, signal: input.signal }));
}

/** The agent died before it heard the answer: the object's labels say whether it is the one. */
async function uidOf(deps: TeardownDeps, reference: ObjectReference, input: TeardownInput): Promise<string | null> {
  const found = await find(deps, reference, input.signal);
  return found !== null && carriesMarks(found.metadata.labels, input.identity) ? (found.metadata.uid ?? null) : null;
}

async function find(deps: TeardownDeps, reference: ObjectReference, signal: AbortSignal): Promise<Manifest | null> {
  try {
    return await deps.get(reference, signal);
  } catch (error) {
    if (isAppError(error, 'kube-not-found') || isAppError(error, 'kube-unknown-kind')) return null;
    throw error;
  }
}

/** Already gone, or replaced by another object of that name, is as good as removed. */
async function quietly(removal: Promise<void>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    const done = ['kube-not-found', 'kube-conflict', 'kube-unknown-kind'].some((code) => isAppError(error, code));
    if (!done) throw error;
  }
}
