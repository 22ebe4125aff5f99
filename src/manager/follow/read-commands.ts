import { AppError, isAppError } from '../../error/app-error.js';
import { parseCommands } from '../../preview/command.js';
import type { Instant } from '../../preview/preview.js';
import { type CommandNote, type HandledNote, judgeNote } from './judge-note.js';

/** What is known of a merge request's comments. */
interface NoteState {
  /** Id of the newest comment that was looked at. */
  seen: number;
  /** Ids that webhooks named and that were not looked at yet; `recent`: named in the last minutes. */
  hinted: readonly { noteId: number; recent: boolean }[];
}

export interface CommandDeps {
  gitlab: {
    /** Comments newer than `afterId`, oldest first. */
    listNotesAfter: (input: MergeRequestKey & { afterId: number }) => Promise<CommandNote[]>;
    /** null: GitLab does not show it. */
    getNote: (input: MergeRequestKey & { noteId: number }) => Promise<CommandNote | null>;
    /** Access level of a user in the project, inherited ones included; 0: none. */
    memberAccess: (input: { projectId: number; userId: number; signal: AbortSignal }) => Promise<number>;
    /** Id of the user that Mayfly acts as. */
    ownUserId: () => Promise<number>;
  };
  store: {
    loadNoteState: (input: { projectId: number; iid: number }) => Promise<NoteState>;
    /** In one transaction, doing nothing twice; enqueues what follows. */
    saveHandled: (input: {
      projectId: number;
      iid: number;
      seen: number;
      handled: readonly HandledNote[];
      /** Ids that need no further look. */
      settled: readonly number[];
    }) => Promise<void>;
  };
}

interface MergeRequestKey {
  projectId: number;
  iid: number;
  signal: AbortSignal;
}

/**
 * The job `notes`, first half: reads the comments that were not looked at yet from the API, and stores what their
 * authors may order. Whatever cannot be found out now stays for the next run: nothing is lost, nothing done twice.
 * Errors: GitLab's, and `note-not-visible` for a comment that a webhook named and the API does not show yet.
 */
export async function readCommands(deps: CommandDeps, input: MergeRequestKey): Promise<void> {
  const { projectId, iid } = input;
  const state = await deps.store.loadNoteState({ projectId, iid });
  const listed = await deps.gitlab.listNotesAfter({ ...input, afterId: state.seen });
  const { found, missing, settled } = await readHinted(deps, input, state, listed);
  const { handled, seen, failure } = await judgeAll(deps, input, [...found, ...listed], state.seen);
  await deps.store.saveHandled({
    projectId,
    iid,
    seen,
    handled: handled.filter((one) => one.answer !== null),
    settled: [...settled, ...handled.map((one) => one.noteId)],
  });
  if (failure !== null) throw failure;
  if (missing.length > 0) throw notVisible(input, missing);
}

/** Named comments that the listing does not hold: older than the newest seen, or not visible yet. */
async function readHinted(deps: CommandDeps, input: MergeRequestKey, state: NoteState, listed: CommandNote[]) {
  const found: CommandNote[] = [];
  const missing: number[] = [];
  const settled: number[] = [];
  const isListed = new Set(listed.map((note) => note.id));
  for (const { noteId, recent } of state.hinted) {
    if (isListed.has(noteId)) continue;
    const note = await deps.gitlab.getNote({ ...input, noteId });
    if (note !== null) found.push(note);
    else if (recent) missing.push(noteId);
    else settled.push(noteId);
  }
  return { found: found.sort((a, b) => a.id - b.id), missing, settled };
}

/** Judges in order and stops at the first comment of which GitLab cannot say who may what. */
async function judgeAll(deps: CommandDeps, input: MergeRequestKey, notes: CommandNote[], seenBefore: Instant) {
  const ownUserId = notes.length === 0 ? 0 : await deps.gitlab.ownUserId();
  const access = accessReader(deps, input);
  const handled: HandledNote[] = [];
  let seen = seenBefore;
  for (const note of notes) {
    try {
      handled.push(await judge(note, ownUserId, access));
    } catch (error) {
      if (!isAppError(error)) throw error;
      return { handled, seen, failure: error };
    }
    seen = Math.max(seen, note.id);
  }
  return { handled, seen, failure: null };
}

async function judge(
  note: CommandNote,
  ownUserId: number,
  access: (userId: number) => Promise<number>,
): Promise<HandledNote> {
  const commands = note.system || note.authorId === ownUserId ? [] : parseCommands(note.body);
  return judgeNote(note, commands, commands.length === 0 ? 0 : await access(note.authorId));
}

function accessReader(deps: CommandDeps, input: MergeRequestKey): (userId: number) => Promise<number> {
  const known = new Map<number, Promise<number>>();
  return (userId) => {
    const asked =
      known.get(userId) ?? deps.gitlab.memberAccess({ projectId: input.projectId, userId, signal: input.signal });
    known.set(userId, asked);
    return asked;
  };
}

function notVisible(input: MergeRequestKey, noteIds: number[]): AppError {
  return new AppError({
    code: 'note-not-visible',
    disposition: 'retry',
    publicMessage: `GitLab does not show a comment of merge request !${input.iid} yet that its webhook named. It is read again soon.`,
    data: { projectId: input.projectId, iid: input.iid, noteIds, retryAfterMs: 1_000 },
  });
}
