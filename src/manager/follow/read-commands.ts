import { AppError, isAppError } from '../../error/app-error.js';
import { type Command, parseCommands } from '../../preview/command.js';
import { commandLimit, isTooMany } from '../../preview/command-rate.js';
import type { Instant } from '../../preview/preview.js';
import type { Settable } from '../../preview/setting.js';
import { type CommandNote, type HandledNote, judgeNote, judgeTooMany } from './judge-note.js';
import type { Head } from './judge-order.js';

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
    /** The newest commit now; null: GitLab cannot say. */
    readHead: (input: MergeRequestKey) => Promise<Head | null>;
  };
  /** What the configuration says of commands in a project. `level`: the access level that they need. */
  rulesOf: (projectId: number) => { level: number; settable: Settable };
  store: {
    loadNoteState: (input: { projectId: number; iid: number }) => Promise<NoteState>;
    /** Comments with commands that were handled already, written after a time. */
    writtenSince: (input: { projectId: number; iid: number; after: Instant }) => Promise<WrittenCommands[]>;
    /** In one transaction, doing nothing twice; enqueues what follows. */
    saveHandled: (input: {
      projectId: number;
      iid: number;
      seen: number;
      handled: readonly HandledNote[];
      /** Ids that need no further look. */
      settled: readonly number[];
    }) => Promise<void>;
    /** Has somebody look whether Mayfly's note still stands. Absent: nobody does. */
    doubtNote?: (input: { projectId: number; iid: number }) => Promise<void>;
  };
}

interface WrittenCommands {
  by: string;
  at: Instant;
  commands: number;
  permitted: boolean;
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
  const { handled, seen, failure, fromPeople } = await judgeAll(deps, input, [...found, ...listed], state.seen);
  await deps.store.saveHandled({
    projectId,
    iid,
    seen,
    handled: handled.filter((one) => one.answer !== null),
    settled: [...settled, ...handled.map((one) => one.noteId)],
  });
  // No webhook and no count tells of a note that was removed before somebody wrote.
  if (fromPeople) await deps.store.doubtNote?.({ projectId, iid });
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
  const judge = await createJudge(deps, input, notes);
  const handled: HandledNote[] = [];
  const fromPeople = notes.some((note) => !note.system && note.authorId !== ownUserId);
  let seen = seenBefore;
  for (const note of notes) {
    const commands = note.system || note.authorId === ownUserId ? [] : parseCommands(note.body);
    try {
      handled.push(await judge(note, commands));
    } catch (error) {
      if (!isAppError(error)) throw error;
      return { handled, seen, failure: error, fromPeople };
    }
    seen = Math.max(seen, note.id);
  }
  return { handled, seen, failure: null, fromPeople };
}

/** Judges one comment after another; what GitLab is asked for is asked once, and only when a command needs it. */
async function createJudge(deps: CommandDeps, input: MergeRequestKey, notes: readonly CommandNote[]) {
  const { projectId, iid, signal } = input;
  const rules = deps.rulesOf(projectId);
  const oldest = Math.min(...notes.map((note) => note.createdAt));
  const written = notes.some((note) => parseCommands(note.body).length > 0)
    ? await deps.store.writtenSince({ projectId, iid, after: oldest - commandLimit.windowMs })
    : [];
  const access = once((userId: number) => deps.gitlab.memberAccess({ projectId, userId, signal }));
  const head = once(async (_: 'head') => (await deps.gitlab.readHead(input)) ?? Promise.reject(notReadable(input)));
  return async (note: CommandNote, commands: readonly Command[]): Promise<HandledNote> => {
    if (commands.length === 0) return judgeNote(note, commands, { ...rules, access: 0, head: null });
    const author = { by: note.authorUsername, at: note.createdAt };
    const { limited, told } = isTooMany({ ...author, commands: commands.length }, written);
    if (limited) {
      const permitted = written.some((each) => each.by === author.by && each.permitted);
      written.push({ ...author, commands: 0, permitted });
      return judgeTooMany(note, told, permitted);
    }
    const own = await access(note.authorId);
    const asksHead = own >= rules.level && commands.some((command) => command.kind === 'approve');
    const judged = judgeNote(note, commands, { ...rules, access: own, head: asksHead ? await head('head') : null });
    written.push({ ...author, commands: judged.commands, permitted: judged.permitted });
    return judged;
  };
}

function once<K, V>(ask: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const known = new Map<K, Promise<V>>();
  return (key) => {
    const asked = known.get(key) ?? ask(key);
    known.set(key, asked);
    return asked;
  };
}

/** Nobody can be said to approve what GitLab does not show: the comment is read again later. */
function notReadable({ projectId, iid }: MergeRequestKey): AppError {
  return new AppError({
    code: 'merge-request-not-read',
    disposition: 'retry',
    publicMessage: `GitLab does not show the newest commit of merge request !${iid} now, so the approval of it waits. It is tried again soon.`,
    data: { projectId, iid },
  });
}

function notVisible(input: MergeRequestKey, noteIds: number[]): AppError {
  return new AppError({
    code: 'note-not-visible',
    disposition: 'retry',
    publicMessage: `GitLab does not show a comment of merge request !${input.iid} yet that its webhook named. It is read again soon.`,
    data: { projectId: input.projectId, iid: input.iid, noteIds, retryAfterMs: 1_000 },
  });
}
