import { type KubeObject, objectAt, textAt } from '../object.js';
import { nodeName } from './kubelet.js';
import { controlled, controllerOf, createPod, deleteQuietly, isReady, setStatus, withoutEmpty } from './ownership.js';
import type { Runtime } from './runtime.js';
import { templateHash } from './template-hash.js';

const component = 'daemonset-controller';
const storage = 'daemonsets.apps';
const revisionLabel = 'controller-revision-hash';

/** Keeps one pod of each DaemonSet on the one node. */
export function daemonSetController(runtime: Runtime): void {
  const reconcile = runtime.queue('daemonset', (namespace, name) => {
    const set = runtime.state.store.get(storage, namespace, name);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return;
    const revision = templateHash(objectAt(set, 'spec', 'template'));
    step(runtime, set, revision);
    tellStatus(runtime, set, revision);
  });
  runtime.onChange(storage, ({ type, object }) => {
    if (type !== 'DELETED') reconcile(object.metadata.namespace ?? '', object.metadata.name);
  });
  runtime.onChange('pods', ({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'DaemonSet') reconcile(object.metadata.namespace ?? '', owner.name);
  });
}

function step(runtime: Runtime, set: KubeObject, revision: string): void {
  const pods = controlled(runtime, set, 'pods');
  if (pods.length === 0) {
    const template = objectAt(set, 'spec', 'template');
    createPod(runtime, set, template, { labels: { [revisionLabel]: revision }, spec: { nodeName } }, component);
    return;
  }
  if (textAt(set, 'spec', 'updateStrategy', 'type') === 'OnDelete') return;
  for (const pod of pods) {
    if (pod.metadata.labels?.[revisionLabel] === revision || pod.metadata.deletionTimestamp !== undefined) continue;
    deleteQuietly(runtime, 'pods', pod);
    runtime.record(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`, { component });
  }
}

function tellStatus(runtime: Runtime, set: KubeObject, revision: string): void {
  const pods = controlled(runtime, set, 'pods').filter((pod) => pod.metadata.deletionTimestamp === undefined);
  const ready = pods.filter(isReady).length;
  const updated = pods.filter((pod) => pod.metadata.labels?.[revisionLabel] === revision).length;
  setStatus(runtime, storage, set, {
    observedGeneration: set.metadata.generation ?? 1,
    desiredNumberScheduled: 1,
    currentNumberScheduled: Math.min(1, pods.length),
    numberMisscheduled: 0,
    numberReady: ready,
    ...withoutEmpty({
      updatedNumberScheduled: updated,
      numberAvailable: ready,
      numberUnavailable: 1 - Math.min(1, ready),
    }),
  });
}
