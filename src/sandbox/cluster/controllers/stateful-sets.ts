import { ApiError } from '../api-error.js';
import { type KubeObject, listAt, numberAt, objectAt, textAt } from '../object.js';
import { createObject } from '../write/create.js';
import { plainWrite } from '../write/options.js';
import {
  controlled,
  controllerOf,
  createPod,
  deleteQuietly,
  isReady,
  kindOf,
  setStatus,
  withoutEmpty,
} from './ownership.js';
import type { Runtime } from './runtime.js';
import { templateHash } from './template-hash.js';

const component = 'statefulset-controller';
const storage = 'statefulsets.apps';
const revisionLabel = 'controller-revision-hash';

/** Keeps the numbered pods of StatefulSets, one after the other, with a claim of their own each. */
export function statefulSetController(runtime: Runtime): void {
  const { store } = runtime.state;
  const reconcile = runtime.queue('statefulset', (namespace, name) => {
    const set = store.get(storage, namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const revision = `${name}-${templateHash(objectAt(set, 'spec', 'template'))}`;
    step(runtime, set, revision);
    tellStatus(runtime, set, revision);
  });
  runtime.onChange(storage, ({ type, object }) => {
    if (type !== 'DELETED') reconcile(object.metadata.namespace ?? '', object.metadata.name);
  });
  runtime.onChange('pods', ({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'StatefulSet') reconcile(object.metadata.namespace ?? '', owner.name);
  });
}

/** Does what can be done now: makes what is missing, removes what is too many, replaces one outdated pod. */
function step(runtime: Runtime, set: KubeObject, revision: string): void {
  const replicas = numberAt(set, 'spec', 'replicas') ?? 1;
  const parallel = textAt(set, 'spec', 'podManagementPolicy') === 'Parallel';
  const pods = new Map(controlled(runtime, set, 'pods').map((pod) => [ordinalOf(pod), pod]));
  for (let ordinal = 0; ordinal < replicas; ordinal += 1) {
    const pod = pods.get(ordinal);
    if (pod === undefined) makePod(runtime, set, ordinal, revision);
    // In order: the next pod waits until this one is ready.
    if (!parallel && (pod === undefined || !isReady(pod))) break;
  }
  const surplus = [...pods].filter(([ordinal]) => ordinal >= replicas).sort(([a], [b]) => b - a);
  for (const [, pod] of parallel ? surplus : surplus.slice(0, 1)) remove(runtime, set, pod);
  if (surplus.length > 0 || textAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return;
  replaceOutdated(runtime, set, pods, revision);
}

function replaceOutdated(runtime: Runtime, set: KubeObject, pods: Map<number, KubeObject>, revision: string): void {
  const partition = numberAt(set, 'spec', 'updateStrategy', 'rollingUpdate', 'partition') ?? 0;
  const downward = [...pods].sort(([a], [b]) => b - a);
  for (const [ordinal, pod] of downward) {
    if (ordinal < partition) return;
    if (pod.metadata.deletionTimestamp !== undefined) return;
    const outdated = pod.metadata.labels?.[revisionLabel] !== revision;
    if (outdated) remove(runtime, set, pod);
    if (outdated || !isReady(pod)) return;
  }
}

function makePod(runtime: Runtime, set: KubeObject, ordinal: number, revision: string): void {
  const name = `${set.metadata.name}-${ordinal}`;
  const template = objectAt(set, 'spec', 'template');
  const claims = listAt(set, 'spec', 'volumeClaimTemplates').map((claim) => makeClaim(runtime, set, claim, name));
  const volumes = [...listAt(template, 'spec', 'volumes'), ...claims];
  const labels = {
    [revisionLabel]: revision,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  };
  const spec = {
    hostname: name,
    ...(textAt(set, 'spec', 'serviceName') === undefined ? {} : { subdomain: set.spec?.serviceName }),
    ...(volumes.length === 0 ? {} : { volumes }),
  };
  createPod(runtime, set, template, { name, labels, spec }, component);
}

/** A pod's claim outlives it; returns the volume that mounts it. */
function makeClaim(runtime: Runtime, set: KubeObject, template: unknown, pod: string): Record<string, unknown> {
  const own = textAt(template, 'metadata', 'name') ?? 'data';
  const name = `${own}-${pod}`;
  const { namespace = '' } = set.metadata;
  const labels = objectAt(set, 'spec', 'selector', 'matchLabels') as Record<string, string>;
  const claim: KubeObject = {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, labels },
    spec: structuredClone(objectAt(template, 'spec')),
  };
  try {
    createObject(runtime.state, kindOf(runtime, 'persistentvolumeclaims'), namespace, claim, plainWrite);
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists') throw error;
  }
  return { name: own, persistentVolumeClaim: { claimName: name } };
}

function remove(runtime: Runtime, set: KubeObject, pod: KubeObject): void {
  if (pod.metadata.deletionTimestamp !== undefined) return;
  deleteQuietly(runtime, 'pods', pod);
  const message = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
  runtime.record(set, 'Normal', 'SuccessfulDelete', message, { component });
}

function ordinalOf(pod: KubeObject): number {
  return Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf('-') + 1));
}

function tellStatus(runtime: Runtime, set: KubeObject, revision: string): void {
  const pods = controlled(runtime, set, 'pods').filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const ready = pods.filter(isReady).length;
  const updated = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision);
  const replicas = numberAt(set, 'spec', 'replicas') ?? 1;
  const done = updated.length === replicas && pods.length === replicas && updated.every(isReady);
  const before = textAt(set, 'status', 'currentRevision');
  const currentRevision = done || before === undefined ? revision : before;
  const current = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === currentRevision).length;
  setStatus(runtime, storage, set, {
    observedGeneration: set.metadata.generation ?? 1,
    replicas: pods.length,
    availableReplicas: ready,
    ...withoutEmpty({ readyReplicas: ready, currentReplicas: current, updatedReplicas: updated.length }),
    currentRevision,
    updateRevision: revision,
    collisionCount: 0,
  });
}
