import { type JsonObject, type KubeObject, listAt, textAt } from '../object.js';
import { controllerOf } from './ownership.js';

/** What becomes of a pod, by the tag of its first image. */
export type Fate = 'ready' | 'missing' | 'crash' | 'unready' | 'slow' | 'completes' | 'fails';

export function fateOf(pod: KubeObject): Fate {
  const image = String(listAt(pod, 'spec', 'containers')[0]?.image ?? '');
  const tag = image.slice(image.lastIndexOf(':') + 1);
  if (tag === 'missing' || tag === 'crash') return tag;
  if (controllerOf(pod)?.kind === 'Job') return tag === 'fail' ? 'fails' : 'completes';
  return tag === 'unready' || tag === 'slow' ? tag : 'ready';
}

export function isSlow(pod: KubeObject): boolean {
  return String(listAt(pod, 'spec', 'containers')[0]?.image ?? '').endsWith(':slow');
}

/** Why an image cannot be had, as the kubelet words it. */
export function pullError(image: string): string {
  return `rpc error: code = NotFound desc = failed to resolve reference "${image}": manifest unknown`;
}

/** How often a container that crashes has been started again when its pod settles. */
const crashRestarts = 4;

/** The status of a pod that its node has taken up and is still preparing. */
export function creatingStatus(pod: KubeObject, now: string): JsonObject {
  const containers = listAt(pod, 'spec', 'containers').map((container) =>
    containerStatus(container, false, 0, { waiting: { reason: 'ContainerCreating' } }),
  );
  return { ...base(pod, now, 'Pending', false), containerStatuses: containers };
}

/** The status in which a pod settles. */
export function settledStatus(pod: KubeObject, fate: Fate, now: string, podIp: string): JsonObject {
  const ready = fate === 'ready' || fate === 'slow';
  const ended = fate === 'completes' || fate === 'fails';
  const phase =
    fate === 'missing' ? 'Pending' : fate === 'completes' ? 'Succeeded' : fate === 'fails' ? 'Failed' : 'Running';
  const own = listAt(pod, 'spec', 'containers');
  const status: JsonObject = {
    ...base(pod, now, phase, ready, ended ? 'PodCompleted' : undefined),
    containerStatuses: own.map((container) => settledContainer(container, fate, now)),
  };
  const preparing = listAt(pod, 'spec', 'initContainers');
  if (preparing.length > 0) {
    status.initContainerStatuses = preparing.map((container) => ({
      ...containerStatus(container, true, 0, terminated(0, 'Completed', now)),
      started: false,
    }));
  }
  return fate === 'missing' ? status : { ...status, podIP: podIp, podIPs: [{ ip: podIp }] };
}

function settledContainer(container: JsonObject, fate: Fate, now: string): JsonObject {
  const image = String(container.image);
  switch (fate) {
    case 'missing': {
      const message = `Back-off pulling image "${image}": ErrImagePull: ${pullError(image)}`;
      return containerStatus(container, false, 0, { waiting: { reason: 'ImagePullBackOff', message } });
    }
    case 'crash': {
      const message = `back-off 1m20s restarting failed container=${container.name}`;
      const waiting = containerStatus(container, false, crashRestarts, {
        waiting: { reason: 'CrashLoopBackOff', message },
      });
      return { ...waiting, lastState: terminated(1, 'Error', now) };
    }
    case 'completes':
      return containerStatus(container, false, 0, terminated(0, 'Completed', now));
    case 'fails':
      return containerStatus(container, false, 0, terminated(1, 'Error', now));
    case 'unready':
      return { ...containerStatus(container, false, 0, { running: { startedAt: now } }), started: true };
    case 'ready':
    case 'slow':
      return { ...containerStatus(container, true, 0, { running: { startedAt: now } }), started: true };
    default:
      return fate satisfies never;
  }
}

function containerStatus(container: JsonObject, ready: boolean, restartCount: number, state: JsonObject): JsonObject {
  const { name, image } = container;
  return { name, image, imageID: '', ready, started: false, restartCount, state, lastState: {} };
}

function terminated(exitCode: number, reason: string, now: string): JsonObject {
  return { terminated: { exitCode, reason, startedAt: now, finishedAt: now } };
}

function base(pod: KubeObject, now: string, phase: string, ready: boolean, unreadyReason?: string): JsonObject {
  const names = listAt(pod, 'spec', 'containers')
    .map((container) => container.name)
    .join(' ');
  const unready =
    unreadyReason === undefined
      ? { reason: 'ContainersNotReady', message: `containers with unready status: [${names}]` }
      : { reason: unreadyReason };
  const condition = (type: string, isTrue: boolean) => ({
    type,
    status: isTrue ? 'True' : 'False',
    lastProbeTime: null,
    lastTransitionTime: now,
    ...(isTrue ? {} : unready),
  });
  return {
    phase,
    conditions: [
      condition('PodReadyToStartContainers', true),
      condition('Initialized', true),
      condition('Ready', ready),
      condition('ContainersReady', ready),
      condition('PodScheduled', true),
    ],
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    startTime: textAt(pod, 'status', 'startTime') ?? now,
    qosClass: 'BestEffort',
  };
}
