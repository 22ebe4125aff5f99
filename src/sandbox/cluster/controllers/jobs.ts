import { at, type JsonObject, type KubeObject, listAt, numberAt, objectAt, textAt, timestamp } from '../object.js';
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

const component = 'job-controller';
const storage = 'jobs.batch';

/** Runs Jobs to their end. A pod that fails is tried again at once, where a real cluster waits longer each time. */
export function jobController(runtime: Runtime): void {
  const { store } = runtime.state;
  const reconcile = runtime.queue('job', (namespace, name) => {
    const job = store.get(storage, namespace, name);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return;
    if (isEnded(job)) expire(runtime, job);
    else run(runtime, job);
  });
  runtime.onChange(storage, ({ type, object }) => {
    const { namespace = '', name } = object.metadata;
    if (type === 'DELETED') runtime.cancel(`job/${namespace}/${name}`);
    else reconcile(namespace, name);
  });
  runtime.onChange('pods', ({ object }) => {
    const owner = controllerOf(object);
    if (owner?.kind === 'Job') reconcile(object.metadata.namespace ?? '', owner.name);
  });
}

function run(runtime: Runtime, job: KubeObject): void {
  const pods = controlled(runtime, job, 'pods');
  const inPhase = (phase: string) => pods.filter((pod) => at(pod, 'status', 'phase') === phase).length;
  const [succeeded, failed] = [inPhase('Succeeded'), inPhase('Failed')];
  const active = pods.filter(isActive);
  const parallelism = numberAt(job, 'spec', 'parallelism') ?? 1;
  const completions = numberAt(job, 'spec', 'completions');
  const suspended = job.spec?.suspend === true;
  const startTime = textAt(job, 'status', 'startTime') ?? (suspended ? undefined : timestamp());
  const numbers = { startTime, succeeded, failed };

  const ending = endingOf(runtime, job, { failed, succeeded, active: active.length, startTime });
  if (ending !== undefined) {
    finish(runtime, job, numbers, ending);
    return;
  }
  if (suspended) for (const pod of active) deleteQuietly(runtime, 'pods', pod);
  const wished = Math.min(parallelism, (completions ?? Number.POSITIVE_INFINITY) - succeeded);
  const more = completions === undefined && succeeded > 0 ? 0 : wished - active.length;
  for (let missing = suspended ? 0 : more; missing > 0; missing -= 1) {
    active.push(createPod(runtime, job, objectAt(job, 'spec', 'template'), {}, component));
  }
  setStatus(runtime, storage, job, {
    ...withoutEmpty({ ...numbers, active: suspended ? 0 : active.length }),
    ready: active.filter(isReady).length,
    ...(suspended ? { conditions: [condition('Suspended', 'JobSuspended', 'Job suspended', job)] } : {}),
  });
}

/** How a Job ends. */
interface Ending {
  /** The reason of a failure; undefined when it is complete. */
  failure: string | undefined;
  message: string;
}

function endingOf(
  runtime: Runtime,
  job: KubeObject,
  now: { failed: number; succeeded: number; active: number; startTime: string | undefined },
): Ending | undefined {
  const completions = numberAt(job, 'spec', 'completions');
  if (now.failed > (numberAt(job, 'spec', 'backoffLimit') ?? 6)) {
    return { failure: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
  }
  if (now.succeeded >= (completions ?? 1) && (completions !== undefined || now.active === 0)) {
    return { failure: undefined, message: 'Reached expected number of succeeded pods' };
  }
  if (!isOverdue(runtime, job, now.startTime)) return undefined;
  return { failure: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
}

function isOverdue(runtime: Runtime, job: KubeObject, startTime: string | undefined): boolean {
  const seconds = numberAt(job, 'spec', 'activeDeadlineSeconds');
  if (seconds === undefined || startTime === undefined) return false;
  const leftMs = Date.parse(startTime) + seconds * 1000 - Date.now();
  const { namespace = '', name } = job.metadata;
  if (leftMs > 0) {
    runtime.later(`job/${namespace}/${name}`, leftMs, () => {
      const current = runtime.state.store.get(storage, namespace, name);
      if (current !== undefined && !isEnded(current)) run(runtime, current);
    });
  }
  return leftMs <= 0;
}

/** Writes the end of a Job: failed for a reason, or complete. */
function finish(runtime: Runtime, job: KubeObject, numbers: JsonObject, { failure, message }: Ending): void {
  for (const pod of controlled(runtime, job, 'pods').filter(isActive)) deleteQuietly(runtime, 'pods', pod);
  const [before, end] = failure === undefined ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed'];
  const reason = failure ?? 'CompletionsReached';
  setStatus(runtime, storage, job, {
    ...withoutEmpty(numbers),
    ready: 0,
    ...(failure === undefined ? { completionTime: timestamp() } : {}),
    conditions: [condition(before, reason, message, job), condition(end, reason, message, job)],
  });
  if (failure === undefined) runtime.record(job, 'Normal', 'Completed', 'Job completed', { component });
  else runtime.record(job, 'Warning', failure, message, { component });
}

function condition(type: string, reason: string, message: string, job: KubeObject): JsonObject {
  const before = listAt(job, 'status', 'conditions').find((entry) => entry.type === type);
  const now = timestamp();
  return before ?? { type, status: 'True', reason, message, lastProbeTime: now, lastTransitionTime: now };
}

function isEnded(job: KubeObject): boolean {
  return listAt(job, 'status', 'conditions').some(
    (entry) => (entry.type === 'Complete' || entry.type === 'Failed') && entry.status === 'True',
  );
}

/** Deletes an ended Job once its `ttlSecondsAfterFinished` is over. */
function expire(runtime: Runtime, job: KubeObject): void {
  const seconds = numberAt(job, 'spec', 'ttlSecondsAfterFinished');
  if (seconds === undefined) return;
  const { namespace = '', name } = job.metadata;
  runtime.later(`job/${namespace}/${name}`, seconds * 1000, () => deleteQuietly(runtime, storage, job));
}
