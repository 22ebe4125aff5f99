import { hasLeft } from './linked-note.js';
import type { FeedbackView } from './view.js';
import { utcTime } from './words.js';

/** What is told in a reply of the note's thread, because the edit of a note reaches nobody. */
export const replyKinds = ['warning', 'failure', 'turn'] as const;

export type ReplyKind = (typeof replyKinds)[number];

/** A reply as it should stand in the thread. */
export interface WantedReply {
  /** What it is told of; of one term it is told at most once. */
  term: string;
  body: string;
  /** One that stands already is left standing when another term begins. */
  lasts: boolean;
}

/** By this a reply is known as ours again, when its id is not. */
export function replyMarker(kind: ReplyKind, term: string): string {
  return `<!-- mayfly:${kind} ${term} -->`;
}

/** The beginning of the markers of one kind, whatever their term. */
export function replyMarkerStart(kind: ReplyKind): string {
  return `<!-- mayfly:${kind} `;
}

/** The reply of a kind that the row asks for; null: none. `maxMs`: the longest life of a preview. Pure. */
export function wantedReply(kind: ReplyKind, view: FeedbackView, maxMs: number | null): WantedReply | null {
  const { phase } = view.preview;
  if (phase === 'stopping' || phase === 'stopped' || hasLeft(view)) return null;
  switch (kind) {
    case 'warning':
      return warning(view, maxMs);
    case 'failure':
      return failure(view);
    case 'turn':
      return turn(view);
    default:
      return kind satisfies never;
  }
}

function warning(view: FeedbackView, maxMs: number | null): WantedReply | null {
  const { warnedAt, warnedFor, expiresAt, createdAt, incarnation } = view.preview;
  if (warnedAt === null || warnedFor !== expiresAt) return null;
  const isLongest = maxMs !== null && expiresAt >= createdAt + maxMs;
  const toDo = isLongest
    ? 'It will have lived for as long as a preview may: `/preview pin` keeps it, and after its end a push or `/preview start` makes a new one.'
    : 'Write `/preview extend 2d` to keep it longer, or `/preview pin` to keep it until you take that back.';
  const sentence = `This preview ends at ${utcTime(expiresAt)}. ${toDo}`;
  return reply('warning', view, { term: `${incarnation}-${warnedFor}`, sentence, lasts: false });
}

/** What ran well does so no more, though nothing new was deployed. */
function failure(view: FeedbackView): WantedReply | null {
  const { phase, deployedRevision, wantedRevision, expiresAt, incarnation } = view.preview;
  if (phase !== 'failed' || deployedRevision === null || deployedRevision !== wantedRevision) return null;
  const sentence =
    'This preview was ready and has failed since, though nothing new was deployed. The note above says why.';
  return reply('failure', view, { term: `${incarnation}-${expiresAt}`, sentence, lasts: true });
}

function turn(view: FeedbackView): WantedReply | null {
  const { phase, incarnation } = view.preview;
  if (phase !== 'ready' || view.stoodInLine !== true) return null;
  const sentence = 'The line has come to this preview: it is ready.';
  return reply('turn', view, { term: `${incarnation}`, sentence, lasts: true });
}

function reply(
  kind: ReplyKind,
  { facts }: FeedbackView,
  { term, sentence, lasts }: { term: string; sentence: string; lasts: boolean },
): WantedReply {
  // GitLab's own rule for user names: nothing else can come of it than a mention.
  const isName = facts !== null && /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/.test(facts.authorUsername);
  const mention = isName ? `@${facts.authorUsername} ` : '';
  return { term, lasts, body: `${replyMarker(kind, term)}\n${mention}${sentence}\n` };
}
