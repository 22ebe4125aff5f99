import { count, fields, text } from '../manifest.js';
import type { Blame, ContainerFault } from './blame.js';
import { newestOf, type Warning } from './warnings.js';

export interface ContainerInput {
  pod: string;
  init: boolean;
  /** Its entry in the pod's status. */
  status: Record<string, unknown>;
  /** Of the pod. */
  ageMs: number;
  warnings: readonly Warning[];
}

/** While these are told, nothing is wrong yet. */
const starting: ReadonlySet<string> = new Set(['', 'ContainerCreating', 'PodInitializing']);

/** Reasons for which the kubelet keeps trying without hope until somebody changes something. */
const hopeless: ReadonlySet<string> = new Set([
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'CreateContainerError',
  'RunContainerError',
]);

/** A secret or config map that is missing now may be made by a controller in the next moments. */
const missingConfig = 'CreateContainerConfigError';
const missingConfigMs = 20_000;

/** A container that ended more often than this is failing, not finding its feet. */
const toleratedRestarts = 2;

/** Reasons of an end that say no more than the exit code. */
const plainEnds: ReadonlySet<string> = new Set(['', 'Error', 'Completed']);

const unhealthy: ReadonlySet<string> = new Set(['Unhealthy']);

/** What a container's status holds against it; null: nothing. */
export function blameContainer(input: ContainerInput): Blame | null {
  const { status } = input;
  const state = fields(status.state);
  const reason = text(fields(state.waiting).reason);
  const ended = fields(state.terminated ?? fields(status.lastState).terminated);
  const fault = faultOf(input, ended);
  const common = { kind: 'Pod', name: input.pod, container: fault };
  if (!starting.has(reason)) {
    const crashing = reason === 'CrashLoopBackOff' && fault.restarts > toleratedRestarts;
    const missing = reason === missingConfig && input.ageMs > missingConfigMs;
    const message = text(ended.message) || text(fields(state.waiting).message);
    return { ...common, reason, message, stuck: hopeless.has(reason) || crashing || missing };
  }
  if (state.terminated !== undefined && fault.exitCode !== 0) {
    return { ...common, reason: text(ended.reason) || 'Error', message: text(ended.message), stuck: false };
  }
  // An init container that runs is doing its work.
  if (state.running === undefined || status.ready !== false || input.init) return null;
  return { ...common, reason: 'NotReady', message: notReady(input, fault), stuck: false };
}

function faultOf({ status, init }: ContainerInput, ended: Record<string, unknown>): ContainerFault {
  const exitCode = typeof ended.exitCode === 'number' ? ended.exitCode : null;
  const why = text(ended.reason);
  return {
    name: text(status.name),
    init,
    exitCode,
    ended: plainEnds.has(why) ? '' : why,
    restarts: count(status.restartCount),
    running: fields(status.state).running !== undefined,
  };
}

function notReady({ pod, status, warnings }: ContainerInput, fault: ContainerFault): string {
  const what =
    fault.exitCode !== null
      ? 'it was restarted and is not ready'
      : `it runs and its ${status.started === false ? 'startup' : 'readiness'} probe has not passed`;
  const event = newestOf(warnings, { kind: 'Pod', name: pod }, unhealthy);
  return event === null ? what : `${what}: ${event.message}`;
}
