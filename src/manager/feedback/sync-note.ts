import { createHash } from 'node:crypto';
import { AppError, isAppError } from '../../error/app-error.js';
import type { Instant } from '../../preview/preview.js';
import { noteMarker } from './note.js';
import type { Projection, ProjectionStore } from './projection.js';

export interface MergeRequestKey {
  projectId: number;
  iid: number;
  signal: AbortSignal;
}

interface NoteGitLab {
  /** All comments, page by page. */
  listNotes: (input: MergeRequestKey) => AsyncIterable<readonly { id: number; body: string; authorId: number }[]>;
  /** Answers the id; `gitlab-unclear`: it may have been written. */
  createNote: (input: MergeRequestKey & { body: string }) => Promise<number>;
  /** false: there is no such comment. */
  updateNote: (input: MergeRequestKey & { noteId: number; body: string }) => Promise<boolean>;
  /** null: there is no such comment. */
  getNote: (input: MergeRequestKey & { noteId: number }) => Promise<{ body: string; authorId: number } | null>;
  /** Id of the user that Mayfly acts as. */
  ownUserId: () => Promise<number>;
}

/** One reading of what is to be told and what was told. */
export interface NoteState {
  /** The text that is to stand there. */
  body: string;
  /** false: where no note is, none is made. */
  begins: boolean;
  /** The place in line that it names; null: none. */
  line: { place: number; length: number } | null;
  note: Projection;
  /** PostgreSQL's clock. */
  now: Instant;
}

export interface NoteDeps {
  gitlab: NoteGitLab;
  store: ProjectionStore;
}

/** How long a creation without an answer may still turn up at GitLab. Default of `settleMs`. */
export const defaultSettleMs = 30_000;

/** Codes after which a creation may have been done. */
export const unclearCodes = new Set(['gitlab-unclear', 'gitlab-aborted', 'gitlab-unexpected-answer']);

/**
 * Brings the one note of a merge request up to date; writes nothing when its text stands there already. Answers
 * false when somebody else wrote at the same time: load afresh and call again.
 * Errors: GitLab's, and `note-creation-open` while a creation without an answer may still turn up.
 */
export async function syncNote(
  deps: NoteDeps,
  input: MergeRequestKey & { state: NoteState; settleMs?: number },
): Promise<boolean> {
  const { state } = input;
  const { note, body } = state;
  const isKnown = note.externalId !== null || note.creatingSince !== null;
  if (!state.begins && !isKnown) return true;
  const hash = createHash('sha256').update(body).digest('hex');
  if (note.writtenHash === hash && note.creatingSince === null) return true;
  const externalId = await writeNote(deps, input, body);
  if (externalId === null) return false;
  const { projectId, iid } = input;
  const previousHash = note.writtenHash;
  // By the place that it names a note is found again when the line moves.
  const detail = state.line === null ? null : { line: state.line };
  return deps.store.saveWritten({ kind: 'note', projectId, iid, previousHash, hash, externalId, detail });
}

/** By its id, then by the marker; only then a new one. null: somebody else is making it. */
async function writeNote(
  deps: NoteDeps,
  input: MergeRequestKey & { state: NoteState; settleMs?: number },
  body: string,
): Promise<number | null> {
  const { externalId, writtenHash } = input.state.note;
  if (externalId !== null && writtenHash === null) {
    // Somebody may have removed it: what stands there is not edited for nothing.
    const standing = await deps.gitlab.getNote({ ...input, noteId: externalId });
    if (standing?.body === body && standing.authorId === (await deps.gitlab.ownUserId())) return externalId;
  }
  if (externalId !== null && (await deps.gitlab.updateNote({ ...input, noteId: externalId, body }))) return externalId;
  const found = await findByMarker(deps.gitlab, input);
  if (found === null) return createNote(deps, input, body);
  if (found.body !== body && !(await deps.gitlab.updateNote({ ...input, noteId: found.id, body }))) {
    return createNote(deps, input, body);
  }
  return found.id;
}

/** Ours are only notes of our own user: anybody can write a marker. The oldest, should there be two. */
async function findByMarker(gitlab: NoteGitLab, input: MergeRequestKey): Promise<{ id: number; body: string } | null> {
  const ownUserId = await gitlab.ownUserId();
  let found: { id: number; body: string } | null = null;
  for await (const page of gitlab.listNotes(input)) {
    for (const note of page) {
      const isOurs = note.authorId === ownUserId && note.body.trimStart().startsWith(noteMarker);
      if (isOurs && (found === null || note.id < found.id)) found = note;
    }
  }
  return found;
}

async function createNote(
  deps: NoteDeps,
  input: MergeRequestKey & { state: NoteState; settleMs?: number },
  body: string,
): Promise<number | null> {
  const { projectId, iid, state, settleMs = defaultSettleMs } = input;
  const { creatingSince, externalId } = state.note;
  if (creatingSince !== null && state.now - creatingSince < settleMs) throw creationOpen(input);
  const key = { kind: 'note', projectId, iid } as const;
  if (!(await deps.store.claimCreation({ ...key, creatingSince, externalId }))) return null;
  try {
    return await deps.gitlab.createNote({ ...input, body });
  } catch (error) {
    if (isAppError(error) && !unclearCodes.has(error.code)) await deps.store.releaseCreation(key);
    throw error;
  }
}

/** Looked for again soon: most often the answer is only late. */
function creationOpen(input: MergeRequestKey): AppError {
  return new AppError({
    code: 'note-creation-open',
    disposition: 'retry',
    publicMessage: `GitLab has not said whether it made the note of merge request !${input.iid}. It is looked for again before another is made.`,
    data: { projectId: input.projectId, iid: input.iid, retryAfterMs: 2_000 },
  });
}
