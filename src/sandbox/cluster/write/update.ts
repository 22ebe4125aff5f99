import { fillDefaults } from '../admit/defaults.js';
import { faultsOf } from '../admit/validate.js';
import { badRequest, conflict, invalid, modified, notFound } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import type { Kind } from '../kind.js';
import { equal, type KubeObject, textAt } from '../object.js';
import type { AppliedSets } from '../stored.js';
import type { WriteOptions } from './options.js';

/** Which part of an object a write is for: all but the status, or one subresource. */
export type Part = 'main' | 'status' | 'finalize';

/** Replaces an object as PUT does. Throws NotFound, Conflict when it was made from an older state, Invalid. */
export function updateObject(
  state: ClusterState,
  kind: Kind,
  namespace: string,
  name: string,
  wish: KubeObject,
  options: WriteOptions,
  part: Part = 'main',
): KubeObject {
  if (wish.metadata.name !== name) {
    throw badRequest(`the name of the object (${wish.metadata.name}) does not match the name on the URL (${name})`);
  }
  const before = state.store.get(kind.storage, namespace, name);
  if (before === undefined) throw notFound(kind, name);
  const { uid } = wish.metadata;
  if (uid !== undefined && uid !== before.metadata.uid) {
    const key = `/registry/${kind.plural}/${namespace === '' ? '' : `${namespace}/`}${name}`;
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${before.metadata.uid}`;
    throw conflict(
      kind,
      name,
      `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: ${why}`,
    );
  }
  return replaceObject(state, kind, before, wish, options, part);
}

/** Writes `wish` over `before`, once it is known to be its next state; a write that changes nothing is none. */
export function replaceObject(
  state: ClusterState,
  kind: Kind,
  before: KubeObject,
  wish: KubeObject,
  options: WriteOptions,
  part: Part = 'main',
  applied?: AppliedSets,
): KubeObject {
  const { name, namespace = '' } = before.metadata;
  const from = wish.metadata.resourceVersion;
  if (from !== undefined && from !== '' && from !== before.metadata.resourceVersion) {
    throw conflict(kind, name, modified);
  }
  const object = merged(kind, before, wish, part);
  if (part === 'main') {
    fillDefaults(object);
    const faults = faultsOf(object, before);
    if (faults.length > 0) throw invalid(kind, name, faults);
    if (kind.generation && !equal(wished(object), wished(before))) {
      object.metadata.generation = (before.metadata.generation ?? 1) + 1;
    }
  }
  if (options.dryRun) return object;
  if (isFinished(object)) {
    state.store.remove(kind.storage, namespace, name);
    return object;
  }
  const sets = applied ?? state.store.applied(kind.storage, namespace, name);
  if (equal(object, before) && equal(sets, state.store.applied(kind.storage, namespace, name))) return before;
  return state.store.put(kind.storage, object, sets);
}

/** Whether nothing holds a deleted object any more. */
export function isFinished(object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = object.metadata;
  if (deletionTimestamp === undefined || finalizers.length > 0) return false;
  if (object.kind === 'Namespace')
    return !Array.isArray(object.spec?.finalizers) || object.spec.finalizers.length === 0;
  return object.kind !== 'Pod' || deletionGracePeriodSeconds === 0;
}

function merged(kind: Kind, before: KubeObject, wish: KubeObject, part: Part): KubeObject {
  const object = structuredClone(wish);
  if (part === 'status') {
    const { status: _, ...rest } = structuredClone(before);
    return object.status === undefined ? rest : { ...rest, status: object.status };
  }
  if (part === 'finalize') return { ...structuredClone(before), ...(object.spec && { spec: object.spec }) };
  const kept: Record<string, unknown> = {};
  const own = ['namespace', 'creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'generation'];
  for (const key of [...own, 'resourceVersion']) kept[key] = before.metadata[key];
  const uid = object.metadata.uid ?? before.metadata.uid;
  object.metadata = clean({ ...object.metadata, ...kept, ...(uid === undefined ? {} : { uid }) });
  if (kind.status) {
    delete object.status;
    if (before.status !== undefined) object.status = structuredClone(before.status);
  }
  keepAllocated(object, before);
  return object;
}

/** A writer may leave out what the server gave: a Service keeps its address, a Namespace its finalizers. */
function keepAllocated(object: KubeObject, before: KubeObject): void {
  if (object.kind === 'Namespace' && before.spec !== undefined) object.spec = structuredClone(before.spec);
  if (object.kind !== 'Service' || object.spec?.type === 'ExternalName') return;
  for (const field of ['clusterIP', 'clusterIPs']) {
    const given = before.spec?.[field];
    if (object.spec !== undefined && !textAt(object.spec, field) && given !== undefined) object.spec[field] ??= given;
  }
}

function clean(metadata: KubeObject['metadata']): KubeObject['metadata'] {
  const entries = Object.entries(metadata).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(entries) as KubeObject['metadata']), name: metadata.name };
}

/** What a generation counts changes of. */
function wished(object: KubeObject): Record<string, unknown> {
  const { metadata: _, status: __, ...rest } = object;
  return rest;
}
