import { type KubeObject, listAt, textAt, timestamp } from '../object.js';
import { creatingStatus, type Fate, fateOf, isSlow, pullError, settledStatus } from './pod-status.js';
import type { Runtime } from './runtime.js';

/** The one node on which every pod runs. */
export const nodeName = 'sandbox';

/** How long a pod of an image tagged `:slow` takes. */
const slowMs = 5_000;

/** Scheduler and kubelet in one: binds pods to the node, gives them their fate, and ends deleted ones. */
export function kubelet(runtime: Runtime): void {
  const reconcile = runtime.queue('pod', (namespace, name) => {
    const pod = runtime.state.store.get('pods', namespace, name);
    if (pod === undefined) return;
    if (pod.metadata.deletionTimestamp !== undefined) end(runtime, pod);
    else if (textAt(pod, 'status', 'startTime') === undefined) start(runtime, pod);
    else if (textAt(pod, 'status', 'phase') === 'Pending' && fateOf(pod) !== 'missing') settleLater(runtime, pod);
    else if (hasNewImage(pod)) settle(runtime, pod);
  });
  runtime.onChange('pods', ({ type, object }) => {
    const { namespace = '', name } = object.metadata;
    if (type === 'DELETED') runtime.cancel(`pod/${namespace}/${name}`);
    else reconcile(namespace, name);
  });
}

function start(runtime: Runtime, pod: KubeObject): void {
  const { namespace = '', name } = pod.metadata;
  const bound = { ...pod, spec: { ...pod.spec, nodeName: pod.spec?.nodeName ?? nodeName } };
  runtime.record(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`, {
    component: 'default-scheduler',
  });
  if (isSlow(pod)) {
    runtime.state.store.put('pods', { ...bound, status: creatingStatus(bound, timestamp()) });
    settleLater(runtime, bound);
  } else {
    settle(runtime, bound);
  }
}

function settleLater(runtime: Runtime, pod: KubeObject): void {
  const { namespace = '', name, uid } = pod.metadata;
  const startedMs = Date.parse(textAt(pod, 'status', 'startTime') ?? '') || Date.now();
  // Start times are cut to the second: one more, and never longer than a fresh start takes.
  const leftMs = Math.min(slowMs, Math.max(0, startedMs + 1000 + slowMs - Date.now()));
  runtime.later(`pod/${namespace}/${name}`, leftMs, () => {
    const current = runtime.state.store.get('pods', namespace, name);
    if (current !== undefined && current.metadata.uid === uid) settle(runtime, current);
  });
}

function settle(runtime: Runtime, pod: KubeObject): void {
  const fate = fateOf(pod);
  const ip = textAt(pod, 'status', 'podIP') ?? runtime.state.allocatePodIp();
  runtime.state.store.put('pods', { ...pod, status: settledStatus(pod, fate, timestamp(), ip) });
  for (const container of listAt(pod, 'spec', 'containers')) {
    tell(runtime, pod, fate, String(container.name), String(container.image));
  }
}

function tell(runtime: Runtime, pod: KubeObject, fate: Fate, container: string, image: string): void {
  const source = { component: 'kubelet', fieldPath: `spec.containers{${container}}` };
  const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    runtime.record(pod, type, reason, message, source);
  if (fate === 'missing') {
    say('Normal', 'Pulling', `Pulling image "${image}"`);
    say('Warning', 'Failed', `Failed to pull image "${image}": ${pullError(image)}`);
    say('Warning', 'Failed', 'Error: ErrImagePull');
    say('Normal', 'BackOff', `Back-off pulling image "${image}"`);
    return;
  }
  say('Normal', 'Pulled', `Container image "${image}" already present on machine`);
  say('Normal', 'Created', `Created container: ${container}`);
  say('Normal', 'Started', `Started container ${container}`);
  const { namespace, name, uid } = pod.metadata;
  if (fate === 'crash') {
    say('Warning', 'BackOff', `Back-off restarting failed container ${container} in pod ${name}_${namespace}(${uid})`);
  }
  if (fate === 'unready') say('Warning', 'Unhealthy', 'Readiness probe failed: HTTP probe failed with statuscode: 503');
}

/** A container's image is what may change in a running pod. */
function hasNewImage(pod: KubeObject): boolean {
  const running = listAt(pod, 'status', 'containerStatuses');
  return listAt(pod, 'spec', 'containers').some((container, i) => container.image !== running[i]?.image);
}

function end(runtime: Runtime, pod: KubeObject): void {
  const { namespace = '', name, finalizers = [] } = pod.metadata;
  if (textAt(pod, 'status', 'phase') === 'Running' && pod.metadata.deletionGracePeriodSeconds !== 0) {
    for (const container of listAt(pod, 'spec', 'containers')) {
      const source = { component: 'kubelet', fieldPath: `spec.containers{${container.name}}` };
      runtime.record(pod, 'Normal', 'Killing', `Stopping container ${container.name}`, source);
    }
  }
  if (finalizers.length === 0) runtime.state.store.remove('pods', namespace, name);
  else if (pod.metadata.deletionGracePeriodSeconds !== 0) {
    const metadata = { ...pod.metadata, deletionGracePeriodSeconds: 0 };
    runtime.state.store.put('pods', { ...pod, metadata });
  }
}
