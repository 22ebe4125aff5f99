import { pipelineRef } from '../actions/pipelines.js';
import type { GitLabContext } from '../context.js';
import { jobUrl, pipelineUrl } from '../links.js';
import type { Job, Pipeline, Project } from '../model.js';
import { apiTime } from '../time-format.js';
import { commitAnswer } from './project-answer.js';
import { basicUserById } from './user-answer.js';

/** A pipeline as lists show it. */
export function pipelineBrief(ctx: GitLabContext, project: Project, pipeline: Pipeline) {
  return {
    id: pipeline.id,
    iid: pipeline.iid,
    project_id: project.id,
    sha: pipeline.sha,
    ref: pipelineRef(pipeline),
    status: pipeline.status,
    source: pipeline.source,
    created_at: apiTime(pipeline.createdAt),
    updated_at: apiTime(pipeline.updatedAt),
    web_url: pipelineUrl(ctx, project, pipeline),
    name: null,
  };
}

export function pipelineAnswer(ctx: GitLabContext, project: Project, pipeline: Pipeline) {
  const { status } = pipeline;
  const duration = elapsed(pipeline.startedAt, pipeline.finishedAt);
  const queued = elapsed(pipeline.createdAt, pipeline.startedAt);
  return {
    ...pipelineBrief(ctx, project, pipeline),
    before_sha: pipeline.commit?.parents[0] ?? '0'.repeat(40),
    tag: false,
    yaml_errors: null,
    user: basicUserById(ctx, pipeline.userId),
    started_at: apiTime(pipeline.startedAt),
    finished_at: apiTime(pipeline.finishedAt),
    committed_at: null,
    duration: duration === null ? null : Math.round(duration),
    queued_duration: queued === null ? null : Math.round(queued),
    coverage: null,
    detailed_status: {
      icon: `status_${status}`,
      text: status === 'success' ? 'Passed' : status.charAt(0).toUpperCase() + status.slice(1),
      label: status === 'success' ? 'passed' : status,
      group: status,
      tooltip: status === 'success' ? 'passed' : status,
      has_details: true,
      details_path: new URL(pipelineUrl(ctx, project, pipeline)).pathname,
      illustration: null,
      favicon: null,
    },
  };
}

function elapsed(from: number | null, to: number | null): number | null {
  return from === null || to === null ? null : (to - from) / 1000;
}

/** A job or, with the pipeline it triggered, a bridge. */
export function jobAnswer(ctx: GitLabContext, project: Project, pipeline: Pipeline, job: Job) {
  const { id, iid, project_id, sha, ref, status, source, created_at, updated_at, web_url } = pipelineBrief(
    ctx,
    project,
    pipeline,
  );
  return {
    id: job.id,
    status: job.status,
    stage: job.stage,
    name: job.name,
    ref: pipeline.ref,
    tag: false,
    coverage: job.coverage,
    allow_failure: job.allowFailure,
    created_at: apiTime(job.createdAt),
    started_at: apiTime(job.startedAt),
    finished_at: apiTime(job.finishedAt),
    erased_at: null,
    duration: elapsed(job.startedAt, job.finishedAt),
    queued_duration: elapsed(job.createdAt, job.startedAt),
    ...(job.status === 'failed' ? { failure_reason: 'script_failure' } : {}),
    user: basicUserById(ctx, job.userId),
    commit: pipeline.commit === null ? null : commitAnswer(ctx, project, pipeline.commit),
    pipeline: { id, iid, project_id, sha, ref, status, source, created_at, updated_at, web_url },
    web_url: jobUrl(ctx, project, job.id),
    project: { ci_job_token_scope_enabled: false },
    ...(job.kind === 'bridge' ? { downstream_pipeline: null } : { artifacts: [], runner: null, tag_list: [] }),
  };
}

/** A status of a commit: of a job, or posted through the API. */
export function commitStatusAnswer(ctx: GitLabContext, pipeline: Pipeline, job: Job) {
  return {
    id: job.id,
    sha: pipeline.sha,
    ref: pipelineRef(pipeline),
    status: job.status,
    name: job.name,
    target_url: job.targetUrl,
    description: job.description,
    created_at: apiTime(job.createdAt),
    started_at: apiTime(job.startedAt),
    finished_at: apiTime(job.finishedAt),
    allow_failure: job.allowFailure,
    coverage: job.coverage,
    pipeline_id: pipeline.id,
    author: basicUserById(ctx, job.userId),
  };
}
