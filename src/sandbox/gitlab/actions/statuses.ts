import { type ApiError, badRequest, notFound } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { Job, JobStatus, Pipeline, Project, User } from '../model.js';
import { nextId } from '../state.js';
import { createPipeline, pipelineRef, refreshStatus, setJobStatus } from './pipelines.js';

export const postableStates = ['pending', 'running', 'success', 'failed', 'canceled', 'skipped'] as const;
type PostableState = (typeof postableStates)[number];

export interface NewStatus {
  sha: string;
  state: PostableState;
  /** Default `default`. */
  name?: string;
  ref?: string;
  pipelineId?: number;
  description?: string;
  targetUrl?: string;
  coverage?: number;
}

/**
 * A status as `POST …/statuses/:sha` makes it: it joins the newest pipeline of that sha (and ref), or makes one of
 * source `external`; a pending or running one of the same name and user is moved on, a finished one is replaced.
 */
export async function postStatus(
  ctx: GitLabContext,
  project: Project,
  user: User,
  input: NewStatus,
): Promise<{ pipeline: Pipeline; job: Job }> {
  const commit = await ctx.repository(project).commit(input.sha);
  if (commit === null) throw notFound('Commit');
  const matching = matchingPipeline(ctx, project, input);
  const ref = input.ref ?? (matching === undefined ? null : pipelineRef(matching)) ?? refWith(project, input.sha);
  if (ref === null) throw notFound('References for commit');
  if (input.pipelineId !== undefined && matching === undefined) {
    throw notFound('Pipeline for pipeline_id, sha and ref');
  }
  checkLengths(input);
  const pipeline = matching ?? createPipeline(ctx, { project, user, ref, sha: input.sha, commit }, 'external');
  const name = input.name ?? 'default';
  const job = openStatus(pipeline, name, user) ?? newStatus(ctx, pipeline, name, user);
  job.description = input.description ?? job.description;
  job.targetUrl = input.targetUrl ?? job.targetUrl;
  job.coverage = input.coverage ?? job.coverage;
  moveStatus(ctx, project, pipeline, job, input.state);
  if (matching === undefined) refreshStatus(ctx, project, pipeline);
  return { pipeline, job };
}

function matchingPipeline(ctx: GitLabContext, project: Project, input: NewStatus): Pipeline | undefined {
  return ctx.index.pipelinesBySha
    .get(`${project.id}:${input.sha}`)
    ?.findLast(
      (pipeline) =>
        (input.ref === undefined || pipelineRef(pipeline) === input.ref) &&
        (input.pipelineId === undefined || pipeline.id === input.pipelineId),
    );
}

/** GitLab looks for a branch that contains the commit; the head of one is enough here. */
function refWith(project: Project, sha: string): string | null {
  for (const [branch, head] of project.branches) if (head === sha) return branch;
  return null;
}

function checkLengths(input: NewStatus): void {
  const tooLong = ['is too long (maximum is 255 characters)'];
  if ((input.description?.length ?? 0) > 255) throw badRequest({ description: tooLong });
  if ((input.targetUrl?.length ?? 0) > 255) throw badRequest({ target_url: tooLong });
  if (input.targetUrl !== undefined && !/^https?:\/\//.test(input.targetUrl)) {
    throw badRequest({ target_url: ['is blocked: Only allowed schemes are http, https'] });
  }
}

function openStatus(pipeline: Pipeline, name: string, user: User): Job | undefined {
  return pipeline.jobs.find(
    (job) =>
      job.kind === 'external' &&
      job.name === name &&
      job.userId === user.id &&
      (job.status === 'pending' || job.status === 'running'),
  );
}

function newStatus(ctx: GitLabContext, pipeline: Pipeline, name: string, user: User): Job {
  for (const job of pipeline.jobs) if (job.kind === 'external' && job.name === name) job.retried = true;
  const job: Job = {
    id: nextId(ctx.state, 'job'),
    kind: 'external',
    name,
    stage: 'external',
    status: 'created',
    allowFailure: false,
    manual: false,
    userId: user.id,
    description: null,
    targetUrl: null,
    coverage: null,
    environment: null,
    createdAt: ctx.clock(),
    startedAt: null,
    finishedAt: null,
    retried: false,
    plan: null,
  };
  pipeline.jobs.push(job);
  return job;
}

/** The steps that GitLab's state machine allows; the others are refused by name. */
function moveStatus(ctx: GitLabContext, project: Project, pipeline: Pipeline, job: Job, state: PostableState): void {
  const refused = (event: string): ApiError =>
    badRequest(
      `Cannot transition status via :${event} from :${job.status} (Reason(s): Status cannot transition via "${event}")`,
    );
  if (state === 'pending' && job.status !== 'created') throw refused('enqueue');
  if (state === 'running' && job.status === 'running') throw refused('run');
  if (state === 'skipped' && job.status === 'running') throw refused('skip');
  const status: JobStatus = state;
  setJobStatus(ctx, project, pipeline, job, status);
}
