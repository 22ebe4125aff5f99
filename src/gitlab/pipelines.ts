import { Commits, MergeRequests, Pipelines } from '@gitbeaker/rest';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import type { GateReading } from '../preview/facts.js';
import { emptyPipelineState, jobsState, pipelineState } from '../preview/pipeline-gate.js';
import type { Policy } from '../preview/policy.js';
import { type GitLab, parseAnswer } from './client.js';
import { readFamilyJobs, readJobs } from './pipeline-jobs.js';

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
  /** null: a commit of a branch, for which no merge request's pipelines count. */
  iid: number | null;
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
 * The others are what GitLab itself leaves out of the state of a commit.
 */
const notCounted = new Set([
  'external',
  'parent_pipeline',
  'webide',
  'ondemand_dast_scan',
  'ondemand_dast_validation',
  'security_orchestration_policy',
  'pipeline_execution_policy_schedule',
  'container_registry_push',
]);

/**
 * Whether CI lets `sha` be deployed, computed from the jobs and bridges of its newest pipeline in the target project:
 * a merge request pipeline where there is one, else a branch pipeline; named jobs are looked for in both. A
 * merged-results pipeline, whose own commit is in no branch, counts when one parent of that commit is `sha`.
 * Errors: those of gitlab-error.ts.
 */
export async function readGate(
  gitlab: GitLab,
  input: CommitKey & { gate: Exclude<Policy['gatePipeline'], 'none'> },
): Promise<GateReading> {
  const [ofCommit, ofMergeRequest] = await Promise.all([
    listCommitPipelines(gitlab, input),
    input.iid === null ? [] : listMergeRequestPipelines(gitlab, { ...input, iid: input.iid }),
  ]);
  const byId = new Map([...ofCommit, ...ofMergeRequest].map((pipeline) => [pipeline.id, pipeline]));
  const counted = [...byId.values()].filter(
    (pipeline) => pipeline.projectId === input.projectId && !notCounted.has(pipeline.source),
  );
  const chosen = await choosePipelines(gitlab, input, counted);
  const { gate } = input;
  if (gate === 'success') {
    const [pipeline] = chosen;
    if (pipeline === undefined) return pipelineState(null);
    const { jobs } = await readJobs(gitlab, input, pipeline.id);
    return jobs.length === 0 ? emptyPipelineState : pipelineState(jobs);
  }
  const read = await Promise.all(chosen.map(({ id }) => readFamilyJobs(gitlab, input, id, gate.jobs)));
  const isEmpty = read.length > 0 && read.every((jobs) => jobs.length === 0);
  return isEmpty ? emptyPipelineState : jobsState(gate.jobs, read);
}

/** The newest merge request pipeline of the sha, then its newest branch pipeline; those that there are. */
async function choosePipelines(gitlab: GitLab, input: CommitKey, counted: Pipeline[]): Promise<Pipeline[]> {
  const newestFirst = [...counted].sort((a, b) => b.id - a.id);
  const ofBranch = newestFirst.find((one) => one.sha === input.sha && !isMergeRequestPipeline(one));
  for (const pipeline of newestFirst.filter((one) => isMergeRequestPipeline(one))) {
    const tested =
      pipeline.sha === input.sha ||
      (isMergedResult(pipeline) && (await parentsOf(gitlab, input, pipeline.sha)).includes(input.sha));
    if (tested) return ofBranch === undefined ? [pipeline] : [pipeline, ofBranch];
  }
  return ofBranch === undefined ? [] : [ofBranch];
}

function isMergeRequestPipeline(pipeline: Pipeline): boolean {
  return pipeline.source === 'merge_request_event' || pipeline.ref.startsWith('refs/merge-requests/');
}

function isMergedResult(pipeline: Pipeline): boolean {
  return /^refs\/merge-requests\/\d+\/(merge|train)$/.test(pipeline.ref);
}

/** The parents of a commit never change: a gate that is read again and again asks for each only once. */
const knownParents = new WeakMap<GitLab, Map<string, string[]>>();
const mostKnownParents = 5_000;

async function parentsOf(gitlab: GitLab, input: CommitKey, mergeSha: string): Promise<string[]> {
  const known = knownParents.get(gitlab) ?? new Map<string, string[]>();
  knownParents.set(gitlab, known);
  const key = `${input.projectId} ${mergeSha}`;
  const parents = known.get(key) ?? (await readParents(gitlab, input, mergeSha));
  if (known.size >= mostKnownParents) known.clear();
  known.set(key, parents);
  return parents;
}

async function readParents(gitlab: GitLab, input: CommitKey, mergeSha: string): Promise<string[]> {
  const call = 'commit.read';
  try {
    const shown = await new Commits(gitlab.at(call, input.signal)).show(input.projectId, mergeSha);
    return parseAnswer(call, z.object({ parent_ids: z.array(z.string()) }), shown).parent_ids;
  } catch (error) {
    // GitLab removes such commits some time after no pipeline needs them any more.
    if (isAppError(error, 'gitlab-not-found')) return [];
    throw error;
  }
}

async function listCommitPipelines(gitlab: GitLab, input: Omit<CommitKey, 'iid'>): Promise<Pipeline[]> {
  const call = 'pipeline.list';
  const resource = new Pipelines(gitlab.at(call, input.signal));
  const listed = await resource.all(input.projectId, { sha: input.sha, perPage: 100 });
  return parseAnswer(call, z.array(pipelineSchema), listed);
}

async function listMergeRequestPipelines(
  gitlab: GitLab,
  input: Pick<CommitKey, 'projectId' | 'signal'> & { iid: number },
): Promise<Pipeline[]> {
  const call = 'merge-request.pipelines';
  const resource = new MergeRequests(gitlab.at(call, input.signal));
  // Newest first: what matters is among the first twenty, however long the merge request has lived.
  const listed = await resource.allPipelines(input.projectId, input.iid, { ...{ perPage: 20, page: 1 } });
  return parseAnswer(call, z.array(pipelineSchema), listed);
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
