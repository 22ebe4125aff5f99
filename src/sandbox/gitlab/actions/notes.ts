import { randomBytes } from 'node:crypto';
import { badRequest } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { Award, MergeRequest, Note, Project, User } from '../model.js';
import { nextId, touchMergeRequest } from '../state.js';

const longestNote = 1_000_000;

export interface NewNote {
  body: string;
  internal?: boolean;
  /** Starts a thread that can be answered. */
  thread?: boolean;
  /** Answers this one. */
  discussionId?: string;
  createdAt?: number;
}

function newNote(ctx: GitLabContext, author: User, input: NewNote, system: boolean): Note {
  const now = input.createdAt ?? ctx.clock();
  return {
    id: nextId(ctx.state, 'note'),
    discussionId: input.discussionId ?? randomBytes(20).toString('hex'),
    thread: input.thread ?? false,
    body: input.body,
    authorId: author.id,
    createdAt: now,
    updatedAt: now,
    system,
    internal: input.internal ?? false,
    awards: [],
  };
}

function checkBody(body: string): void {
  if (body.trim() === '') throw badRequest('400 Bad request - Note {:note=>["can\'t be blank"]}');
  if (body.length > longestNote) {
    throw badRequest(`400 Bad request - Note {:note=>["is too long (maximum is ${longestNote} characters)"]}`);
  }
}

export function createNote(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  author: User,
  input: NewNote,
): Note {
  checkBody(input.body);
  const note = newNote(ctx, author, input, false);
  if (input.discussionId !== undefined) {
    // An answer turns a plain comment into a thread.
    note.thread = true;
    for (const other of mergeRequest.notes.values()) {
      if (other.discussionId === input.discussionId) other.thread = true;
      // An answer to a thread that is resolved leaves it so.
      if (other.discussionId === input.discussionId && other.resolved === true) note.resolved = true;
    }
  }
  mergeRequest.notes.set(note.id, note);
  touchMergeRequest(project, mergeRequest, note.createdAt);
  ctx.emit({ kind: 'note', project, mergeRequest, note, user: author, action: 'create' });
  return note;
}

export function updateNote(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  note: Note,
  body: string,
): void {
  checkBody(body);
  if (note.body === body) return;
  note.body = body;
  note.updatedAt = ctx.clock();
  touchMergeRequest(project, mergeRequest, note.updatedAt);
  const author = ctx.state.users.get(note.authorId);
  // As in GitLab: the webhook names the author, whoever edited.
  if (author) ctx.emit({ kind: 'note', project, mergeRequest, note, user: author, action: 'update' });
}

export function deleteNote(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest, note: Note): void {
  mergeRequest.notes.delete(note.id);
  touchMergeRequest(project, mergeRequest, ctx.clock());
}

/** A line that GitLab itself writes under the merge request; no webhook tells of it. */
export function addSystemNote(ctx: GitLabContext, mergeRequest: MergeRequest, user: User, body: string): void {
  const note = newNote(ctx, user, { body }, true);
  mergeRequest.notes.set(note.id, note);
}

/** Adds the emoji; the same one of the same user a second time is refused, as GitLab does. */
export function awardEmoji(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  note: Note | null,
  user: User,
  name: string,
): Award {
  const awards = (note ?? mergeRequest).awards;
  if (awards.some((award) => award.userId === user.id && award.name === name)) {
    throw badRequest('404 Award Emoji Name has already been taken Not Found');
  }
  const award: Award = { id: nextId(ctx.state, 'award'), name, userId: user.id, createdAt: ctx.clock() };
  awards.push(award);
  ctx.emit({ kind: 'emoji', project, mergeRequest, note, award, user, action: 'award' });
  return award;
}

export function revokeEmoji(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  note: Note | null,
  award: Award,
): void {
  const awards = (note ?? mergeRequest).awards;
  awards.splice(awards.indexOf(award), 1);
  const user = ctx.state.users.get(award.userId);
  if (user) ctx.emit({ kind: 'emoji', project, mergeRequest, note, award, user, action: 'revoke' });
}
