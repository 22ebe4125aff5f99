import type { KubeObject } from './object.js';
import { createObjectIndex } from './object-index.js';
import type { AppliedSets, Stored } from './stored.js';

export interface Change {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  storage: string;
  object: KubeObject;
  /** The state before; absent for ADDED. */
  previous?: KubeObject;
  revision: number;
}

/** All objects of the cluster, in memory, with one revision counter as etcd has. */
export interface Store {
  revision(): number;
  /** The oldest revision from which a watch can still be resumed. */
  oldestRevision(): number;
  get(storage: string, namespace: string, name: string): KubeObject | undefined;
  applied(storage: string, namespace: string, name: string): AppliedSets;
  /** Sorted by namespace and name; all namespaces when none is named. */
  list(storage: string, namespace?: string): KubeObject[];
  /** Everything in a namespace, of every storage that holds something there. */
  content(namespace: string): Stored[];
  byUid(uid: string): Stored | undefined;
  /** The objects whose ownerReferences name this uid. */
  owned(uid: string): Stored[];
  /** Writes an object under a new revision; returns what is stored. Without `applied` the sets stay as they were. */
  put(storage: string, object: KubeObject, applied?: AppliedSets): KubeObject;
  /** Takes an object away under a new revision; returns its last state. */
  remove(storage: string, namespace: string, name: string): KubeObject | undefined;
  /** Changes after a revision, oldest first; only asked when it is not older than `oldestRevision()`. */
  since(storage: string, revision: number): Change[];
  subscribe(listener: (change: Change) => void): () => void;
}

/** Enough for a watch that reconnects after minutes; older ones get 410 Gone and list again. */
const historyLength = 20_000;

export function createStore(initial: { revision: number; entries: Iterable<Stored> }): Store {
  const index = createObjectIndex();
  const listeners = new Set<(change: Change) => void>();
  const history = createHistory(initial.revision);
  let revision = initial.revision;
  for (const entry of initial.entries) index.add(entry);

  function announce(change: Change): void {
    history.add(change);
    for (const listener of listeners) listener(change);
  }
  return {
    revision: () => revision,
    oldestRevision: history.oldest,
    get: (storage, namespace, name) => index.find(storage, namespace, name)?.object,
    applied: (storage, namespace, name) => index.find(storage, namespace, name)?.applied ?? {},
    list: index.list,
    content: index.content,
    byUid: index.byUid,
    owned: index.owned,
    put(storage, object, applied) {
      const { namespace = '', name } = object.metadata;
      const before = index.find(storage, namespace, name);
      revision += 1;
      const written = versioned(object, revision);
      if (before !== undefined) index.remove(before);
      index.add({ storage, object: written, applied: applied ?? before?.applied ?? {} });
      const type = before === undefined ? 'ADDED' : 'MODIFIED';
      announce({ type, storage, object: written, revision, ...(before && { previous: before.object }) });
      return written;
    },
    remove(storage, namespace, name) {
      const before = index.find(storage, namespace, name);
      if (before === undefined) return undefined;
      revision += 1;
      index.remove(before);
      const last = versioned(before.object, revision);
      announce({ type: 'DELETED', storage, object: last, previous: before.object, revision });
      return last;
    },
    since: history.since,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function versioned(object: KubeObject, revision: number): KubeObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } };
}

interface History {
  add(change: Change): void;
  oldest(): number;
  since(storage: string, revision: number): Change[];
}

/** The last changes, oldest first. */
function createHistory(revision: number): History {
  let changes: Change[] = [];
  let oldest = revision;
  return {
    add(change) {
      changes.push(change);
      if (changes.length <= historyLength * 1.25) return;
      changes = changes.slice(-historyLength);
      oldest = (changes[0]?.revision ?? change.revision) - 1;
    },
    oldest: () => oldest,
    since(storage, from) {
      let start = changes.length;
      while (start > 0 && (changes[start - 1]?.revision ?? 0) > from) start -= 1;
      return changes.slice(start).filter((change) => change.storage === storage);
    },
  };
}
