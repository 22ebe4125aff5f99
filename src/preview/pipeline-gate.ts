import type { GateReading } from './facts.js';

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
  /** Its page in GitLab; absent or null when GitLab gives none of its own. */
  webUrl?: string | null;
}

/** A job in the words of the gate: what it contributes to the whole. */
type Contribution = 'passed' | 'ignored' | 'failed' | 'unfinished' | 'manual';

/** What the note says where no pipeline exists. */
export const noPipelineDetail =
  'There is no pipeline for this commit. A project without CI sets `gate.pipeline: none`.';

/** What the note says of a pipeline that was made without a single job. */
export const emptyPipelineDetail =
  'The pipeline has no jobs: CI was skipped for this commit, or its configuration is not valid.';

/** What the note says of a pipeline in which nothing ran. */
export const skippedDetail = 'All jobs of the pipeline were skipped.';

/** The state of a pipeline that GitLab made without jobs: nothing in it will ever run. */
export const emptyPipelineState: GateReading = { state: 'failed', detail: emptyPipelineDetail };

/**
 * The state of a pipeline from its jobs and bridges, as GitLab would compute it without external statuses: a job that
 * may fail, an optional manual job and a skipped job stand in nobody's way; a blocking manual job does. Null: there
 * is no pipeline.
 */
export function pipelineState(jobs: readonly PipelineJob[] | null): GateReading {
  const counted = countedJobs(jobs ?? []);
  if (counted.length === 0) {
    return { state: 'waiting', detail: noPipelineDetail };
  }
  const named = (wanted: Contribution) => counted.filter((job) => contribution(job) === wanted);
  const failed = oldest(named('failed'));
  if (failed !== undefined) {
    return failedBecauseOf(failed);
  }
  const unfinished = named('unfinished');
  if (unfinished.length > 0) {
    return { state: 'waiting', detail: `Jobs not finished yet: ${unfinished.length} of ${counted.length}.` };
  }
  const [manual] = named('manual');
  if (manual !== undefined) {
    return { state: 'waiting', detail: `The manual job ${manual.name} was not started.`, link: manual.webUrl ?? null };
  }
  return named('passed').length > 0 ? { state: 'open' } : nothingRan(counted);
}

/**
 * Whether the named jobs succeeded, whatever the rest of the pipelines does. `pipelines`: the jobs of each pipeline
 * of the sha that counts, the one that is looked at first before the others; a job is judged where it is found first.
 * A job that may fail has to succeed too: somebody named it.
 */
export function jobsState(names: readonly string[], pipelines: readonly (readonly PipelineJob[])[]): GateReading {
  const counted = pipelines.map(countedJobs).filter((jobs) => jobs.length > 0);
  if (counted.length === 0) {
    return { state: 'waiting', detail: noPipelineDetail };
  }
  let waiting: GateReading | null = null;
  for (const name of names) {
    const jobs = counted.find((list) => list.some((job) => job.name === name));
    // Any of them that still runs may create it yet.
    const reading = jobState(name, jobs ?? counted.flat());
    if (reading.state === 'failed') {
      return reading;
    }
    waiting ??= reading.state === 'waiting' ? reading : null;
  }
  return waiting ?? { state: 'open' };
}

function jobState(name: string, jobs: readonly PipelineJob[]): GateReading {
  const job = jobs.find((one) => one.name === name);
  if (job === undefined) {
    const detail = `The pipeline has no job ${name}.`;
    // A pipeline that still runs may create it yet, in a child pipeline.
    const isOver = jobs.every((one) => contribution(one) !== 'unfinished');
    return { state: isOver ? 'failed' : 'waiting', detail };
  }
  const link = job.webUrl ?? null;
  switch (job.status) {
    case 'success':
      return { state: 'open' };
    case 'failed':
    case 'canceled':
      return failedBecauseOf(job);
    case 'skipped':
      return skippedBecause(job, jobs);
    case 'manual':
      return { state: 'waiting', detail: `The manual job ${name} was not started.`, link };
    default:
      return { state: 'waiting', detail: `The job ${name} has not finished.`, link };
  }
}

/** A job is skipped because one before it failed: that one is to blame. */
function skippedBecause(job: PipelineJob, jobs: readonly PipelineJob[]): GateReading {
  const blamed = oldest(jobs.filter((one) => contribution(one) === 'failed'));
  return blamed === undefined
    ? { state: 'failed', detail: `The job ${job.name} was skipped.`, link: job.webUrl ?? null }
    : failedBecauseOf(blamed);
}

function failedBecauseOf(job: PipelineJob): GateReading {
  const what = job.status === 'failed' ? 'failed' : 'was canceled';
  return { state: 'failed', detail: `The job ${job.name} ${what}.`, link: job.webUrl ?? null };
}

/** Nothing runs and nothing ever did: skipped altogether, or only manual jobs that nobody has to start. */
function nothingRan(counted: readonly PipelineJob[]): GateReading {
  const manual = counted.find((job) => job.status === 'manual');
  return manual === undefined
    ? { state: 'failed', detail: skippedDetail }
    : { state: 'waiting', detail: `The manual job ${manual.name} was not started.`, link: manual.webUrl ?? null };
}

/** Newest run of each job, without what was posted through the commit status API. */
function countedJobs(jobs: readonly PipelineJob[]): PipelineJob[] {
  const newest = new Map<string, PipelineJob>();
  for (const job of jobs) {
    const known = newest.get(job.name);
    if (job.external !== true && (known === undefined || known.id < job.id)) {
      newest.set(job.name, job);
    }
  }
  return [...newest.values()];
}

/** The same job is blamed whichever way GitLab sorts its list. */
function oldest(jobs: readonly PipelineJob[]): PipelineJob | undefined {
  return jobs.reduce<PipelineJob | undefined>(
    (first, job) => (first === undefined || job.id < first.id ? job : first),
    undefined,
  );
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
