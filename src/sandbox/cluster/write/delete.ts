import { conflict, notFound } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import type { Kind } from '../kind.js';
import { type KubeObject, numberAt, timestamp } from '../object.js';
import type { Matcher } from '../selectors.js';
import type { DeleteOptions } from './options.js';
import { isFinished } from './update.js';

export interface Deleted {
  /** The last state, or the state in which it waits for its finalizers. */
  object: KubeObject;
  gone: boolean;
}

/** Deletes an object as DELETE does: at once, or marked until its finalizers (or the kubelet) are done. */
export function deleteObject(
  state: ClusterState,
  kind: Kind,
  namespace: string,
  name: string,
  options: DeleteOptions,
): Deleted {
  const before = state.store.get(kind.storage, namespace, name);
  if (before === undefined) throw notFound(kind, name);
  checkPreconditions(kind, before, options);
  const marked = mark(before, options);
  if (options.dryRun) return { object: before, gone: true };
  if (isFinished(marked)) return { object: state.store.remove(kind.storage, namespace, name) ?? before, gone: true };
  if (before.metadata.deletionTimestamp !== undefined && !shortens(before, marked))
    return { object: before, gone: false };
  return { object: state.store.put(kind.storage, marked), gone: false };
}

/** Deletes all that match; returns their last states. */
export function deleteCollection(
  state: ClusterState,
  kind: Kind,
  namespace: string | undefined,
  matches: Matcher | undefined,
  options: DeleteOptions,
): KubeObject[] {
  const chosen = state.store.list(kind.storage, namespace).filter((object) => matches?.(object) ?? true);
  return chosen.map(
    ({ metadata }) => deleteObject(state, kind, metadata.namespace ?? '', metadata.name, options).object,
  );
}

function checkPreconditions(kind: Kind, before: KubeObject, options: DeleteOptions): void {
  const { name, uid, resourceVersion } = before.metadata;
  const named = { group: kind.group, plural: kind.kind };
  if (options.uid !== undefined && options.uid !== uid) {
    const why = `the UID in the precondition (${options.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`;
    throw conflict(named, name, why);
  }
  if (options.resourceVersion !== undefined && options.resourceVersion !== resourceVersion) {
    const why = `the ResourceVersion in the precondition (${options.resourceVersion}) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`;
    throw conflict(named, name, why);
  }
}

/** The state in which an object waits to be gone. */
function mark(before: KubeObject, options: DeleteOptions): KubeObject {
  const object = structuredClone(before);
  const isPod = object.kind === 'Pod';
  // A pod that no node runs has nobody who would end it gracefully.
  const scheduled = isPod && object.spec?.nodeName !== undefined && !isEnded(object);
  const own = numberAt(object, 'spec', 'terminationGracePeriodSeconds') ?? 30;
  const grace = scheduled ? (options.graceSeconds ?? own) : 0;
  object.metadata.deletionTimestamp ??= timestamp(Date.now() + grace * 1000);
  if (object.kind === 'Namespace') {
    object.status = { ...object.status, phase: 'Terminating' };
    return object;
  }
  object.metadata.deletionGracePeriodSeconds = Math.min(grace, before.metadata.deletionGracePeriodSeconds ?? grace);
  const extra = { Foreground: ['foregroundDeletion'], Orphan: ['orphan'], Background: [] }[options.propagation];
  const finalizers = [...new Set([...(object.metadata.finalizers ?? []), ...extra])];
  if (finalizers.length > 0) object.metadata.finalizers = finalizers;
  return object;
}

function shortens(before: KubeObject, marked: KubeObject): boolean {
  const [now = 0, then = 0] = [marked.metadata.deletionGracePeriodSeconds, before.metadata.deletionGracePeriodSeconds];
  return now < then || (marked.metadata.finalizers?.length ?? 0) > (before.metadata.finalizers?.length ?? 0);
}

function isEnded(pod: KubeObject): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}
