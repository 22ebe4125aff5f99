import { Jobs } from '@gitbeaker/rest';
import { z } from 'zod';
import type { PipelineJob } from '../preview/pipeline-gate.js';
import { type GitLab, parseAnswer } from './client.js';
import { pages } from './pages.js';

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
  z.object({
    id: z.number(),
    name: z.string(),
    // A status of a newer GitLab is not known to be an end.
    status: z.enum(jobStatuses).catch('running'),
    allow_failure: z.boolean(),
    web_url: z.string().nullish(),
    /** Of a bridge: what it started. */
    downstream_pipeline: z.object({ id: z.number(), project_id: z.number().nullish() }).nullish(),
  }),
);

interface JobsOfPipeline {
  jobs: PipelineJob[];
  /** Child pipelines that its bridges started in the same project. */
  children: number[];
}

interface ProjectKey {
  projectId: number;
  signal?: AbortSignal;
}

/** The jobs and bridges of one pipeline, the newest run of each. Errors: those of gitlab-error.ts. */
export async function readJobs(gitlab: GitLab, input: ProjectKey, pipelineId: number): Promise<JobsOfPipeline> {
  const { projectId, signal } = input;
  const at = { jobs: gitlab.at('pipeline.jobs', signal), bridges: gitlab.at('pipeline.bridges', signal) };
  const jobs = new Jobs(at.jobs);
  const bridges = new Jobs(at.bridges);
  const lists = await Promise.all([
    collect('pipeline.jobs', (page) => jobs.all(projectId, { pipelineId, perPage: 100, page, showExpanded: true })),
    collect('pipeline.bridges', (page) =>
      bridges.allPipelineBridges(projectId, pipelineId, { ...{ perPage: 100, page }, showExpanded: true }),
    ),
  ]);
  const listed = lists.flat();
  return {
    jobs: listed.map((job) => ({
      id: job.id,
      name: job.name,
      status: job.status,
      allowFailure: job.allow_failure,
      webUrl: ownLink(at.jobs.host, job.web_url ?? null),
    })),
    children: listed.flatMap(({ downstream_pipeline: child }) => (child?.project_id === projectId ? [child.id] : [])),
  };
}

/** Children of children are the deepest that GitLab allows. */
const deepestChild = 2;
const mostChildren = 20;

/**
 * The jobs of a pipeline, and those of its child pipelines as long as one of `names` was not found. What a bridge
 * starts in another project is another project's.
 */
export async function readFamilyJobs(
  gitlab: GitLab,
  input: ProjectKey,
  pipelineId: number,
  names: readonly string[],
): Promise<PipelineJob[]> {
  const found: PipelineJob[] = [];
  let generation = [pipelineId];
  for (let depth = 0; depth <= deepestChild && generation.length > 0; depth += 1) {
    const read = await Promise.all(generation.slice(0, mostChildren).map((id) => readJobs(gitlab, input, id)));
    // A name that a pipeline above has is that one's.
    const known = new Set(found.map((job) => job.name));
    found.push(...read.flatMap(({ jobs }) => jobs).filter((job) => !known.has(job.name)));
    if (names.every((name) => found.some((job) => job.name === name))) break;
    generation = read.flatMap(({ children }) => children);
  }
  return found;
}

async function collect(call: string, readPage: (page: number) => Promise<unknown>) {
  const all: z.infer<typeof jobsSchema> = [];
  for await (const page of pages(readPage)) all.push(...parseAnswer(call, jobsSchema, page));
  return all;
}

const longestLink = 1_000;

/** The link if it leads to GitLab itself; a link to anywhere else never reaches a note. */
function ownLink(host: string, link: string | null): string | null {
  if (link === null || link.length > longestLink || !URL.canParse(link)) return null;
  const url = new URL(link);
  const isPlain = url.username === '' && url.password === '' && /^[^\s<>()|"'`]+$/.test(link);
  return isPlain && url.origin === new URL(host).origin ? link : null;
}
