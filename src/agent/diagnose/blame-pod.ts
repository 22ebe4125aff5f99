import { count, fields, type Manifest, records, text } from '../manifest.js';

/** The pod that most likely holds the preview up, and what its own status says. */
export interface Blame {
  pod: Manifest;
  /** null when the pod as a whole is to blame: it was not scheduled. */
  container: string | null;
  /** `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`, `NotReady`, … */
  reason: string;
  message: string;
  exitCode: number | null;
  restarts: number;
  /** It has started before: its last run has logs. */
  ranBefore: boolean;
  /** It will not get better by waiting a little. */
  stuck: boolean;
}

/** Reasons for which the kubelet keeps trying without hope until somebody changes something. */
const hopeless: ReadonlySet<string> = new Set([
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerConfigError',
  'CreateContainerError',
]);

/** A container that ended more often than this is failing, not finding its feet. */
const toleratedRestarts = 2;

/** The worst of the pods; null when none of them is in trouble. */
export function blamePod(pods: readonly Manifest[]): Blame | null {
  const blames = pods.flatMap((pod) => {
    const blame = judgePod(pod);
    return blame === null ? [] : [blame];
  });
  return blames.sort((a, b) => rank(b) - rank(a))[0] ?? null;
}

function rank(blame: Blame): number {
  if (blame.stuck) return 4;
  if (blame.exitCode !== null && blame.exitCode !== 0) return 3;
  return blame.reason === 'NotReady' ? 1 : 2;
}

function judgePod(pod: Manifest): Blame | null {
  const status = fields(pod.status);
  if (pod.metadata.deletionTimestamp !== undefined || status.phase === 'Succeeded') return null;
  const conditions = records(status.conditions);
  const unscheduled = conditions.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  const whole = { pod, container: null, exitCode: null, restarts: 0, ranBefore: false };
  if (unscheduled !== undefined) {
    return { ...whole, reason: text(unscheduled.reason), message: text(unscheduled.message), stuck: false };
  }
  const containers = [...records(status.initContainerStatuses), ...records(status.containerStatuses)];
  for (const container of containers) {
    const blame = judgeContainer(pod, container);
    if (blame !== null) return blame;
  }
  if (status.phase === 'Failed') {
    return { ...whole, reason: text(status.reason) || 'Failed', message: text(status.message), stuck: true };
  }
  return null;
}

function judgeContainer(pod: Manifest, container: Record<string, unknown>): Blame | null {
  const state = fields(container.state);
  const waiting = fields(state.waiting);
  const ended = fields(state.terminated ?? fields(container.lastState).terminated);
  const restarts = count(container.restartCount);
  const exitCode = typeof ended.exitCode === 'number' ? ended.exitCode : null;
  const common = { pod, container: text(container.name), exitCode, restarts, ranBefore: exitCode !== null };
  const reason = text(waiting.reason);
  if (reason !== '' && reason !== 'ContainerCreating' && reason !== 'PodInitializing') {
    const crashing = reason === 'CrashLoopBackOff' && restarts > toleratedRestarts;
    return { ...common, reason, message: text(waiting.message), stuck: hopeless.has(reason) || crashing };
  }
  if (state.terminated !== undefined && exitCode !== 0) {
    return { ...common, reason: text(ended.reason) || 'Error', message: text(ended.message), stuck: false };
  }
  if (state.running !== undefined && container.ready === false) {
    const message =
      exitCode === null ? 'it runs and its readiness probe has not passed' : 'it was restarted and is not ready';
    return { ...common, reason: 'NotReady', message, stuck: false };
  }
  return null;
}
