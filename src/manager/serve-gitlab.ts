import type { GitLab } from '../gitlab/client.js';
import { postCommitStatus } from '../gitlab/commit-status.js';
import { findDiscussion, replyInDiscussion, resolveDiscussion } from '../gitlab/discussions.js';
import { hasEnded, readMergeRequest } from '../gitlab/merge-requests.js';
import { awardEmoji, createNote, deleteNote, getNote, listNotes, listNotesAfter, updateNote } from '../gitlab/notes.js';
import { newestPipeline, readGate } from '../gitlab/pipelines.js';
import { currentUser, memberAccess } from '../gitlab/projects.js';
import { isFork } from '../preview/follow.js';
import type { DecideDeps } from './decide/needs.js';
import type { FeedbackDeps } from './feedback/run.js';
import type { AnswerDeps } from './follow/answer-comments.js';
import type { CommandDeps } from './follow/read-commands.js';

/** Everything that the rooms ask of GitLab, bound to one connection. */
export interface GitLabCalls {
  decide: DecideDeps['gitlab'];
  commands: CommandDeps['gitlab'] & Pick<AnswerDeps, 'awardEmoji'>;
  feedback: FeedbackDeps['gitlab'];
  /** Whether the API says now that it is merged or closed; false also when it cannot say. */
  hasEnded(projectId: number, iid: number, signal: AbortSignal): Promise<boolean>;
}

export function gitlabCalls(gitlab: GitLab): GitLabCalls {
  const ownUserId = rememberOwnUser(gitlab);
  return {
    decide: {
      readMergeRequest: (projectId, iid, signal, known) =>
        readMergeRequest(gitlab, { projectId, iid, signal, ...(known === undefined ? {} : { known }) }),
      readGate: (question, signal) => readGate(gitlab, { ...question, signal }),
    },
    commands: {
      listNotesAfter: (input) => listNotesAfter(gitlab, input),
      getNote: (input) => getNote(gitlab, input),
      memberAccess: (input) => memberAccess(gitlab, input),
      awardEmoji: (input) => awardEmoji(gitlab, input),
      ownUserId,
      readHead: (input) => readHead(gitlab, input),
    },
    feedback: {
      listNotes: (input) => listNotes(gitlab, input),
      createNote: (input) => createNote(gitlab, input),
      updateNote: (input) => updateNote(gitlab, input),
      getNote: (input) => getNote(gitlab, input),
      deleteNote: (input) => deleteNote(gitlab, input),
      findDiscussion: (input) => findDiscussion(gitlab, input),
      replyInDiscussion: (input) => replyInDiscussion(gitlab, input),
      resolveDiscussion: (input) => resolveDiscussion(gitlab, input),
      newestPipeline: (input) => newestPipeline(gitlab, input),
      postCommitStatus: (status) => postCommitStatus(gitlab, status),
      ownUserId,
    },
    hasEnded: (projectId, iid, signal) => hasEnded(gitlab, { projectId, iid, signal }),
  };
}

async function readHead(
  gitlab: GitLab,
  input: { projectId: number; iid: number; signal: AbortSignal },
): ReturnType<CommandDeps['gitlab']['readHead']> {
  const reading = await readMergeRequest(gitlab, input);
  if (!reading.known) return null;
  const { facts } = reading;
  return { sha: facts.sha, pushedAt: facts.lastPushAt, isFork: isFork(facts) };
}

/** A token belongs to one user for life: asked once, and again only after a failure. */
function rememberOwnUser(gitlab: GitLab): () => Promise<number> {
  let asked: Promise<number> | null = null;
  return () => {
    asked ??= currentUser(gitlab)
      .then((user) => user.id)
      .catch((error: unknown) => {
        asked = null;
        throw error;
      });
    return asked;
  };
}
