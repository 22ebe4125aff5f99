import { MergeRequestNoteAwardEmojis, MergeRequestNotes } from '@gitbeaker/rest';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import type { Instant } from '../preview/preview.js';
import { type GitLab, parseAnswer } from './client.js';
import { instant } from './instant.js';
import { pages } from './pages.js';

/** A comment on a merge request. Body and name are an outsider's text. */
export interface Note {
  id: number;
  body: string;
  authorId: number;
  authorUsername: string;
  createdAt: Instant;
  updatedAt: Instant;
  /** Written by GitLab itself. */
  system: boolean;
}

export interface MergeRequestKey {
  projectId: number;
  iid: number;
  signal?: AbortSignal;
}

const noteSchema = z
  .object({
    id: z.number(),
    body: z.string(),
    author: z.object({ id: z.number(), username: z.string() }),
    created_at: instant,
    updated_at: instant,
    system: z.boolean(),
  })
  .transform(
    (note): Note => ({
      id: note.id,
      body: note.body,
      authorId: note.author.id,
      authorUsername: note.author.username,
      createdAt: note.created_at,
      updatedAt: note.updated_at,
      system: note.system,
    }),
  );

/** All comments, newest first, page by page. Errors: those of gitlab-error.ts. */
export async function* listNotes(gitlab: GitLab, input: MergeRequestKey): AsyncGenerator<Note[]> {
  const call = 'note.list';
  const resource = new MergeRequestNotes(gitlab.at(call, input.signal));
  const readPage = (page: number) =>
    resource.all(input.projectId, input.iid, {
      sort: 'desc',
      orderBy: 'created_at',
      // Known since GitLab 15; an older one sends system notes too, which every reader skips.
      ...{ activityFilter: 'only_comments' },
      perPage: 100,
      page,
      showExpanded: true,
    });
  for await (const page of pages(readPage)) yield parseAnswer(call, z.array(noteSchema), page);
}

/** Comments newer than `afterId`, oldest first; no page is read that lies wholly before it. */
export async function listNotesAfter(gitlab: GitLab, input: MergeRequestKey & { afterId: number }): Promise<Note[]> {
  const found = new Map<number, Note>();
  for await (const page of listNotes(gitlab, input)) {
    const newer = page.filter((note) => note.id > input.afterId);
    for (const note of newer) found.set(note.id, note);
    if (page.length > 0 && newer.length === 0) break;
  }
  return [...found.values()].sort((a, b) => a.id - b.id);
}

/** One comment; null when GitLab does not show it (404). */
export async function getNote(gitlab: GitLab, input: MergeRequestKey & { noteId: number }): Promise<Note | null> {
  const call = 'note.read';
  const resource = new MergeRequestNotes(gitlab.at(call, input.signal));
  return absentAsNull(async () =>
    parseAnswer(call, noteSchema, await resource.show(input.projectId, input.iid, input.noteId)),
  );
}

/** Writes a comment and answers its id. `gitlab-unclear`: it may have been written. */
export async function createNote(gitlab: GitLab, input: MergeRequestKey & { body: string }): Promise<number> {
  const call = 'note.create';
  const resource = new MergeRequestNotes(gitlab.at(call, input.signal));
  const answer = await resource.create(input.projectId, input.iid, input.body);
  return parseAnswer(call, z.object({ id: z.number() }), answer).id;
}

/** Replaces a comment's text; false when there is no such comment (404). */
export async function updateNote(
  gitlab: GitLab,
  input: MergeRequestKey & { noteId: number; body: string },
): Promise<boolean> {
  const resource = new MergeRequestNotes(gitlab.at('note.update', input.signal));
  const done = await absentAsNull(() =>
    resource.edit(input.projectId, input.iid, input.noteId, { body: input.body }).then(() => true),
  );
  return done ?? false;
}

/** Removes a comment; one that is gone already is fine. */
export async function deleteNote(gitlab: GitLab, input: MergeRequestKey & { noteId: number }): Promise<void> {
  const resource = new MergeRequestNotes(gitlab.at('note.delete', input.signal));
  await absentAsNull(() => resource.remove(input.projectId, input.iid, input.noteId));
}

/** What GitLab's versions answer to an emoji that is there already, and to one for a comment that is gone. */
const alreadyThere = new Set(['gitlab-not-found', 'gitlab-invalid']);

/** Puts an emoji on a comment, such as `thumbsup`. One that is there already, and a comment that is gone, are fine. */
export async function awardEmoji(
  gitlab: GitLab,
  input: MergeRequestKey & { noteId: number; name: string },
): Promise<void> {
  const resource = new MergeRequestNoteAwardEmojis(gitlab.at('note.award', input.signal));
  try {
    await resource.award(input.projectId, input.iid, input.noteId, input.name);
  } catch (error) {
    if (!isAppError(error) || !alreadyThere.has(error.code)) throw error;
  }
}

async function absentAsNull<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (isAppError(error, 'gitlab-not-found')) return null;
    throw error;
  }
}
