import { compositeStatus } from '../composite-status.js';
import type { GitLabContext } from '../context.js';
import type { CommitRecord, Job, JobPlan, JobStatus, MergeRequest, Pipeline, Project, User } from '../model.js';
import { indexPipeline, nextId } from '../state.js';

export interface PipelineStart {
  project: Project;
  user: User;
  ref: string;
  sha: string;
  commit: CommitRecord | null;
  /** For pipelines of source `merge_request_event`. */
  mergeRequest?: MergeRequest;
}

const finished: readonly JobStatus[] = ['success', 'failed', 'canceled', 'skipped'];

function isFinished(status: JobStatus): boolean {
  return finished.includes(status);
}

/** What the API calls its ref: of a merge request pipeline not the branch, which only webhooks name. */
export function pipelineRef(pipeline: Pipeline): string {
  const { mergeRequestIid } = pipeline;
  return mergeRequestIid === null ? pipeline.ref : `refs/merge-requests/${mergeRequestIid}/head`;
}

/** Runs the project's own jobs after a push, or for a merge request when that is what it wants. */
export function runPlannedPipeline(ctx: GitLabContext, start: PipelineStart): void {
  const plan = start.project.pipelinePlan;
  if (plan === null) return;
  const { mergeRequest, ...push } = start;
  if (plan.source === 'push' && mergeRequest === undefined) runPipeline(ctx, push, plan.jobs, 'push');
  if (plan.source !== 'merge_request_event') return;
  const open = mergeRequest ? [mergeRequest] : (ctx.index.openBySource.get(`${start.project.id}:${start.ref}`) ?? []);
  for (const one of open) {
    if (one.projectId === start.project.id) {
      runPipeline(ctx, { ...push, mergeRequest: one }, plan.jobs, 'merge_request_event');
    }
  }
}

export function runPipeline(ctx: GitLabContext, start: PipelineStart, jobs: JobPlan[], source: string): Pipeline {
  const pipeline = createPipeline(ctx, start, source);
  for (const plan of jobs) pipeline.jobs.push(plannedJob(ctx, start.user, plan));
  refreshStatus(ctx, start.project, pipeline, true);
  for (const job of pipeline.jobs) ctx.emit({ kind: 'job', project: start.project, pipeline, job });
  startReadyJobs(ctx, start.project, pipeline);
  return pipeline;
}

export function createPipeline(ctx: GitLabContext, start: PipelineStart, source: string): Pipeline {
  const { project, ref, sha, user } = start;
  const now = ctx.clock();
  project.lastPipelineIid += 1;
  const pipeline: Pipeline = {
    id: nextId(ctx.state, 'pipeline'),
    iid: project.lastPipelineIid,
    ref,
    sha,
    source,
    commit: start.commit,
    mergeRequestIid: start.mergeRequest?.iid ?? null,
    userId: user.id,
    status: 'created',
    createdAt: now,
    updatedAt: now,
    startedAt: null,
    finishedAt: null,
    jobs: [],
  };
  project.pipelines.set(pipeline.id, pipeline);
  indexPipeline(ctx.index, project, pipeline);
  return pipeline;
}

function plannedJob(ctx: GitLabContext, user: User, plan: JobPlan): Job {
  const durationMs = plan.durationMs === undefined ? 0 : plan.durationMs;
  return {
    id: nextId(ctx.state, 'job'),
    kind: plan.kind ?? 'build',
    name: plan.name,
    stage: plan.stage ?? 'test',
    status: 'created',
    // A manual job that nobody must press does not hold the pipeline up, as in GitLab.
    allowFailure: plan.allowFailure ?? plan.manual ?? false,
    manual: plan.manual ?? false,
    userId: user.id,
    description: null,
    targetUrl: null,
    coverage: null,
    environment: null,
    createdAt: ctx.clock(),
    startedAt: null,
    finishedAt: null,
    retried: false,
    plan: durationMs === null ? null : { outcome: plan.outcome ?? 'success', durationMs },
  };
}

/** Computes the pipeline's status again and tells of it when it differs. */
export function refreshStatus(ctx: GitLabContext, project: Project, pipeline: Pipeline, isNew = false): void {
  const status = compositeStatus(pipeline.jobs) ?? pipeline.status;
  if (status === pipeline.status && !isNew) return;
  const now = ctx.clock();
  pipeline.status = status;
  pipeline.updatedAt = now;
  if (status !== 'created' && status !== 'pending') pipeline.startedAt ??= now;
  pipeline.finishedAt = isFinished(status) ? now : null;
  ctx.emit({ kind: 'pipeline', project, pipeline });
}

export function setJobStatus(
  ctx: GitLabContext,
  project: Project,
  pipeline: Pipeline,
  job: Job,
  status: JobStatus,
): void {
  if (job.status === status) return;
  const now = ctx.clock();
  job.status = status;
  if (status === 'running') job.startedAt ??= now;
  if (isFinished(status)) {
    job.startedAt ??= status === 'skipped' ? null : now;
    job.finishedAt = now;
  }
  ctx.emit({ kind: 'job', project, pipeline, job });
  refreshStatus(ctx, project, pipeline);
}

/** A job that a person or a test ends; what comes after it in the pipeline starts or is skipped. */
export function finishJob(
  ctx: GitLabContext,
  project: Project,
  pipeline: Pipeline,
  job: Job,
  outcome: JobStatus,
): void {
  setJobStatus(ctx, project, pipeline, job, outcome);
  startReadyJobs(ctx, project, pipeline);
}

/** Starts the first stage that is not through; after a failure the later ones are skipped. */
function startReadyJobs(ctx: GitLabContext, project: Project, pipeline: Pipeline): void {
  const own = pipeline.jobs.filter((job) => job.kind !== 'external' && !job.retried);
  for (const stage of new Set(own.map((job) => job.stage))) {
    const jobs = own.filter((job) => job.stage === stage);
    for (const job of jobs) if (job.status === 'created') startJob(ctx, project, pipeline, job);
    const status = compositeStatus(jobs) ?? 'success';
    if (status === 'failed' || status === 'canceled') {
      for (const job of own) if (job.status === 'created') setJobStatus(ctx, project, pipeline, job, 'skipped');
    }
    if (status !== 'success' && status !== 'skipped') return;
  }
}

function startJob(ctx: GitLabContext, project: Project, pipeline: Pipeline, job: Job): void {
  if (job.manual) setJobStatus(ctx, project, pipeline, job, 'manual');
  else {
    setJobStatus(ctx, project, pipeline, job, 'pending');
    runJob(ctx, project, pipeline, job);
  }
}

/** Lets a job run its course: at once `running`, its outcome when its time is over. */
function runJob(ctx: GitLabContext, project: Project, pipeline: Pipeline, job: Job): void {
  ctx.later(0, () => {
    if (job.status !== 'pending') return;
    setJobStatus(ctx, project, pipeline, job, 'running');
    scheduleOutcome(ctx, project, pipeline, job);
  });
}

function scheduleOutcome(ctx: GitLabContext, project: Project, pipeline: Pipeline, job: Job): void {
  const plan = job.plan;
  if (plan === null) return;
  ctx.later(plan.durationMs, () => {
    if (job.status === 'running') finishJob(ctx, project, pipeline, job, plan.outcome);
  });
}

/** Takes up what was running when the stand-in last stopped. */
export function resumePipelines(ctx: GitLabContext, project: Project): void {
  for (const pipeline of project.pipelines.values()) {
    for (const job of pipeline.jobs) {
      if (job.kind === 'external') continue;
      if (job.status === 'pending') runJob(ctx, project, pipeline, job);
      if (job.status === 'running') scheduleOutcome(ctx, project, pipeline, job);
    }
  }
}

export function cancelPipeline(ctx: GitLabContext, project: Project, pipeline: Pipeline): void {
  for (const job of pipeline.jobs) {
    if (job.kind !== 'external' && !isFinished(job.status)) setJobStatus(ctx, project, pipeline, job, 'canceled');
  }
}

/** The newest pipeline of the merge request's head. */
export function headPipeline(ctx: GitLabContext, mergeRequest: MergeRequest): Pipeline | null {
  for (const projectId of new Set([mergeRequest.projectId, mergeRequest.sourceProjectId])) {
    const ofSha = ctx.index.pipelinesBySha.get(`${projectId}:${mergeRequest.headSha}`) ?? [];
    const here = projectId === mergeRequest.projectId;
    const found = ofSha.findLast(
      ({ ref, mergeRequestIid }) => ref === mergeRequest.sourceBranch || (here && mergeRequestIid === mergeRequest.iid),
    );
    if (found !== undefined) return found;
  }
  return null;
}
