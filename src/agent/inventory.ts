/** One object that the agent wrote, or is about to write. */
export interface InventoryEntry {
  apiVersion: string;
  kind: string;
  name: string;
  /** As the API server answered the last write; null before that. */
  uid: string | null;
  /** `metadata.generation` after the last write; null for kinds without one. */
  generation: number | null;
  /** Fingerprint of what the object held after the last write; null before that. */
  print: string | null;
  /** Made once a revision: when it is gone it is not made again. */
  once: boolean;
  /** Fingerprint of the manifest that was written last; absent before that, and while another one is being written. */
  applied?: string | undefined;
  /** Its place in the order of phases and waves; absent: the plain one. */
  stage?: number[] | undefined;
  /** Absent: not removed otherwise than in its turn once it is no longer asked for. */
  prune?: 'never' | 'last' | undefined;
  /** The file no longer asks for it: it is still to be removed, or stays while the preview lives. */
  leftover?: 'prune' | 'keep' | undefined;
  hook?: HookRecord | undefined;
}

/** A sentence on an object, or on an Application, that a person should see though nothing failed. */
export interface InventoryRemark {
  group: string;
  kind: string;
  name: string;
  message: string;
}

/** When the object of a hook is deleted: before its next run, or once it ended well or badly. */
export type HookPolicy = 'BeforeHookCreation' | 'HookSucceeded' | 'HookFailed';

/** What is remembered of a hook, so that it runs once a revision. */
export interface HookRecord {
  /** The revision that it ran for last, or runs for. */
  revision: string;
  /** The run that the entry's UID is of; null before it was made. */
  run: string | null;
  /** How it ended for that revision, by phase. */
  ended: { [phase: string]: 'Succeeded' | 'Failed' };
  /** What is told of a failure. */
  why?: { object: string | null; sentence: string; evidence: string[]; logs?: string[] | undefined } | undefined;
}

/** One object that the agent itself put into the namespace: quota, limits, network policy, a copied secret. */
export interface FurnitureEntry extends InventoryEntry {
  /** Fingerprint of what was written last; empty before that. */
  want: string;
}

/**
 * What one incarnation has in the cluster. It is written before the cluster is, so that nothing there is ever
 * unowned: entries without a UID may or may not exist.
 */
export interface Inventory {
  slug: string;
  incarnation: number;
  namespace: string;
  /** null until the namespace was made. */
  namespaceUid: string | null;
  /** Fingerprint of the file that was last applied in full; null while that never happened. */
  revision: string | null;
  /** Fingerprint of the file that is being applied, or was; absent before the first. */
  target?: string | undefined;
  objects: InventoryEntry[];
  /** What the file asked for in vain; absent: nothing. */
  remarks?: InventoryRemark[] | undefined;
  /** Absent: the namespace was never furnished. */
  furniture?: FurnitureEntry[] | undefined;
  /** Whose preview it is, as the file says it, such as `acme/shop!42`; absent where the file never did. */
  mergeRequests?: string | undefined;
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** Why it is torn down, once that was decided; a decision is never taken back. */
  condemned: string | null;
}

/** The identity of an incarnation as a key: `shop-42#3`. */
export function pairKey(pair: { slug: string; incarnation: number }): string {
  return `${pair.slug}#${pair.incarnation}`;
}
