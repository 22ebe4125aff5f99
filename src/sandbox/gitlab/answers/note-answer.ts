import type { GitLabContext } from '../context.js';
import type { Award, MergeRequest, Note, Project } from '../model.js';
import { apiTime } from '../time-format.js';
import { basicUserById, noteAuthor } from './user-answer.js';

export function noteAnswer(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest, note: Note) {
  return {
    id: note.id,
    type: note.thread ? 'DiscussionNote' : null,
    body: note.body,
    attachment: null,
    author: noteAuthor(ctx, note.authorId),
    created_at: apiTime(note.createdAt),
    updated_at: apiTime(note.updatedAt),
    system: note.system,
    noteable_id: mergeRequest.id,
    noteable_type: 'MergeRequest',
    project_id: project.id,
    noteable_iid: mergeRequest.iid,
    resolvable: note.thread,
    confidential: note.internal,
    internal: note.internal,
    imported: false,
    imported_from: 'none',
    commands_changes: {},
    ...(note.thread ? { resolved: note.resolved ?? false, resolved_by: null, resolved_at: null } : {}),
  };
}

export function awardAnswer(ctx: GitLabContext, mergeRequest: MergeRequest, note: Note | null, award: Award) {
  return {
    id: award.id,
    name: award.name,
    user: basicUserById(ctx, award.userId),
    created_at: apiTime(award.createdAt),
    updated_at: apiTime(award.createdAt),
    awardable_id: note?.id ?? mergeRequest.id,
    awardable_type: note === null ? 'MergeRequest' : 'Note',
    url: null,
  };
}

/** Notes grouped into threads, the oldest first. */
export function discussionAnswers(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest) {
  const threads = new Map<string, Note[]>();
  for (const note of mergeRequest.notes.values()) {
    const thread = threads.get(note.discussionId);
    if (thread === undefined) threads.set(note.discussionId, [note]);
    else thread.push(note);
  }
  return [...threads].map(([id, notes]) => ({
    id,
    individual_note: !notes.some((note) => note.thread),
    notes: notes.map((note) => noteAnswer(ctx, project, mergeRequest, note)),
  }));
}
