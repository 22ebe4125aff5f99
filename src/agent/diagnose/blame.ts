import { displayName } from '../manifest.js';

/** What a container's own status says of its fault. */
export interface ContainerFault {
  name: string;
  init: boolean;
  /** Of its last end; null: it has not ended so far. */
  exitCode: number | null;
  /** Why it ended when the exit code alone does not tell: `OOMKilled`; otherwise empty. */
  ended: string;
  restarts: number;
  /** It runs now: what it prints is still being written. */
  running: boolean;
}

/** The object that most likely holds the preview up, and what is known of its fault: outsiders' texts. */
export interface Blame {
  kind: string;
  name: string;
  /** `ImagePullBackOff`, `CrashLoopBackOff`, `Unschedulable`, `NotReady`, `FailedCreate`, … */
  reason: string;
  message: string;
  /** It will not get better by waiting a little. */
  stuck: boolean;
  /** Of a pod: the container to blame; null when the object as a whole is. */
  container: ContainerFault | null;
}

/** The whole in one sentence, not yet redacted. */
export function sentenceOf(blame: Blame): string {
  const { container } = blame;
  const message = blame.message === '' ? '' : `: ${blame.message}`;
  if (container === null) return `${displayName(blame)} is ${blame.reason}${message}`;
  const where = `${container.init ? 'init container' : 'container'} ${container.name}`;
  const ended = container.ended === '' ? '' : ` (${container.ended})`;
  const exit = container.exitCode === null ? '' : `, last exit code ${container.exitCode}${ended}`;
  const restarts = container.restarts === 0 ? '' : `, ${container.restarts} restarts`;
  return `${displayName(blame)}, ${where} is ${blame.reason}${exit}${restarts}${message}`;
}
