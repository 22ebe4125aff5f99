import { ApiError } from '../api-error.js';
import type { Kind } from '../kind.js';
import { at, equal, type JsonObject, type KubeObject, listAt, objectAt, textAt, timestamp } from '../object.js';
import { createObject } from '../write/create.js';
import { deleteObject } from '../write/delete.js';
import { plainWrite } from '../write/options.js';
import type { Runtime } from './runtime.js';

/** The ownerReference by which a controller claims what it makes. */
export function controllerReference(owner: KubeObject): NonNullable<KubeObject['metadata']['ownerReferences']>[number] {
  const { apiVersion, kind } = owner;
  const { name, uid = '' } = owner.metadata;
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true };
}

/** The objects of a storage that an owner controls. */
export function controlled(runtime: Runtime, owner: KubeObject, storage: string): KubeObject[] {
  const { uid = '' } = owner.metadata;
  return runtime.state.store
    .owned(uid)
    .filter((entry) => entry.storage === storage && controllerOf(entry.object)?.uid === uid)
    .map((entry) => entry.object)
    .sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}

export function controllerOf(object: KubeObject): { kind: string; name: string; uid: string } | undefined {
  return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

export function kindOf(runtime: Runtime, storage: string): Kind {
  const kind = runtime.state.kinds.byStorage(storage);
  if (kind === undefined) throw new Error(`the stand-in has no ${storage}`);
  return kind;
}

/** Makes a pod from a template for an owner, and tells so in an event. */
export function createPod(
  runtime: Runtime,
  owner: KubeObject,
  template: unknown,
  identity: { name?: string; labels?: Record<string, string>; spec?: JsonObject },
  component: string,
): KubeObject {
  const metadata = objectAt(template, 'metadata');
  const pod: KubeObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(metadata.annotations === undefined
        ? {}
        : { annotations: objectAt(metadata, 'annotations') as Record<string, string> }),
      labels: { ...(objectAt(metadata, 'labels') as Record<string, string>), ...identity.labels },
      name: identity.name ?? '',
      ...(identity.name === undefined ? { generateName: `${owner.metadata.name}-` } : {}),
      ownerReferences: [controllerReference(owner)],
    },
    spec: { ...structuredClone(objectAt(template, 'spec')), ...identity.spec },
  };
  const made = createObject(runtime.state, kindOf(runtime, 'pods'), owner.metadata.namespace ?? '', pod, plainWrite);
  const what =
    identity.name === undefined || owner.kind !== 'StatefulSet' ? `Created pod: ${made.metadata.name}` : undefined;
  const text = what ?? `create Pod ${made.metadata.name} in StatefulSet ${owner.metadata.name} successful`;
  runtime.record(owner, 'Normal', 'SuccessfulCreate', text, { component });
  return made;
}

/** Deletes an object in the background; one that is gone already is fine. */
export function deleteQuietly(runtime: Runtime, storage: string, object: KubeObject): void {
  const { namespace = '', name, uid } = object.metadata;
  try {
    deleteObject(runtime.state, kindOf(runtime, storage), namespace, name, {
      dryRun: false,
      propagation: 'Background',
      graceSeconds: undefined,
      uid,
      resourceVersion: undefined,
    });
  } catch (error) {
    if (!(error instanceof ApiError) || (error.reason !== 'NotFound' && error.reason !== 'Conflict')) throw error;
  }
}

/** Writes a status when it differs from the one that stands there. */
export function setStatus(runtime: Runtime, storage: string, object: KubeObject, status: JsonObject): void {
  const { namespace = '', name } = object.metadata;
  const current = runtime.state.store.get(storage, namespace, name);
  if (current === undefined || current.metadata.uid !== object.metadata.uid || equal(current.status, status)) return;
  runtime.state.store.put(storage, { ...current, status });
}

export interface Condition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason?: string;
  message?: string;
}

/** Conditions with one set: its transition time moves only when its status does. */
export function withCondition(before: unknown, condition: Condition, times: JsonObject = {}): JsonObject[] {
  const conditions = listAt({ before }, 'before');
  const earlier = conditions.find((entry) => entry.type === condition.type);
  const same = earlier !== undefined && earlier.status === condition.status;
  const lastTransitionTime = same ? textAt(earlier, 'lastTransitionTime') : timestamp();
  const next = { ...condition, ...times, lastTransitionTime };
  return earlier === undefined ? [...conditions, next] : conditions.map((entry) => (entry === earlier ? next : entry));
}

/** Drops members that are zero or undefined, as the API leaves empty fields out. */
export function withoutEmpty(status: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(status).filter(([, value]) => value !== 0 && value !== undefined));
}

export function isReady(pod: KubeObject): boolean {
  return hasCondition(pod, 'Ready');
}

function hasCondition(object: KubeObject, type: string): boolean {
  return listAt(object, 'status', 'conditions').some((entry) => entry.type === type && entry.status === 'True');
}

/** A pod that still counts: neither ended nor on its way out. */
export function isActive(pod: KubeObject): boolean {
  const phase = at(pod, 'status', 'phase');
  return phase !== 'Succeeded' && phase !== 'Failed' && pod.metadata.deletionTimestamp === undefined;
}
