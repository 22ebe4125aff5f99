import { fields, type Manifest, records, text } from '../manifest.js';
import type { Blame } from './blame.js';
import { blameContainer } from './blame-container.js';
import { newestOf, type Warning } from './warnings.js';

/** What the kubelet tells in an event alone while a pod waits to be made. */
const preparation: ReadonlySet<string> = new Set([
  'FailedMount',
  'FailedAttachVolume',
  'FailedCreatePodSandBox',
  'FailedPostStartHook',
]);

/** What mounts a missing secret or claim may still appear: certificates take a minute or so. */
const patienceMs = 120_000;

export interface PodFaults {
  pod: Manifest;
  blame: Blame;
}

/** The pod in the worst trouble, the newest of several; null when none is in trouble. */
export function blamePod(pods: readonly Manifest[], warnings: readonly Warning[], now: number): PodFaults | null {
  const found = pods.flatMap((pod) => {
    const blame = judgePod(pod, warnings, now);
    return blame === null ? [] : [{ pod, blame }];
  });
  return found.sort((a, b) => rank(b.blame) - rank(a.blame) || ageMs(a.pod, now) - ageMs(b.pod, now))[0] ?? null;
}

function rank({ stuck, container, reason }: Blame): number {
  if (stuck) return 4;
  if (container !== null && container.exitCode !== null && container.exitCode !== 0) return 3;
  return reason === 'NotReady' ? 1 : 2;
}

/** How long an object has been there, milliseconds; for ever when it does not say. */
export function ageMs(object: Manifest, now: number): number {
  const createdAt = Date.parse(text(object.metadata.creationTimestamp));
  return Number.isNaN(createdAt) ? Number.POSITIVE_INFINITY : now - createdAt;
}

function judgePod(pod: Manifest, warnings: readonly Warning[], now: number): Blame | null {
  const status = fields(pod.status);
  if (pod.metadata.deletionTimestamp !== undefined || status.phase === 'Succeeded') return null;
  const { name } = pod.metadata;
  const conditions = records(status.conditions);
  const whole = { kind: 'Pod', name, container: null };
  const unscheduled = conditions.find(({ type, status: is }) => type === 'PodScheduled' && is === 'False');
  if (unscheduled !== undefined) {
    // A cluster may grow a node for it.
    return { ...whole, reason: text(unscheduled.reason), message: text(unscheduled.message), stuck: false };
  }
  const age = ageMs(pod, now);
  for (const [list, init] of [['initContainerStatuses', true] as const, ['containerStatuses', false] as const]) {
    for (const container of records(status[list])) {
      const blame = blameContainer({ pod: name, init, status: container, ageMs: age, warnings });
      if (blame !== null) return blame;
    }
  }
  if (status.phase === 'Failed') {
    // Evicted, or past its deadline: what made it makes another one, or fails itself.
    return { ...whole, reason: text(status.reason) || 'Failed', message: text(status.message), stuck: false };
  }
  if (status.phase === 'Pending') {
    const event = newestOf(warnings, { kind: 'Pod', name }, preparation);
    return event && { ...whole, reason: event.reason, message: event.message, stuck: age > patienceMs };
  }
  const ready = conditions.find(({ type }) => type === 'Ready');
  return ready?.status === 'False' && ready.reason === 'ReadinessGatesNotReady'
    ? { ...whole, reason: 'NotReady', message: text(ready.message), stuck: false }
    : null;
}
