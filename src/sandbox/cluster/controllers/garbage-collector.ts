import { equal, type KubeObject } from '../object.js';
import type { Change } from '../store.js';
import type { Stored } from '../stored.js';
import { isFinished } from '../write/update.js';
import { deleteQuietly } from './ownership.js';
import type { Runtime } from './runtime.js';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/** Deletes what no owner is left for; lets owners go whose deletion waits for their dependents. */
export function garbageCollector(runtime: Runtime): void {
  const { store } = runtime.state;
  const collect = runtime.queue('garbage', (_, uid) => {
    const entry = store.byUid(uid);
    if (entry !== undefined && !hasOwner(runtime, entry.object)) deleteQuietly(runtime, entry.storage, entry.object);
  });
  const release = runtime.queue('owner', (_, uid) => {
    const entry = store.byUid(uid);
    if (entry !== undefined) letGo(runtime, entry);
  });
  const onChange = ({ type, object, previous }: Change) => {
    const { uid = '', ownerReferences = [], finalizers = [], deletionTimestamp } = object.metadata;
    if (type === 'DELETED') {
      for (const dependent of store.owned(uid)) collect('', dependent.object.metadata.uid ?? '');
      for (const owner of ownerReferences) release('', owner.uid);
      return;
    }
    const claimed = ownerReferences.length > 0 && !equal(ownerReferences, previous?.metadata.ownerReferences);
    if (claimed && deletionTimestamp === undefined) collect('', uid);
    const waits = finalizers.includes(foreground) || finalizers.includes(orphan);
    if (deletionTimestamp !== undefined && waits) release('', uid);
  };
  for (const storage of new Set(runtime.state.kinds.all().map((kind) => kind.storage))) {
    runtime.onChange(storage, onChange);
  }
}

/** An object whose owners are all gone has none; one that names no owner needs none. */
function hasOwner(runtime: Runtime, object: KubeObject): boolean {
  const owners = object.metadata.ownerReferences ?? [];
  return owners.length === 0 || owners.some((owner) => runtime.state.store.byUid(owner.uid) !== undefined);
}

function letGo(runtime: Runtime, owner: Stored): void {
  const { uid = '', finalizers = [], deletionTimestamp } = owner.object.metadata;
  if (deletionTimestamp === undefined) return;
  const dependents = runtime.state.store.owned(uid);
  if (finalizers.includes(orphan)) {
    for (const dependent of dependents) disown(runtime, dependent, uid);
    dropFinalizer(runtime, owner, orphan);
  } else if (finalizers.includes(foreground)) {
    for (const { storage, object } of dependents) {
      if (object.metadata.deletionTimestamp === undefined) deleteQuietly(runtime, storage, object);
    }
    if (runtime.state.store.owned(uid).length === 0) dropFinalizer(runtime, owner, foreground);
  }
}

function disown(runtime: Runtime, dependent: Stored, uid: string): void {
  const { ownerReferences = [], ...metadata } = dependent.object.metadata;
  const rest = ownerReferences.filter((owner) => owner.uid !== uid);
  const kept = rest.length === 0 ? metadata : { ...metadata, ownerReferences: rest };
  runtime.state.store.put(dependent.storage, { ...dependent.object, metadata: kept });
}

function dropFinalizer(runtime: Runtime, entry: Stored, finalizer: string): void {
  const { finalizers = [], ...metadata } = entry.object.metadata;
  const rest = finalizers.filter((each) => each !== finalizer);
  const object = { ...entry.object, metadata: rest.length === 0 ? metadata : { ...metadata, finalizers: rest } };
  if (isFinished(object)) runtime.state.store.remove(entry.storage, metadata.namespace ?? '', metadata.name);
  else runtime.state.store.put(entry.storage, object);
}
