import { MergeRequestDiscussions } from '@gitbeaker/rest';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import { type GitLab, parseAnswer } from './client.js';
import type { MergeRequestKey } from './notes.js';
import { pages } from './pages.js';

const discussionsSchema = z.array(z.object({ id: z.string(), notes: z.array(z.object({ id: z.number() })) }));

/** Id of the thread that a comment begins or belongs to; null when GitLab shows none with it. */
export async function findDiscussion(
  gitlab: GitLab,
  input: MergeRequestKey & { noteId: number },
): Promise<string | null> {
  const call = 'discussion.list';
  const resource = new MergeRequestDiscussions(gitlab.at(call, input.signal));
  const readPage = (page: number) =>
    resource.all(input.projectId, input.iid, { perPage: 100, page, showExpanded: true });
  for await (const page of pages(readPage)) {
    const found = parseAnswer(call, discussionsSchema, page).find(({ notes }) =>
      notes.some(({ id }) => id === input.noteId),
    );
    if (found !== undefined) return found.id;
  }
  return null;
}

/**
 * Answers in a thread and gives the answer's id; a single comment becomes a thread with it. null: there is no such
 * thread. `gitlab-unclear`: it may have been written.
 */
export async function replyInDiscussion(
  gitlab: GitLab,
  input: MergeRequestKey & { discussionId: string; body: string },
): Promise<number | null> {
  const call = 'discussion.reply';
  const resource = new MergeRequestDiscussions(gitlab.at(call, input.signal));
  try {
    const answer = await resource.addNote(input.projectId, input.iid, input.discussionId, input.body);
    return parseAnswer(call, z.object({ id: z.number() }), answer).id;
  } catch (error) {
    if (isAppError(error, 'gitlab-not-found')) return null;
    throw error;
  }
}

/** What GitLab answers where there is nothing to resolve, or where this user may not. */
const notToResolve = new Set(['gitlab-not-found', 'gitlab-forbidden', 'gitlab-invalid']);

/** Marks a thread as resolved, so that a project that asks for this of every thread can merge. */
export async function resolveDiscussion(
  gitlab: GitLab,
  input: MergeRequestKey & { discussionId: string },
): Promise<void> {
  const resource = new MergeRequestDiscussions(gitlab.at('discussion.resolve', input.signal));
  try {
    await resource.resolve(input.projectId, input.iid, input.discussionId, true);
  } catch (error) {
    if (!isAppError(error) || !notToResolve.has(error.code)) throw error;
  }
}
