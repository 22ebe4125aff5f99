import { isDraft } from '../actions/merge-requests.js';
import type { GitLabContext } from '../context.js';
import type { ChangedValue, GitLabEvent } from '../event.js';
import { mergeRequestUrl } from '../links.js';
import type { Label, MergeRequest, Project } from '../model.js';
import { hookTime, hookUtcTime } from '../time-format.js';
import {
  commitPayload,
  labelPayload,
  labelPayloads,
  personPayload,
  projectPayload,
  repositoryPayload,
  sidePayload,
  userPayload,
} from './shared-payload.js';

const stateIds = { opened: 1, closed: 2, merged: 3, locked: 4 } as const;

/** The body of a `Merge Request Hook`. */
export function mergeRequestPayload(ctx: GitLabContext, event: GitLabEvent & { kind: 'merge_request' }) {
  const { project, mergeRequest, user, action, changes } = event;
  return {
    object_kind: 'merge_request',
    event_type: 'merge_request',
    user: userPayload(ctx, user),
    project: projectPayload(ctx, project),
    repository: repositoryPayload(ctx, project),
    object_attributes: {
      ...attributes(ctx, project, mergeRequest),
      action,
      ...(event.oldSha === undefined ? {} : { oldrev: event.oldSha }),
    },
    labels: labelPayloads(project, mergeRequest.labels),
    changes: changesPayload(project, changes),
    ...people(ctx, mergeRequest),
  };
}

function attributes(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest) {
  const source = ctx.state.projects.get(mergeRequest.sourceProjectId ?? -1);
  const draft = isDraft(mergeRequest.title);
  return {
    id: mergeRequest.id,
    iid: mergeRequest.iid,
    target_branch: mergeRequest.targetBranch,
    source_branch: mergeRequest.sourceBranch,
    source_project_id: mergeRequest.sourceProjectId,
    author_id: mergeRequest.authorId,
    assignee_ids: mergeRequest.assigneeIds,
    assignee_id: mergeRequest.assigneeIds[0] ?? null,
    reviewer_ids: mergeRequest.reviewerIds,
    title: mergeRequest.title,
    created_at: hookTime(mergeRequest.createdAt),
    updated_at: hookTime(mergeRequest.updatedAt),
    last_edited_at: hookTime(mergeRequest.lastEditedAt),
    last_edited_by_id: mergeRequest.lastEditedById,
    milestone_id: null,
    state_id: stateIds[mergeRequest.state],
    state: mergeRequest.state,
    blocking_discussions_resolved: true,
    work_in_progress: draft,
    draft,
    first_contribution: false,
    merge_status: mergeRequest.state === 'opened' ? 'unchecked' : 'can_be_merged',
    target_project_id: project.id,
    description: mergeRequest.description,
    prepared_at: hookTime(mergeRequest.preparedAt),
    total_time_spent: 0,
    time_change: 0,
    human_total_time_spent: null,
    human_time_change: null,
    human_time_estimate: null,
    url: mergeRequestUrl(ctx, project, mergeRequest),
    source: source === undefined ? null : sidePayload(ctx, source),
    target: sidePayload(ctx, project),
    last_commit: mergeRequest.lastCommit === null ? null : commitPayload(ctx, project, mergeRequest.lastCommit),
    labels: labelPayloads(project, mergeRequest.labels),
    detailed_merge_status: detailedMergeStatus(mergeRequest),
  };
}

export function detailedMergeStatus(mergeRequest: MergeRequest): string {
  if (mergeRequest.state !== 'opened') return 'not_open';
  return isDraft(mergeRequest.title) ? 'draft_status' : 'mergeable';
}

function changesPayload(project: Project, changes: Record<string, ChangedValue>) {
  const written = Object.entries(changes).map(([key, { previous, current }]) => {
    const write = (value: unknown): unknown => {
      if (key === 'updated_at') return hookUtcTime(Number(value));
      if (key === 'labels') return (value as Label[]).map((label) => labelPayload(project, label));
      return value;
    };
    return [key, { previous: write(previous), current: write(current) }];
  });
  return Object.fromEntries(written) as Record<string, ChangedValue>;
}

/** Left out when nobody is assigned, as GitLab does. */
function people(ctx: GitLabContext, mergeRequest: MergeRequest) {
  const list = (ids: number[]) =>
    ids.flatMap((id) => {
      const user = ctx.state.users.get(id);
      return user === undefined ? [] : [personPayload(ctx, user)];
    });
  const assignees = list(mergeRequest.assigneeIds);
  const reviewers = list(mergeRequest.reviewerIds);
  return {
    ...(assignees.length > 0 ? { assignees } : {}),
    ...(reviewers.length > 0 ? { reviewers } : {}),
  };
}

/** The merge request as a comment, an emoji or a pipeline shows it beside itself. */
export function noteableMergeRequest(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest) {
  const all = attributes(ctx, project, mergeRequest);
  const assignee = ctx.state.users.get(mergeRequest.assigneeIds[0] ?? -1);
  return {
    id: all.id,
    target_branch: all.target_branch,
    source_branch: all.source_branch,
    source_project_id: all.source_project_id,
    author_id: all.author_id,
    assignee_id: all.assignee_id,
    title: all.title,
    created_at: hookUtcTime(mergeRequest.createdAt),
    updated_at: hookUtcTime(mergeRequest.updatedAt),
    milestone_id: all.milestone_id,
    state: all.state,
    merge_status: all.merge_status,
    target_project_id: all.target_project_id,
    iid: all.iid,
    description: all.description,
    position: 0,
    labels: all.labels,
    source: all.source,
    target: all.target,
    last_commit: all.last_commit,
    work_in_progress: all.work_in_progress,
    draft: all.draft,
    ...(assignee === undefined ? {} : { assignee: personPayload(ctx, assignee) }),
    detailed_merge_status: all.detailed_merge_status,
  };
}
