import { type JsonObject, type KubeObject, listAt, numberAt, textAt, timestamp } from '../object.js';
import { withoutEmpty } from './ownership.js';
import type { RolloutLimits } from './rollout.js';

type Numbers = Record<'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas', number>;

const count = (object: unknown, ...path: string[]) => numberAt(object, ...path) ?? 0;

/** A Deployment's status from its ReplicaSets, with the conditions Available and Progressing. */
export function deploymentStatus(
  deployment: KubeObject,
  fresh: KubeObject | undefined,
  all: readonly KubeObject[],
  limits: RolloutLimits,
  nowMs: number,
): JsonObject {
  const total = (...path: string[]) => all.reduce((sum, set) => sum + count(set, ...path), 0);
  const available = total('status', 'availableReplicas');
  const numbers = {
    replicas: total('status', 'replicas'),
    updatedReplicas: count(fresh, 'status', 'replicas'),
    readyReplicas: total('status', 'readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, total('spec', 'replicas') - available),
  };
  const isAvailable = available >= limits.replicas - limits.unavailable;
  const conditions = [
    progressing(deployment, fresh, numbers, limits, nowMs),
    availability(deployment, isAvailable, nowMs),
  ];
  return {
    observedGeneration: deployment.metadata.generation ?? 1,
    ...withoutEmpty(numbers),
    conditions: conditions.flatMap((condition) => condition ?? []),
  };
}

/** When the deadline of a rollout that goes on ends, in epoch ms; undefined when none runs. */
export function deadlineOf(deployment: KubeObject, status: JsonObject): number | undefined {
  const condition = listAt(status, 'conditions').find((entry) => entry.type === 'Progressing');
  if (condition === undefined || condition.status !== 'True' || condition.reason === 'NewReplicaSetAvailable') {
    return undefined;
  }
  const seconds = numberAt(deployment, 'spec', 'progressDeadlineSeconds') ?? 600;
  return Date.parse(textAt(condition, 'lastUpdateTime') ?? '') + seconds * 1000;
}

function progressing(
  deployment: KubeObject,
  fresh: KubeObject | undefined,
  numbers: Numbers,
  limits: RolloutLimits,
  nowMs: number,
): JsonObject | undefined {
  const before = conditionOf(deployment, 'Progressing');
  if (deployment.spec?.paused === true) {
    return next(before, 'Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused', nowMs, false);
  }
  if (fresh === undefined) return before;
  const set = `ReplicaSet "${fresh.metadata.name}"`;
  const { replicas, updatedReplicas, availableReplicas } = numbers;
  const complete = [replicas, updatedReplicas, availableReplicas].every((number) => number === limits.replicas);
  if (complete) {
    return next(
      before,
      'Progressing',
      'True',
      'NewReplicaSetAvailable',
      `${set} has successfully progressed.`,
      nowMs,
      false,
    );
  }
  const isOfThisSet = textAt(before, 'message')?.includes(`"${fresh.metadata.name}"`) ?? false;
  if (!isOfThisSet) {
    const message = `Created new replica set "${fresh.metadata.name}"`;
    return next(before, 'Progressing', 'True', 'NewReplicaSetCreated', message, nowMs, true);
  }
  // A set that was complete and lost a pod, or is scaled, is no new rollout.
  if (textAt(before, 'reason') === 'NewReplicaSetAvailable') return before;
  const advanced = hasAdvanced(deployment.status ?? {}, numbers);
  if (advanced) return next(before, 'Progressing', 'True', 'ReplicaSetUpdated', `${set} is progressing.`, nowMs, true);
  const deadline = deadlineOf(deployment, { conditions: before === undefined ? [] : [before] });
  if (deadline === undefined || nowMs < deadline) return before;
  return next(
    before,
    'Progressing',
    'False',
    'ProgressDeadlineExceeded',
    `${set} has timed out progressing.`,
    nowMs,
    false,
  );
}

/** Whether a rollout came nearer to its end: more new pods, fewer old ones, or more that serve. */
function hasAdvanced(then: JsonObject, now: Numbers): boolean {
  return (
    now.updatedReplicas > count(then, 'updatedReplicas') ||
    now.replicas - now.updatedReplicas < count(then, 'replicas') - count(then, 'updatedReplicas') ||
    now.readyReplicas > count(then, 'readyReplicas') ||
    now.availableReplicas > count(then, 'availableReplicas')
  );
}

function availability(deployment: KubeObject, isAvailable: boolean, nowMs: number): JsonObject {
  const before = conditionOf(deployment, 'Available');
  return isAvailable
    ? next(
        before,
        'Available',
        'True',
        'MinimumReplicasAvailable',
        'Deployment has minimum availability.',
        nowMs,
        false,
      )
    : next(
        before,
        'Available',
        'False',
        'MinimumReplicasUnavailable',
        'Deployment does not have minimum availability.',
        nowMs,
        false,
      );
}

function conditionOf(deployment: KubeObject, type: string): JsonObject | undefined {
  return listAt(deployment, 'status', 'conditions').find((entry) => entry.type === type);
}

/** The condition as it was when it says the same; `touch` moves its update time, from which the deadline counts. */
function next(
  before: JsonObject | undefined,
  type: string,
  status: string,
  reason: string,
  message: string,
  nowMs: number,
  touch: boolean,
): JsonObject {
  const now = timestamp(nowMs);
  const same = before?.status === status;
  if (same && before.reason === reason && before.message === message && !touch) return before;
  const lastTransitionTime = same ? before.lastTransitionTime : now;
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime };
}
