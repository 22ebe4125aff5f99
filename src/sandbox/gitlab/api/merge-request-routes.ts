import { canRead, developer, findProject, projectOf, requireLevel } from '../actions/access.js';
import { changeState } from '../actions/change-state.js';
import { mergeMergeRequest } from '../actions/merge.js';
import {
  approveMergeRequest,
  type MergeRequestChange,
  openMergeRequest,
  reopenMergeRequest,
  updateMergeRequest,
} from '../actions/merge-requests.js';
import { lockOf } from '../actions/push.js';
import {
  labelEventAnswer,
  listedMergeRequest,
  singleMergeRequest,
  stateEventAnswer,
  versionAnswer,
} from '../answers/merge-request-answer.js';
import { commitAnswer } from '../answers/project-answer.js';
import { basicUserById } from '../answers/user-answer.js';
import { notFound } from '../api-error.js';
import type { MergeRequest, Project } from '../model.js';
import { type Api, created, gone, listed, mergeRequestOfCall, ok, projectOfCall } from './api.js';
import { type Call, flag, integer, list, oneOf, optional, param, required } from './call.js';
import { filterMergeRequests } from './filter-merge-requests.js';

/** Merge requests: lists, one, what is done to them, and what has been. */
export function mergeRequestRoutes(api: Api): void {
  listRoutes(api);
  openRoute(api);
  changeRoutes(api);
  approvalRoutes(api);
  historyRoutes(api);
}

function listRoutes({ ctx, on }: Api): void {
  on('get', '/projects/:id/merge_requests', (call) => {
    const project = projectOfCall(ctx, call);
    const found = filterMergeRequests(ctx, call, [project], 'all');
    return listed(ctx, call, found, (mergeRequest) => listedMergeRequest(ctx, project, mergeRequest));
  });
  const over = (call: Call, projects: Project[], state: 'all' | 'opened') => {
    const found = filterMergeRequests(ctx, call, projects, state);
    return listed(ctx, call, found, (one) => listedMergeRequest(ctx, projectOf(ctx, one.projectId), one));
  };
  on('get', '/groups/:id/merge_requests', (call) => {
    const wanted = param(call, 'id');
    const group = [...ctx.state.groups.values()].find(({ id, path }) => path === wanted || String(id) === wanted);
    const inGroup = [...ctx.state.projects.values()].filter(
      (project) => group !== undefined && project.path.startsWith(`${group.path}/`) && canRead(project, call.user),
    );
    if (group === undefined || inGroup.length === 0) throw notFound('Group');
    return over(call, inGroup, 'all');
  });
  on('get', '/merge_requests', (call) => {
    const readable = [...ctx.state.projects.values()].filter((project) => canRead(project, call.user));
    return over(call, readable, 'all');
  });
  on('get', '/projects/:id/merge_requests/:iid', (call) => {
    const project = projectOfCall(ctx, call);
    return ok(singleMergeRequest(ctx, project, mergeRequestOfCall(project, call), call.user));
  });
}

function ids(call: Call, many: string, one: string): number[] | undefined {
  const values = list(call, many) ?? list(call, one);
  return values?.map(Number).filter((id) => id > 0);
}

/** Only what was given; an absent key changes nothing. */
function changeOf(call: Call, mergeRequest: MergeRequest): MergeRequestChange {
  const added = list(call, 'add_labels');
  const removed = list(call, 'remove_labels');
  const labels = list(call, 'labels') ?? (added || removed ? mergeRequest.labels : undefined);
  const change = {
    title: optional(call, 'title'),
    description: optional(call, 'description'),
    targetBranch: optional(call, 'target_branch'),
    labels: labels && [...labels, ...(added ?? [])].filter((label) => !removed?.includes(label)),
    assigneeIds: ids(call, 'assignee_ids', 'assignee_id'),
    reviewerIds: ids(call, 'reviewer_ids', 'reviewer_id'),
    removeSourceBranch: flag(call, 'remove_source_branch'),
    squash: flag(call, 'squash'),
  };
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}

function openRoute({ ctx, on }: Api): void {
  // A merge request is asked of the project that its branch is in; `target_project_id` may name another.
  on('post', '/projects/:id/merge_requests', async (call) => {
    const sourceProject = projectOfCall(ctx, call);
    const { title, source_branch, target_branch } = required(call, 'title', 'source_branch', 'target_branch');
    const targetId = integer(call, 'target_project_id');
    const project = targetId === undefined ? sourceProject : findProject(ctx, targetId);
    if (project === null || !canRead(project, call.user)) throw notFound('Project');
    requireLevel(sourceProject, call.user, developer);
    const mergeRequest = await ctx.exclusive(lockOf(project), () =>
      openMergeRequest(ctx, project, call.user, {
        sourceBranch: source_branch,
        targetBranch: target_branch,
        title,
        description: optional(call, 'description') ?? '',
        labels: list(call, 'labels') ?? [],
        sourceProject,
        removeSourceBranch: flag(call, 'remove_source_branch') ?? false,
        squash: flag(call, 'squash') ?? false,
        assigneeIds: ids(call, 'assignee_ids', 'assignee_id') ?? [],
        reviewerIds: ids(call, 'reviewer_ids', 'reviewer_id') ?? [],
      }),
    );
    return created(singleMergeRequest(ctx, project, mergeRequest, call.user));
  });
}

function changeRoutes({ ctx, on }: Api): void {
  on('put', '/projects/:id/merge_requests/:iid', async (call) => {
    const project = projectOfCall(ctx, call);
    const mergeRequest = mergeRequestOfCall(project, call);
    if (mergeRequest.authorId !== call.user.id) requireLevel(project, call.user, developer);
    const event = oneOf(call, 'state_event', ['close', 'reopen'] as const);
    await updateMergeRequest(ctx, project, mergeRequest, call.user, changeOf(call, mergeRequest));
    if (event === 'reopen') await reopenMergeRequest(ctx, project, mergeRequest, call.user);
    if (event === 'close') changeState(ctx, project, mergeRequest, call.user, 'close');
    return ok(singleMergeRequest(ctx, project, mergeRequest, call.user));
  });
  on('put', '/projects/:id/merge_requests/:iid/merge', async (call) => {
    const project = projectOfCall(ctx, call);
    const mergeRequest = mergeRequestOfCall(project, call);
    requireLevel(project, call.user, developer);
    const sha = optional(call, 'sha');
    const message = optional(call, 'merge_commit_message');
    const removeSourceBranch = flag(call, 'should_remove_source_branch');
    await mergeMergeRequest(ctx, project, mergeRequest, call.user, {
      ...(sha === undefined ? {} : { sha }),
      ...(message === undefined ? {} : { message }),
      ...(removeSourceBranch === undefined ? {} : { removeSourceBranch }),
    });
    return ok(singleMergeRequest(ctx, project, mergeRequest, call.user));
  });
  on('delete', '/projects/:id/merge_requests/:iid', (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, 50);
    project.mergeRequests.delete(mergeRequestOfCall(project, call).iid);
    return gone;
  });
}

function approvalRoutes({ ctx, on }: Api): void {
  on('post', '/projects/:id/merge_requests/:iid/approve', (call) => {
    const project = projectOfCall(ctx, call);
    const mergeRequest = mergeRequestOfCall(project, call);
    requireLevel(project, call.user, developer);
    approveMergeRequest(ctx, project, mergeRequest, call.user);
    return created(approvals(mergeRequest));
  });
  on('get', '/projects/:id/merge_requests/:iid/approvals', (call) =>
    ok(approvals(mergeRequestOfCall(projectOfCall(ctx, call), call))),
  );

  function approvals(mergeRequest: MergeRequest) {
    return {
      id: mergeRequest.id,
      iid: mergeRequest.iid,
      project_id: mergeRequest.projectId,
      approved: mergeRequest.approvedBy.length > 0,
      approved_by: mergeRequest.approvedBy.map((id) => ({ user: basicUserById(ctx, id) })),
    };
  }
}

function historyRoutes({ ctx, on }: Api): void {
  const base = '/projects/:id/merge_requests/:iid';
  const read = (call: Call) => {
    const project = projectOfCall(ctx, call);
    return { project, mergeRequest: mergeRequestOfCall(project, call) };
  };
  on('get', `${base}/versions`, (call) => {
    const { mergeRequest } = read(call);
    const newestFirst = [...mergeRequest.versions].reverse();
    return listed(ctx, call, newestFirst, (version) => versionAnswer(mergeRequest, version));
  });
  on('get', `${base}/resource_state_events`, (call) => {
    const { mergeRequest } = read(call);
    return listed(ctx, call, mergeRequest.stateEvents, (event) => stateEventAnswer(ctx, mergeRequest, event));
  });
  on('get', `${base}/resource_label_events`, (call) => {
    const { project, mergeRequest } = read(call);
    return listed(ctx, call, mergeRequest.labelEvents, (event) => labelEventAnswer(ctx, project, mergeRequest, event));
  });
  on('get', `${base}/commits`, async (call) => {
    const { project, mergeRequest } = read(call);
    const version = mergeRequest.versions.at(-1);
    if (version === undefined) return ok([]);
    const commits = await ctx.repository(project).between(version.baseSha, version.headSha, 1_000);
    return listed(ctx, call, commits, (commit) => commitAnswer(ctx, project, commit));
  });
}
