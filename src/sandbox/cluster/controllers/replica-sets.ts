import { type KubeObject, numberAt, objectAt } from '../object.js';
import {
  controlled,
  controllerOf,
  createPod,
  deleteQuietly,
  isActive,
  isReady,
  setStatus,
  withoutEmpty,
} from './ownership.js';
import type { Runtime } from './runtime.js';

const component = 'replicaset-controller';

/** Keeps as many pods as a ReplicaSet wishes, and its status true. */
export function replicaSetController(runtime: Runtime): void {
  const { store } = runtime.state;
  const reconcile = runtime.queue('replicaset', (namespace, name) => {
    const set = store.get('replicasets.apps', namespace, name);
    if (set === undefined) return;
    const pods = controlled(runtime, set, 'pods');
    if (set.metadata.deletionTimestamp === undefined) scale(runtime, set, pods.filter(isActive));
    tellStatus(runtime, set);
  });
  runtime.onChange('replicasets.apps', ({ type, object }) => {
    if (type !== 'DELETED') reconcile(object.metadata.namespace ?? '', object.metadata.name);
  });
  runtime.onChange('pods', ({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'ReplicaSet') reconcile(object.metadata.namespace ?? '', owner.name);
  });
}

function scale(runtime: Runtime, set: KubeObject, pods: KubeObject[]): void {
  const wished = numberAt(set, 'spec', 'replicas') ?? 1;
  for (let missing = wished - pods.length; missing > 0; missing -= 1) {
    createPod(runtime, set, objectAt(set, 'spec', 'template'), {}, component);
  }
  const surplus = pods
    .toSorted((a, b) => Number(isReady(a)) - Number(isReady(b)))
    .slice(0, Math.max(0, pods.length - wished));
  for (const pod of surplus) {
    deleteQuietly(runtime, 'pods', pod);
    runtime.record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, { component });
  }
}

function tellStatus(runtime: Runtime, set: KubeObject): void {
  const pods = controlled(runtime, set, 'pods').filter(isActive);
  const ready = pods.filter(isReady).length;
  setStatus(runtime, 'replicasets.apps', set, {
    replicas: pods.length,
    ...withoutEmpty({ fullyLabeledReplicas: pods.length, readyReplicas: ready, availableReplicas: ready }),
    observedGeneration: set.metadata.generation ?? 1,
  });
}
