import { Commits, Jobs, MergeRequests, Pipelines } from '@gitbeaker/rest';
import { z } from 'zod';
import type { GateReading } from '../preview/facts.js';
import { type PipelineJob, pipelineState } from '../preview/gate.js';
import { type GitLab, parseAnswer } from './client.js';
import { pages } from './pages.js';

export interface Pipeline {
  id: number;
  /** Where it ran: another project than the merge request's when a fork's pipeline shows there. */
  projectId: number;
  sha: string;
  ref: string;
  /** What started it, such as `push` or `merge_request_event`. */
  source: string;
}

export interface CommitKey {
  projectId: number;
  iid: number;
  sha: string;
  signal?: AbortSignal;
}

const pipelineSchema = z
  .object({
    id: z.number(),
    project_id: z.number(),
    sha: z.string(),
    ref: z.string().nullish(),
    source: z.string().nullish(),
  })
  .transform(
    (pipeline): Pipeline => ({
      id: pipeline.id,
      projectId: pipeline.project_id,
      sha: pipeline.sha,
      ref: pipeline.ref ?? '',
      source: pipeline.source ?? 'unknown',
    }),
  );

/**
 * `external`: made by commit statuses, ours among them. `parent_pipeline`: a child, which its parent's bridge counts.
 */
const notCounted = new Set(['external', 'parent_pipeline', 'ondemand_dast_scan', 'ondemand_dast_validation']);

/**
 * Whether CI lets `sha` be deployed, computed from the jobs and bridges of its newest pipeline in the target project:
 * a merge request pipeline where there is one, else a branch pipeline. A merged-results pipeline, whose own commit is
 * in no branch, counts when one parent of that commit is `sha`. Errors: those of gitlab-error.ts.
 */
export async function readGate(gitlab: GitLab, input: CommitKey): Promise<GateReading> {
  const [ofCommit, ofMergeRequest] = await Promise.all([
    listCommitPipelines(gitlab, input),
    listMergeRequestPipelines(gitlab, input),
  ]);
  const byId = new Map([...ofCommit, ...ofMergeRequest].map((pipeline) => [pipeline.id, pipeline]));
  const counted = [...byId.values()].filter(
    (pipeline) => pipeline.projectId === input.projectId && !notCounted.has(pipeline.source),
  );
  const pipeline = await choosePipeline(gitlab, input, counted);
  return pipelineState(pipeline === null ? null : await readJobs(gitlab, input, pipeline.id));
}

async function choosePipeline(gitlab: GitLab, input: CommitKey, counted: Pipeline[]): Promise<Pipeline | null> {
  const newestFirst = [...counted].sort((a, b) => b.id - a.id);
  for (const pipeline of newestFirst.filter((one) => isMergeRequestPipeline(one))) {
    if (pipeline.sha === input.sha) return pipeline;
    if (isMergedResult(pipeline) && (await hasParent(gitlab, input, pipeline.sha))) return pipeline;
  }
  return newestFirst.find((pipeline) => pipeline.sha === input.sha) ?? null;
}

function isMergeRequestPipeline(pipeline: Pipeline): boolean {
  return pipeline.source === 'merge_request_event' || pipeline.ref.startsWith('refs/merge-requests/');
}

function isMergedResult(pipeline: Pipeline): boolean {
  return /^refs\/merge-requests\/\d+\/(merge|train)$/.test(pipeline.ref);
}

async function hasParent(gitlab: GitLab, input: CommitKey, mergeSha: string): Promise<boolean> {
  const call = 'commit.read';
  const shown = await new Commits(gitlab.at(call, input.signal)).show(input.projectId, mergeSha);
  return parseAnswer(call, z.object({ parent_ids: z.array(z.string()) }), shown).parent_ids.includes(input.sha);
}

async function listCommitPipelines(gitlab: GitLab, input: Omit<CommitKey, 'iid'>): Promise<Pipeline[]> {
  const call = 'pipeline.list';
  const resource = new Pipelines(gitlab.at(call, input.signal));
  const listed = await resource.all(input.projectId, { sha: input.sha, perPage: 100 });
  return parseAnswer(call, z.array(pipelineSchema), listed);
}

async function listMergeRequestPipelines(gitlab: GitLab, input: CommitKey): Promise<Pipeline[]> {
  const call = 'merge-request.pipelines';
  const resource = new MergeRequests(gitlab.at(call, input.signal));
  // Newest first: what matters is among the first twenty, however long the merge request has lived.
  const listed = await resource.allPipelines(input.projectId, input.iid, { ...{ perPage: 20, page: 1 } });
  return parseAnswer(call, z.array(pipelineSchema), listed);
}

const jobStatuses = [
  'created',
  'waiting_for_resource',
  'preparing',
  'pending',
  'running',
  'success',
  'failed',
  'canceled',
  'canceling',
  'skipped',
  'manual',
  'scheduled',
] as const;

const jobsSchema = z.array(
  z
    .object({
      id: z.number(),
      name: z.string(),
      // A status of a newer GitLab is not known to be an end.
      status: z.enum(jobStatuses).catch('running'),
      allow_failure: z.boolean(),
    })
    .transform(
      (job): PipelineJob => ({ id: job.id, name: job.name, status: job.status, allowFailure: job.allow_failure }),
    ),
);

async function readJobs(gitlab: GitLab, input: CommitKey, pipelineId: number): Promise<PipelineJob[]> {
  const { projectId, signal } = input;
  const jobs = new Jobs(gitlab.at('pipeline.jobs', signal));
  const bridges = new Jobs(gitlab.at('pipeline.bridges', signal));
  const [ofJobs, ofBridges] = await Promise.all([
    collect('pipeline.jobs', (page) => jobs.all(projectId, { pipelineId, perPage: 100, page, showExpanded: true })),
    collect('pipeline.bridges', (page) =>
      bridges.allPipelineBridges(projectId, pipelineId, { ...{ perPage: 100, page }, showExpanded: true }),
    ),
  ]);
  return [...ofJobs, ...ofBridges];
}

async function collect(call: string, readPage: (page: number) => Promise<unknown>): Promise<PipelineJob[]> {
  const all: PipelineJob[] = [];
  for await (const page of pages(readPage)) all.push(...parseAnswer(call, jobsSchema, page));
  return all;
}

/** The newest CI pipeline of exactly `sha` in the project: what a commit status joins. null: there is none. */
export async function newestPipeline(
  gitlab: GitLab,
  input: { projectId: number; sha: string; signal?: AbortSignal },
): Promise<Pipeline | null> {
  const listed = await listCommitPipelines(gitlab, input);
  const counted = listed.filter((one) => one.projectId === input.projectId && !notCounted.has(one.source));
  return counted.reduce<Pipeline | null>((best, one) => (best === null || one.id > best.id ? one : best), null);
}
