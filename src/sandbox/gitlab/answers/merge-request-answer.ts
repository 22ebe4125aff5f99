import { accessLevel, developer } from '../actions/access.js';
import { isDraft } from '../actions/merge-requests.js';
import { headPipeline } from '../actions/pipelines.js';
import type { GitLabContext } from '../context.js';
import { mergeRequestUrl } from '../links.js';
import type { LabelEvent, MergeRequest, MergeRequestVersion, Project, StateEvent, User } from '../model.js';
import { detailedMergeStatus } from '../payloads/merge-request-payload.js';
import { apiTime } from '../time-format.js';
import { pipelineAnswer, pipelineBrief } from './pipeline-answer.js';
import { basicUserById, basicUsersByIds } from './user-answer.js';

/** A merge request as lists show it. */
export function listedMergeRequest(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest) {
  const draft = isDraft(mergeRequest.title);
  const reference = `!${mergeRequest.iid}`;
  const open = mergeRequest.state === 'opened';
  return {
    id: mergeRequest.id,
    iid: mergeRequest.iid,
    project_id: project.id,
    title: mergeRequest.title,
    description: mergeRequest.description,
    state: mergeRequest.state,
    created_at: apiTime(mergeRequest.createdAt),
    updated_at: apiTime(mergeRequest.updatedAt),
    ...endOf(ctx, mergeRequest),
    target_branch: mergeRequest.targetBranch,
    source_branch: mergeRequest.sourceBranch,
    user_notes_count: countNotes(mergeRequest),
    upvotes: mergeRequest.awards.filter(({ name }) => name === 'thumbsup').length,
    downvotes: mergeRequest.awards.filter(({ name }) => name === 'thumbsdown').length,
    ...peopleOf(ctx, mergeRequest),
    source_project_id: mergeRequest.sourceProjectId,
    target_project_id: mergeRequest.projectId,
    labels: mergeRequest.labels,
    draft,
    imported: false,
    imported_from: 'none',
    work_in_progress: draft,
    milestone: null,
    merge_when_pipeline_succeeds: false,
    merge_status: open ? 'can_be_merged' : 'unchecked',
    detailed_merge_status: detailedMergeStatus(mergeRequest),
    merge_after: null,
    sha: mergeRequest.headSha,
    merge_commit_sha: mergeRequest.mergeCommitSha,
    squash_commit_sha: null,
    discussion_locked: null,
    should_remove_source_branch: null,
    force_remove_source_branch: mergeRequest.removeSourceBranch,
    prepared_at: apiTime(mergeRequest.preparedAt),
    reference,
    references: { short: reference, relative: reference, full: `${project.path}${reference}` },
    web_url: mergeRequestUrl(ctx, project, mergeRequest),
    time_stats: { time_estimate: 0, total_time_spent: 0, human_time_estimate: null, human_total_time_spent: null },
    squash: mergeRequest.squash,
    squash_on_merge: mergeRequest.squash,
    task_completion_status: { count: 0, completed_count: 0 },
    has_conflicts: false,
    blocking_discussions_resolved: true,
  };
}

function endOf(ctx: GitLabContext, mergeRequest: MergeRequest) {
  return {
    merged_by: basicUserById(ctx, mergeRequest.mergedById),
    merge_user: basicUserById(ctx, mergeRequest.mergedById),
    merged_at: apiTime(mergeRequest.mergedAt),
    closed_by: basicUserById(ctx, mergeRequest.closedById),
    closed_at: apiTime(mergeRequest.closedAt),
  };
}

function peopleOf(ctx: GitLabContext, mergeRequest: MergeRequest) {
  const assignees = basicUsersByIds(ctx, mergeRequest.assigneeIds);
  return {
    author: basicUserById(ctx, mergeRequest.authorId),
    assignees,
    assignee: assignees[0] ?? null,
    reviewers: basicUsersByIds(ctx, mergeRequest.reviewerIds),
  };
}

function countNotes(mergeRequest: MergeRequest): number {
  let count = 0;
  for (const note of mergeRequest.notes.values()) if (!note.system) count += 1;
  return count;
}

/** A merge request on its own: with its pipeline and what its diff compares. */
export function singleMergeRequest(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest, user: User) {
  const version = mergeRequest.versions.at(-1);
  const pipeline = headPipeline(ctx, mergeRequest);
  const pipelineProject = ctx.state.projects.get(mergeRequest.sourceProjectId ?? project.id) ?? project;
  return {
    ...listedMergeRequest(ctx, project, mergeRequest),
    subscribed: true,
    changes_count: mergeRequest.headSha === null ? null : '1',
    latest_build_started_at: apiTime(pipeline?.startedAt ?? null),
    latest_build_finished_at: apiTime(pipeline?.finishedAt ?? null),
    first_deployed_to_production_at: null,
    pipeline: pipeline === null ? null : pipelineBrief(ctx, pipelineProject, pipeline),
    head_pipeline: pipeline === null ? null : pipelineAnswer(ctx, pipelineProject, pipeline),
    diff_refs:
      version === undefined
        ? null
        : { base_sha: version.baseSha, head_sha: version.headSha, start_sha: version.startSha },
    merge_error: null,
    first_contribution: false,
    user: { can_merge: accessLevel(project, user) >= developer },
  };
}

export function versionAnswer(mergeRequest: MergeRequest, version: MergeRequestVersion) {
  return {
    id: version.id,
    head_commit_sha: version.headSha,
    base_commit_sha: version.baseSha,
    start_commit_sha: version.startSha,
    created_at: apiTime(version.createdAt),
    merge_request_id: mergeRequest.id,
    state: 'collected',
    real_size: '1',
    patch_id_sha: null,
  };
}

export function stateEventAnswer(ctx: GitLabContext, mergeRequest: MergeRequest, event: StateEvent) {
  return {
    id: event.id,
    user: basicUserById(ctx, event.userId),
    created_at: apiTime(event.createdAt),
    resource_type: 'MergeRequest',
    resource_id: mergeRequest.id,
    source_commit: null,
    source_merge_request: null,
    state: event.state,
  };
}

export function labelEventAnswer(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest, event: LabelEvent) {
  const label = project.labels.get(event.label);
  return {
    id: event.id,
    user: basicUserById(ctx, event.userId),
    created_at: apiTime(event.createdAt),
    resource_type: 'MergeRequest',
    resource_id: mergeRequest.id,
    label:
      label === undefined
        ? null
        : { id: label.id, name: label.title, color: label.color, description: label.description },
    action: event.action,
  };
}
