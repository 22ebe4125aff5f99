import type { GitLabContext } from '../context.js';
import type { GitLabEvent } from '../event.js';
import { mergeRequestUrl, noteUrl } from '../links.js';
import type { MergeRequest, Note, Project } from '../model.js';
import { hookUtcTime } from '../time-format.js';
import { noteableMergeRequest } from './merge-request-payload.js';
import { projectPayload, repositoryPayload, userPayload } from './shared-payload.js';

/** The body of a `Note Hook` for a comment on a merge request. */
export function notePayload(ctx: GitLabContext, event: GitLabEvent & { kind: 'note' }) {
  const { project, mergeRequest, note, user, action } = event;
  return {
    object_kind: 'note',
    event_type: note.internal ? 'confidential_note' : 'note',
    user: userPayload(ctx, user),
    project_id: project.id,
    project: projectPayload(ctx, project),
    repository: repositoryPayload(ctx, project),
    object_attributes: {
      id: note.id,
      internal: note.internal,
      note: note.body,
      noteable_type: 'MergeRequest',
      author_id: note.authorId,
      created_at: hookUtcTime(note.createdAt),
      updated_at: hookUtcTime(note.updatedAt),
      project_id: project.id,
      attachment: null,
      line_code: null,
      commit_id: '',
      noteable_id: mergeRequest.id,
      system: note.system,
      st_diff: null,
      action,
      url: noteUrl(ctx, project, mergeRequest, note),
    },
    merge_request: noteableMergeRequest(ctx, project, mergeRequest),
  };
}

/** The body of an `Emoji Hook`. */
export function emojiPayload(ctx: GitLabContext, event: GitLabEvent & { kind: 'emoji' }) {
  const { project, mergeRequest, note, award, user, action } = event;
  const url = note === null ? mergeRequestUrl(ctx, project, mergeRequest) : noteUrl(ctx, project, mergeRequest, note);
  return {
    object_kind: 'emoji',
    event_type: action,
    user: userPayload(ctx, user),
    project_id: project.id,
    project: projectPayload(ctx, project),
    object_attributes: {
      user_id: award.userId,
      created_at: hookUtcTime(award.createdAt),
      id: award.id,
      name: award.name,
      awardable_type: note === null ? 'MergeRequest' : 'Note',
      awardable_id: note?.id ?? mergeRequest.id,
      updated_at: hookUtcTime(award.createdAt),
      action,
      awarded_on_url: url,
    },
    ...(note === null ? {} : { note: emojiNote(ctx, project, mergeRequest, note) }),
    merge_request: noteableMergeRequest(ctx, project, mergeRequest),
  };
}

function emojiNote(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest, note: Note) {
  return {
    attachment: null,
    author_id: note.authorId,
    change_position: null,
    commit_id: null,
    created_at: hookUtcTime(note.createdAt),
    discussion_id: note.discussionId,
    id: note.id,
    line_code: null,
    note: note.body,
    noteable_id: mergeRequest.id,
    noteable_type: 'MergeRequest',
    original_position: null,
    position: null,
    project_id: project.id,
    resolved_at: null,
    resolved_by_id: null,
    resolved_by_push: null,
    st_diff: null,
    system: note.system,
    type: note.thread ? 'DiscussionNote' : null,
    updated_at: hookUtcTime(note.updatedAt),
    updated_by_id: null,
    description: note.body,
    url: noteUrl(ctx, project, mergeRequest, note),
  };
}
