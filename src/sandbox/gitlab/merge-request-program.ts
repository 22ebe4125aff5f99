import { changeState } from './actions/change-state.js';
import { type MergeOptions, mergeMergeRequest } from './actions/merge.js';
import {
  approveMergeRequest,
  type MergeRequestChange,
  type NewMergeRequest,
  openMergeRequest,
  reopenMergeRequest,
  updateMergeRequest,
} from './actions/merge-requests.js';
import { createNote } from './actions/notes.js';
import { finishJob, runPipeline } from './actions/pipelines.js';
import { lockOf } from './actions/push.js';
import { type NewStatus, postStatus } from './actions/statuses.js';
import type { GitLabContext } from './context.js';
import type { JobPlan, JobStatus, MergeRequest, Note, Pipeline, Project, User } from './model.js';
import { createPush, type ProjectRef, projectFinder } from './program.js';

/** What tests and the sandbox do to merge requests without HTTP; webhooks follow all the same. `user` defaults to root. */
export interface MergeRequestProgram {
  /** Opens one; a source branch that is not there, or that is to hold `files`, gets a commit first. */
  createMergeRequest: (
    project: ProjectRef,
    input: Partial<NewMergeRequest> & { author?: User; files?: Record<string, string> },
  ) => Promise<MergeRequest>;
  mergeRequest: (project: ProjectRef, iid: number) => MergeRequest;
  updateMergeRequest: (mergeRequest: MergeRequest, change: MergeRequestChange, user?: User) => Promise<void>;
  closeMergeRequest: (mergeRequest: MergeRequest, user?: User) => void;
  reopenMergeRequest: (mergeRequest: MergeRequest, user?: User) => Promise<void>;
  mergeMergeRequest: (mergeRequest: MergeRequest, options?: MergeOptions & { user?: User }) => Promise<void>;
  approve: (mergeRequest: MergeRequest, user?: User) => void;
  comment: (
    mergeRequest: MergeRequest,
    body: string,
    options?: { user?: User; internal?: boolean; discussionId?: string },
  ) => Note;
}

/** What they do to pipelines. */
export interface PipelineProgram {
  /** Jobs that run at each push from now on, or at each change of a merge request; null: no CI. */
  setPipelinePlan: (project: ProjectRef, jobs: JobPlan[] | null, source?: 'push' | 'merge_request_event') => void;
  /** A pipeline of these jobs on the head of a branch. */
  runPipeline: (project: ProjectRef, input: { ref: string; jobs: JobPlan[]; source?: string }) => Promise<Pipeline>;
  /** Ends a job of that name (or starts it, with `running`) in a pipeline. */
  finishJob: (project: ProjectRef, pipeline: Pipeline, name: string, outcome: JobStatus) => void;
  postStatus: (project: ProjectRef, input: NewStatus, user?: User) => Promise<void>;
}

export function createMergeRequestProgram(ctx: GitLabContext, root: User): MergeRequestProgram {
  const find = projectFinder(ctx);
  const push = createPush(ctx, root);
  const projectOf = (mergeRequest: MergeRequest): Project => find(mergeRequest.projectId);
  let opened = 0;
  return {
    createMergeRequest: async (ref, { author = root, files, ...input }) => {
      const project = find(ref);
      const source = input.sourceProject ?? project;
      opened += 1;
      const sourceBranch = input.sourceBranch ?? `change-${opened}`;
      if (!source.branches.has(sourceBranch) || files !== undefined) {
        await push(source, { branch: sourceBranch, user: author, ...(files === undefined ? {} : { files }) });
      }
      const open = () => openMergeRequest(ctx, project, author, { ...input, sourceBranch });
      return await ctx.exclusive(lockOf(project), open);
    },
    mergeRequest: (ref, iid) => {
      const found = find(ref).mergeRequests.get(iid);
      if (found === undefined) throw new Error(`no merge request !${iid}`);
      return found;
    },
    updateMergeRequest: (mergeRequest, change, user = root) =>
      updateMergeRequest(ctx, projectOf(mergeRequest), mergeRequest, user, change),
    closeMergeRequest: (mergeRequest, user = root) =>
      changeState(ctx, projectOf(mergeRequest), mergeRequest, user, 'close'),
    reopenMergeRequest: (mergeRequest, user = root) =>
      reopenMergeRequest(ctx, projectOf(mergeRequest), mergeRequest, user),
    mergeMergeRequest: (mergeRequest, { user = root, ...options } = {}) =>
      mergeMergeRequest(ctx, projectOf(mergeRequest), mergeRequest, user, options),
    approve: (mergeRequest, user = root) => approveMergeRequest(ctx, projectOf(mergeRequest), mergeRequest, user),
    comment: (mergeRequest, body, { user = root, ...options } = {}) =>
      createNote(ctx, projectOf(mergeRequest), mergeRequest, user, { body, ...options }),
  };
}

export function createPipelineProgram(ctx: GitLabContext, root: User): PipelineProgram {
  const find = projectFinder(ctx);
  return {
    setPipelinePlan: (ref, jobs, source = 'push') => {
      find(ref).pipelinePlan = jobs === null ? null : { jobs, source };
    },
    runPipeline: async (ref, { ref: branch, jobs, source = 'push' }) => {
      const project = find(ref);
      const sha = project.branches.get(branch);
      if (sha === undefined) throw new Error(`no branch ${branch}`);
      const commit = await ctx.repository(project).commit(sha);
      return runPipeline(ctx, { project, user: root, ref: branch, sha, commit }, jobs, source);
    },
    finishJob: (ref, pipeline, name, outcome) => {
      const job = pipeline.jobs.findLast((one) => one.name === name && !one.retried);
      if (job === undefined) throw new Error(`no job ${name}`);
      finishJob(ctx, find(ref), pipeline, job, outcome);
    },
    postStatus: async (ref, input, user = root) => {
      await postStatus(ctx, find(ref), user, input);
    },
  };
}
