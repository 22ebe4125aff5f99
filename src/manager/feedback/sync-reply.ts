import { createHash } from 'node:crypto';
import { AppError, isAppError } from '../../error/app-error.js';
import type { Instant } from '../../preview/preview.js';
import type { Projection, ProjectionStore } from './projection.js';
import { type ReplyKind, replyMarker, replyMarkerStart, type WantedReply } from './replies.js';
import { defaultSettleMs, type MergeRequestKey, type NoteDeps, unclearCodes } from './sync-note.js';

export interface ReplyDeps {
  gitlab: Pick<NoteDeps['gitlab'], 'listNotes' | 'updateNote' | 'ownUserId'> & {
    /** The thread of a comment; null: there is no such comment. */
    findDiscussion: (input: MergeRequestKey & { noteId: number }) => Promise<string | null>;
    /** Answers the id, null when there is no such thread; `gitlab-unclear`: it may have been written. */
    replyInDiscussion: (input: MergeRequestKey & { discussionId: string; body: string }) => Promise<number | null>;
    resolveDiscussion: (input: MergeRequestKey & { discussionId: string }) => Promise<void>;
    /** null: there is no such comment. */
    getNote: (input: MergeRequestKey & { noteId: number }) => Promise<{ body: string; authorId: number } | null>;
    deleteNote: (input: MergeRequestKey & { noteId: number }) => Promise<void>;
  };
  store: ProjectionStore;
}

interface ReplyInput extends MergeRequestKey {
  kind: ReplyKind;
  /** null: none is to stand. */
  wanted: WantedReply | null;
  /** What was last written of this kind. */
  reply: Projection;
  /** GitLab's id of the note; null: it is not there yet. */
  noteId: number | null;
  /** PostgreSQL's clock. */
  now: Instant;
  settleMs?: number;
}

/** What is remembered of the last reply, also after it was removed. */
interface Told {
  term: string;
  discussionId: string;
  /** The thread was marked as resolved. */
  resolved: boolean;
}

const nothing = '';

/**
 * Brings the reply of one kind up to date: at most one stands, at most one was told of each term, and one that is true
 * no more is removed. Answers false when somebody else wrote at the same time: load afresh and call again.
 * Errors: GitLab's, and `note-creation-open` while a creation without an answer may still turn up.
 */
export async function syncReply(deps: ReplyDeps, input: ReplyInput): Promise<boolean> {
  const { wanted, reply } = input;
  const told = toldOf(reply);
  const isOpen = reply.creatingSince !== null;
  if (wanted === null) return reply.externalId === null && !isOpen ? true : remove(deps, input, told);
  const stands = reply.externalId !== null && !isOpen;
  if (stands && (wanted.lasts || told?.term === wanted.term)) return keep(deps, input, wanted, told);
  if (!isOpen && told?.term === wanted.term) return true;
  return create(deps, input, wanted);
}

/** Its text may have changed; a thread that was made of our note must stand in nobody's way. */
async function keep(deps: ReplyDeps, input: ReplyInput, wanted: WantedReply, told: Told | null): Promise<boolean> {
  const { reply } = input;
  const hash = hashOf(wanted.body);
  const noteId = reply.externalId;
  if (noteId === null || (reply.writtenHash === hash && told?.resolved === true)) return true;
  const next: Told = { discussionId: '', ...told, term: wanted.term, resolved: true };
  if (told !== null && !told.resolved)
    await deps.gitlab.resolveDiscussion({ ...input, discussionId: told.discussionId });
  const isThere = reply.writtenHash === hash || (await deps.gitlab.updateNote({ ...input, noteId, body: wanted.body }));
  // Who deleted it has read it.
  return save(deps, input, isThere ? { hash, externalId: noteId, told: next } : { hash, externalId: null, told: next });
}

async function remove(deps: ReplyDeps, input: ReplyInput, told: Told | null): Promise<boolean> {
  const { externalId, creatingSince } = input.reply;
  if (creatingSince === null && externalId !== null && (await isOurs(deps, input, externalId))) {
    await deps.gitlab.deleteNote({ ...input, noteId: externalId });
  } else {
    // Whether a reply without an answer stands can only be seen.
    refuseWhileOpen(input);
    for (const { id } of await find(deps, input)) await deps.gitlab.deleteNote({ ...input, noteId: id });
  }
  return save(deps, input, { hash: nothing, externalId: null, told });
}

/** A GitLab that was restored from a backup gives numbers anew: what is somebody else's now is never deleted. */
async function isOurs(deps: ReplyDeps, input: ReplyInput, noteId: number): Promise<boolean> {
  const note = await deps.gitlab.getNote({ ...input, noteId });
  const isReply = note?.body.startsWith(replyMarkerStart(input.kind)) === true;
  return isReply && note.authorId === (await deps.gitlab.ownUserId());
}

async function create(deps: ReplyDeps, input: ReplyInput, wanted: WantedReply): Promise<boolean> {
  const { projectId, iid, kind, noteId, reply } = input;
  // The note is made by its own projection, and this one's turn comes again.
  if (noteId === null) return false;
  const discussionId = await deps.gitlab.findDiscussion({ ...input, noteId });
  // Somebody deleted the note; it is made again when it has something else to say.
  if (discussionId === null) return true;
  let standing: number | null = null;
  for (const { id, body } of await find(deps, input)) {
    const isWanted = standing === null && body.startsWith(replyMarker(kind, wanted.term));
    if (isWanted) standing = id;
    else await deps.gitlab.deleteNote({ ...input, noteId: id });
  }
  if (standing === null) {
    refuseWhileOpen(input);
    const { creatingSince, externalId } = reply;
    const key = { kind, projectId, iid };
    if (!(await deps.store.claimCreation({ ...key, creatingSince, externalId }))) return false;
    try {
      standing = await deps.gitlab.replyInDiscussion({ ...input, discussionId, body: wanted.body });
    } catch (error) {
      if (isAppError(error) && !unclearCodes.has(error.code)) await deps.store.releaseCreation(key);
      throw error;
    }
    if (standing === null) {
      await deps.store.releaseCreation(key);
      return true;
    }
  }
  const hash = hashOf(wanted.body);
  const told: Told = { term: wanted.term, discussionId, resolved: false };
  if (!(await save(deps, input, { hash, externalId: standing, told }))) return false;
  await deps.gitlab.resolveDiscussion({ ...input, discussionId });
  const now = { ...input, reply: { ...reply, writtenHash: hash } };
  return save(deps, now, { hash, externalId: standing, told: { ...told, resolved: true } });
}

/** Our replies of this kind, the oldest first: anybody can write a marker, so only our own user's count. */
async function find(deps: ReplyDeps, input: ReplyInput): Promise<{ id: number; body: string }[]> {
  const ownUserId = await deps.gitlab.ownUserId();
  const found: { id: number; body: string }[] = [];
  for await (const page of deps.gitlab.listNotes(input)) {
    found.push(
      ...page.filter((note) => note.authorId === ownUserId && note.body.startsWith(replyMarkerStart(input.kind))),
    );
  }
  return found.sort((a, b) => a.id - b.id);
}

function save(
  deps: ReplyDeps,
  { kind, projectId, iid, reply }: ReplyInput,
  { hash, externalId, told }: { hash: string; externalId: number | null; told: Told | null },
): Promise<boolean> {
  const key = { kind, projectId, iid, previousHash: reply.writtenHash };
  return deps.store.saveWritten({ ...key, hash, externalId, detail: told === null ? null : { ...told } });
}

function refuseWhileOpen({ reply, now, iid, projectId, settleMs = defaultSettleMs }: ReplyInput): void {
  if (reply.creatingSince === null || now - reply.creatingSince >= settleMs) return;
  throw new AppError({
    code: 'note-creation-open',
    disposition: 'retry',
    publicMessage: `GitLab has not said whether it made a reply in merge request !${iid}. It is looked for again before another is made.`,
    data: { projectId, iid, retryAfterMs: 2_000 },
  });
}

function toldOf({ detail }: Projection): Told | null {
  const { term, discussionId, resolved } = detail ?? {};
  if (typeof term !== 'string' || typeof discussionId !== 'string') return null;
  return { term, discussionId, resolved: resolved === true };
}

function hashOf(body: string): string {
  return createHash('sha256').update(body).digest('hex');
}
