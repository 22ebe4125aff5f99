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
  objects: InventoryEntry[];
  /** Milliseconds since the epoch. */
  createdAt: number;
  /** Why it is torn down, once that was decided; a decision is never taken back. */
  condemned: string | null;
}

/** The identity of an incarnation as a key: `shop-42#3`. */
export function pairKey(pair: { slug: string; incarnation: number }): string {
  return `${pair.slug}#${pair.incarnation}`;
}
