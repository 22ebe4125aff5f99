import { developer, requireLevel } from '../actions/access.js';
import { cancelPipeline, finishJob, pipelineRef, runPipeline } from '../actions/pipelines.js';
import { postableStates, postStatus } from '../actions/statuses.js';
import { commitStatusAnswer, jobAnswer, pipelineAnswer, pipelineBrief } from '../answers/pipeline-answer.js';
import { ApiError, badParameter, badRequest } from '../api-error.js';
import type { Job, Pipeline, Project } from '../model.js';
import { type Api, created, listed, mergeRequestOfCall, ok, projectOfCall } from './api.js';
import { type Call, integer, list, oneOf, optional, param, required } from './call.js';

/** Pipelines, their jobs and bridges, and commit statuses. */
export function pipelineRoutes(api: Api): void {
  pipelineLists(api);
  pipelineActions(api);
  jobRoutes(api);
  statusRoutes(api);
}

function pipelineOf(project: Project, call: Call): Pipeline {
  const pipeline = project.pipelines.get(Number(param(call, 'pipelineId')));
  if (pipeline === undefined) throw new ApiError(404, { message: '404 Not found' });
  return pipeline;
}

function pipelineLists({ ctx, on }: Api): void {
  on('get', '/projects/:id/pipelines', (call) => {
    const project = projectOfCall(ctx, call);
    const { sha, ref, status, source } = call.query;
    const all =
      sha === undefined ? [...project.pipelines.values()] : ctx.index.pipelinesBySha.get(`${project.id}:${sha}`);
    const wanted = (all ?? []).filter(
      (pipeline) =>
        (ref === undefined || pipelineRef(pipeline) === ref) &&
        (status === undefined || pipeline.status === status) &&
        (source === undefined || pipeline.source === source),
    );
    const newestFirst = oneOf(call, 'sort', ['asc', 'desc'] as const) === 'asc' ? wanted : [...wanted].reverse();
    return listed(ctx, call, newestFirst, (pipeline) => pipelineBrief(ctx, project, pipeline));
  });
  on('get', '/projects/:id/pipelines/:pipelineId', (call) => {
    const project = projectOfCall(ctx, call);
    return ok(pipelineAnswer(ctx, project, pipelineOf(project, call)));
  });
  on('get', '/projects/:id/merge_requests/:iid/pipelines', (call) => {
    const project = projectOfCall(ctx, call);
    const mergeRequest = mergeRequestOfCall(project, call);
    const source = ctx.state.projects.get(mergeRequest.sourceProjectId ?? -1);
    const shas = new Set(mergeRequest.versions.map(({ headSha }) => headSha));
    const found: { project: Project; pipeline: Pipeline }[] = [];
    for (const owner of new Set([project, ...(source === undefined ? [] : [source])])) {
      for (const sha of shas) {
        for (const pipeline of ctx.index.pipelinesBySha.get(`${owner.id}:${sha}`) ?? []) {
          const own = pipeline.ref === mergeRequest.sourceBranch || pipeline.mergeRequestIid === mergeRequest.iid;
          if (own) found.push({ project: owner, pipeline });
        }
      }
    }
    found.sort((a, b) => b.pipeline.id - a.pipeline.id);
    return listed(ctx, call, found, (one) => pipelineBrief(ctx, one.project, one.pipeline));
  });
}

function pipelineActions({ ctx, on }: Api): void {
  on('post', '/projects/:id/pipeline', async (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const { ref } = required(call, 'ref');
    const sha = project.branches.get(ref);
    if (sha === undefined || project.pipelinePlan === null) {
      const why = sha === undefined ? 'Reference not found' : 'Missing CI config file';
      throw badRequest({ base: [why] });
    }
    const commit = await ctx.repository(project).commit(sha);
    const start = { project, user: call.user, ref, sha, commit };
    return created(pipelineAnswer(ctx, project, runPipeline(ctx, start, project.pipelinePlan.jobs, 'api')));
  });
  on('post', '/projects/:id/merge_requests/:iid/pipelines', (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const mergeRequest = mergeRequestOfCall(project, call);
    const { headSha: sha, lastCommit: commit, sourceBranch: ref } = mergeRequest;
    if (sha === null || project.pipelinePlan === null)
      throw badRequest({ base: ['No stages / jobs for this pipeline.'] });
    const start = { project, user: call.user, ref, sha, commit, mergeRequest };
    const pipeline = runPipeline(ctx, start, project.pipelinePlan.jobs, 'merge_request_event');
    return created(pipelineAnswer(ctx, project, pipeline));
  });
  on('post', '/projects/:id/pipelines/:pipelineId/cancel', (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const pipeline = pipelineOf(project, call);
    cancelPipeline(ctx, project, pipeline);
    return ok(pipelineAnswer(ctx, project, pipeline));
  });
}

function jobRoutes({ ctx, on }: Api): void {
  for (const [path, kind] of [
    ['/projects/:id/pipelines/:pipelineId/jobs', 'build'],
    ['/projects/:id/pipelines/:pipelineId/bridges', 'bridge'],
  ] as const) {
    on('get', path, (call) => {
      const project = projectOfCall(ctx, call);
      const pipeline = pipelineOf(project, call);
      const scope = list(call, 'scope');
      const jobs = pipeline.jobs.filter(
        (job) => job.kind === kind && !job.retried && (scope === undefined || scope.includes(job.status)),
      );
      return listed(ctx, call, jobs.reverse(), (job) => jobAnswer(ctx, project, pipeline, job));
    });
  }
  const find = (call: Call): { project: Project; pipeline: Pipeline; job: Job } => {
    const project = projectOfCall(ctx, call);
    for (const pipeline of [...project.pipelines.values()].reverse()) {
      const job = pipeline.jobs.find(({ id, kind }) => id === Number(param(call, 'jobId')) && kind !== 'external');
      if (job !== undefined) return { project, pipeline, job };
    }
    throw new ApiError(404, { message: '404 Not found' });
  };
  on('get', '/projects/:id/jobs/:jobId', (call) => {
    const { project, pipeline, job } = find(call);
    return ok(jobAnswer(ctx, project, pipeline, job));
  });
  on('post', '/projects/:id/jobs/:jobId/cancel', (call) => {
    const { project, pipeline, job } = find(call);
    requireLevel(project, call.user, developer);
    finishJob(ctx, project, pipeline, job, 'canceled');
    return created(jobAnswer(ctx, project, pipeline, job));
  });
  on('post', '/projects/:id/jobs/:jobId/play', (call) => {
    const { project, pipeline, job } = find(call);
    requireLevel(project, call.user, developer);
    if (job.status !== 'manual') throw badRequest('400 Bad request - Unplayable Job');
    finishJob(ctx, project, pipeline, job, job.plan?.outcome ?? 'running');
    return ok(jobAnswer(ctx, project, pipeline, job));
  });
}

function statusRoutes({ ctx, on }: Api): void {
  on('post', '/projects/:id/statuses/:sha', async (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    required(call, 'state');
    const state = oneOf(call, 'state', postableStates);
    if (state === undefined) throw badParameter('state is missing');
    const given = {
      name: optional(call, 'name') ?? optional(call, 'context'),
      ref: optional(call, 'ref'),
      pipelineId: integer(call, 'pipeline_id'),
      description: optional(call, 'description'),
      targetUrl: optional(call, 'target_url'),
      coverage: optional(call, 'coverage') === undefined ? undefined : Number(optional(call, 'coverage')),
    };
    const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    const input = { ...known, sha: param(call, 'sha'), state };
    const { pipeline, job } = await postStatus(ctx, project, call.user, input);
    return created(commitStatusAnswer(ctx, pipeline, job));
  });
  on('get', '/projects/:id/repository/commits/:sha/statuses', (call) => {
    const project = projectOfCall(ctx, call);
    const { ref, name, stage } = call.query;
    const pipelineId = integer(call, 'pipeline_id');
    const all = optional(call, 'all') === 'true';
    const found: { pipeline: Pipeline; job: Job }[] = [];
    for (const pipeline of ctx.index.pipelinesBySha.get(`${project.id}:${param(call, 'sha')}`) ?? []) {
      if (ref !== undefined && pipelineRef(pipeline) !== ref) continue;
      if (pipelineId !== undefined && pipeline.id !== pipelineId) continue;
      for (const job of pipeline.jobs) {
        if (job.retried && !all) continue;
        if (name !== undefined && job.name !== name) continue;
        if (stage === undefined || job.stage === stage) found.push({ pipeline, job });
      }
    }
    return listed(ctx, call, found, ({ pipeline, job }) => commitStatusAnswer(ctx, pipeline, job));
  });
}
