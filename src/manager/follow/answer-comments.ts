import { isAppError } from '../../error/app-error.js';

export interface AnswerDeps {
  /** Emoji that are still to be put on comments of a merge request. */
  openAnswers: (input: { projectId: number; iid: number }) => Promise<{ noteId: number; emoji: string }[]>;
  /** One that is there already, or whose comment is gone, is fine. */
  awardEmoji: (input: {
    projectId: number;
    iid: number;
    noteId: number;
    name: string;
    signal: AbortSignal;
  }) => Promise<void>;
  markAnswered: (input: { noteId: number }) => Promise<void>;
}

/** GitLab will not take the emoji, now or later: the note's line has to do. */
const finalCodes = new Set(['gitlab-forbidden', 'gitlab-invalid', 'gitlab-refused', 'gitlab-conflict']);

/**
 * The job `notes`, second half: puts the emoji that are owed on comments. A lost answer is tried again, because
 * GitLab refuses a second emoji of the same user.
 */
export async function answerComments(
  deps: AnswerDeps,
  input: { projectId: number; iid: number; signal: AbortSignal },
): Promise<void> {
  const { projectId, iid, signal } = input;
  for (const { noteId, emoji } of await deps.openAnswers({ projectId, iid })) {
    try {
      await deps.awardEmoji({ projectId, iid, noteId, name: emoji, signal });
    } catch (error) {
      if (!isAppError(error) || !finalCodes.has(error.code)) throw error;
    }
    await deps.markAnswered({ noteId });
  }
}
