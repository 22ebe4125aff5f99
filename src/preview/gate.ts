import type { GateReading } from './facts.js';
import type { Policy } from './policy.js';

/** What the pipeline gate says, and of which sha. A stored verdict is `{state: 'open'}`. */
export interface ShaGate {
  sha: string;
  reading: GateReading;
}

export type JobStatus =
  | 'created'
  | 'waiting_for_resource'
  | 'preparing'
  | 'pending'
  | 'running'
  | 'success'
  | 'failed'
  | 'canceled'
  | 'canceling'
  | 'skipped'
  | 'manual'
  | 'scheduled';

/** A job or a bridge (trigger job) of a pipeline. */
export interface PipelineJob {
  /** GitLab's; of two with one name the higher id is the retry. */
  id: number;
  name: string;
  status: JobStatus;
  allowFailure: boolean;
  /** Posted through the commit status API: by us or by an outsider, and never counted. */
  external?: boolean;
}

/** A job in the words of the gate: what it contributes to the whole. */
type Contribution = 'passed' | 'ignored' | 'failed' | 'unfinished' | 'manual';

/** What the note says where no pipeline exists. */
export const noPipelineDetail =
  'There is no pipeline for this commit. A project without CI sets `gate.pipeline: none`.';

/** Whether `sha` may be deployed; null: nobody has asked GitLab about this sha yet. */
export function gateFor(policy: Pick<Policy, 'gatePipeline'>, sha: string, gate: ShaGate | null): GateReading | null {
  if (policy.gatePipeline === 'none') {
    return { state: 'open' };
  }
  return gate !== null && gate.sha === sha ? gate.reading : null;
}

/**
 * The state of a pipeline from its jobs and bridges, as GitLab would compute it without external statuses: a job that
 * may fail, an optional manual job and a skipped job stand in nobody's way; a blocking manual job does. Null: there
 * is no pipeline.
 */
export function pipelineState(jobs: readonly PipelineJob[] | null): GateReading {
  if (jobs === null) {
    return { state: 'waiting', detail: noPipelineDetail };
  }
  const counted = newestOfEachName(jobs.filter((job) => job.external !== true));
  if (counted.length === 0) {
    return { state: 'waiting', detail: noPipelineDetail };
  }
  const named = (wanted: Contribution) => counted.filter((job) => contribution(job) === wanted);
  const [failed] = named('failed');
  if (failed !== undefined) {
    return {
      state: 'failed',
      detail: `The job ${failed.name} ${failed.status === 'failed' ? 'failed' : 'was canceled'}.`,
    };
  }
  const unfinished = named('unfinished');
  if (unfinished.length > 0) {
    return { state: 'waiting', detail: `Jobs not finished yet: ${unfinished.length} of ${counted.length}.` };
  }
  const [manual] = named('manual');
  if (manual !== undefined) {
    return { state: 'waiting', detail: `The manual job ${manual.name} was not started.` };
  }
  return named('passed').length > 0
    ? { state: 'open' }
    : { state: 'waiting', detail: 'All jobs of the pipeline were skipped.' };
}

function newestOfEachName(jobs: readonly PipelineJob[]): PipelineJob[] {
  const newest = new Map<string, PipelineJob>();
  for (const job of jobs) {
    const known = newest.get(job.name);
    if (known === undefined || known.id < job.id) {
      newest.set(job.name, job);
    }
  }
  return [...newest.values()];
}

function contribution(job: PipelineJob): Contribution {
  switch (job.status) {
    case 'success':
      return 'passed';
    case 'skipped':
      return 'ignored';
    case 'failed':
    case 'canceled':
      return job.allowFailure ? 'passed' : 'failed';
    case 'manual':
      return job.allowFailure ? 'ignored' : 'manual';
    case 'created':
    case 'waiting_for_resource':
    case 'preparing':
    case 'pending':
    case 'running':
    case 'canceling':
    case 'scheduled':
      return 'unfinished';
    default: {
      // A status of a newer GitLab: it is not known to have succeeded.
      job.status satisfies never;
      return 'unfinished';
    }
  }
}
