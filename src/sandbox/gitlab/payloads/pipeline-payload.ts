import type { GitLabContext } from '../context.js';
import type { GitLabEvent } from '../event.js';
import { cloneUrl, mergeRequestUrl, pipelineUrl, projectUrl, sshUrl, userUrl } from '../links.js';
import type { Job, MergeRequest, Pipeline, Project, User } from '../model.js';
import { apiTime, hookTime, hookUtcTime } from '../time-format.js';
import { detailedMergeStatus } from './merge-request-payload.js';
import { commitPayload, shortProjectPayload, userPayload, visibilityLevels } from './shared-payload.js';

const runner = {
  id: 1,
  description: 'stand-in runner',
  runner_type: 'instance_type',
  active: true,
  is_shared: true,
  tags: ['linux'],
};

const detailedNames: Partial<Record<string, string>> = { success: 'passed', manual: 'blocked' };

/** Seconds between two times; null while one is not known. */
function seconds(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : (to - from) / 1000;
}

function userOfPipeline(ctx: GitLabContext, id: number): User {
  const user = ctx.state.users.get(id) ?? [...ctx.state.users.values()][0];
  if (user === undefined) throw new Error('a stand-in without users');
  return user;
}

/** The body of a `Pipeline Hook`. Only jobs are listed, never statuses that were posted through the API. */
export function pipelinePayload(ctx: GitLabContext, event: GitLabEvent & { kind: 'pipeline' }) {
  const { project, pipeline } = event;
  const builds = pipeline.jobs.filter((job) => job.kind === 'build' && !job.retried);
  const mergeRequest = project.mergeRequests.get(pipeline.mergeRequestIid ?? -1);
  const commit = pipeline.commit;
  const name = pipeline.mergeRequestIid === null ? `Pipeline for branch: ${pipeline.ref}` : null;
  return {
    object_kind: 'pipeline',
    object_attributes: {
      id: pipeline.id,
      iid: pipeline.iid,
      name,
      ref: pipeline.ref,
      tag: false,
      sha: pipeline.sha,
      before_sha: commit?.parents[0] ?? '0'.repeat(40),
      source: pipeline.source,
      status: pipeline.status,
      detailed_status: detailedNames[pipeline.status] ?? pipeline.status,
      stages: [...new Set(builds.map((job) => job.stage))],
      created_at: hookUtcTime(pipeline.createdAt),
      finished_at: hookUtcTime(pipeline.finishedAt),
      duration: wholeSeconds(pipeline.startedAt, pipeline.finishedAt),
      queued_duration: wholeSeconds(pipeline.createdAt, pipeline.startedAt),
      variables: [],
      url: pipelineUrl(ctx, project, pipeline),
    },
    merge_request: mergeRequest === undefined ? null : pipelineMergeRequest(ctx, project, mergeRequest),
    user: userPayload(ctx, userOfPipeline(ctx, pipeline.userId)),
    project: shortProjectPayload(ctx, project),
    commit: commit === null ? null : commitPayload(ctx, project, commit),
    builds: builds.map((job) => buildPayload(ctx, job)),
  };
}

function wholeSeconds(from: number | null, to: number | null): number | null {
  const exact = seconds(from, to);
  return exact === null ? null : Math.round(exact);
}

function pipelineMergeRequest(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest) {
  return {
    id: mergeRequest.id,
    iid: mergeRequest.iid,
    title: mergeRequest.title,
    source_branch: mergeRequest.sourceBranch,
    source_project_id: mergeRequest.sourceProjectId,
    target_branch: mergeRequest.targetBranch,
    target_project_id: mergeRequest.projectId,
    state: mergeRequest.state,
    merge_status: 'can_be_merged',
    detailed_merge_status: detailedMergeStatus(mergeRequest),
    url: mergeRequestUrl(ctx, project, mergeRequest),
  };
}

function buildPayload(ctx: GitLabContext, job: Job) {
  const started = job.startedAt !== null;
  return {
    id: job.id,
    stage: job.stage,
    name: job.name,
    status: job.status,
    created_at: hookUtcTime(job.createdAt),
    started_at: hookUtcTime(job.startedAt),
    finished_at: hookUtcTime(job.finishedAt),
    duration: seconds(job.startedAt, job.finishedAt),
    queued_duration: seconds(job.createdAt, job.startedAt),
    failure_reason: job.status === 'failed' ? 'script_failure' : null,
    when: job.manual ? 'manual' : 'on_success',
    manual: job.manual,
    allow_failure: job.allowFailure,
    user: userPayload(ctx, userOfPipeline(ctx, job.userId)),
    runner: started ? runner : null,
    artifacts_file: { filename: null, size: null },
    environment:
      job.environment === null ? null : { name: job.environment, action: 'start', deployment_tier: 'development' },
  };
}

/** The body of a `Job Hook`, whose kind is `build` and whose commit's id is the pipeline's. */
export function jobPayload(ctx: GitLabContext, event: GitLabEvent & { kind: 'job' }) {
  const { project, pipeline, job } = event;
  const commit = pipeline.commit;
  const user = userOfPipeline(ctx, job.userId);
  return {
    object_kind: 'build',
    ref: pipeline.ref,
    tag: false,
    before_sha: commit?.parents[0] ?? '0'.repeat(40),
    sha: pipeline.sha,
    retries_count: 0,
    build_id: job.id,
    build_name: job.name,
    build_stage: job.stage,
    build_status: job.status,
    build_created_at: apiTime(job.createdAt),
    build_started_at: apiTime(job.startedAt),
    build_finished_at: apiTime(job.finishedAt),
    build_created_at_iso: hookTime(job.createdAt),
    build_started_at_iso: hookTime(job.startedAt),
    build_finished_at_iso: hookTime(job.finishedAt),
    build_duration: seconds(job.startedAt, job.finishedAt),
    build_queued_duration: seconds(job.createdAt, job.startedAt),
    build_allow_failure: job.allowFailure,
    build_failure_reason: job.status === 'failed' ? 'script_failure' : 'unknown_failure',
    pipeline_id: pipeline.id,
    runner: job.startedAt === null ? null : runner,
    project_id: project.id,
    project_name: project.path.split('/').join(' / '),
    user: userPayload(ctx, user),
    commit: jobCommit(ctx, pipeline, user),
    repository: {
      name: project.name,
      url: projectUrl(ctx, project),
      description: project.description,
      homepage: projectUrl(ctx, project),
      git_http_url: cloneUrl(ctx, project),
      git_ssh_url: sshUrl(ctx, project),
      visibility_level: visibilityLevels[project.visibility],
    },
    project: shortProjectPayload(ctx, project),
    environment: job.environment === null ? null : { name: job.environment, action: 'start', deployment_tier: null },
  };
}

/** Called a commit, and is the pipeline. */
function jobCommit(ctx: GitLabContext, pipeline: Pipeline, user: User) {
  const { commit } = pipeline;
  return {
    id: pipeline.id,
    name: pipeline.mergeRequestIid === null ? `Pipeline for branch: ${pipeline.ref}` : null,
    sha: pipeline.sha,
    message: commit?.message ?? '',
    author_name: commit?.authorName ?? user.name,
    author_email: commit?.authorEmail ?? user.email,
    author_url: userUrl(ctx, user),
    status: pipeline.status,
    duration: wholeSeconds(pipeline.startedAt, pipeline.finishedAt),
    started_at: hookUtcTime(pipeline.startedAt),
    finished_at: hookUtcTime(pipeline.finishedAt),
    started_at_iso: hookTime(pipeline.startedAt),
    finished_at_iso: hookTime(pipeline.finishedAt),
  };
}
