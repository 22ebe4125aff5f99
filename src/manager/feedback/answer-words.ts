import { formatDuration } from '../../preview/duration.js';
import { shownAnswers } from './answers-part.js';
import { isLinked } from './linked-note.js';
import type { Answer, FeedbackView, Spoken } from './view.js';
import { utcTime } from './words.js';

/** Why a merge request has no preview, and how it would get one. */
export interface WhyNone {
  /** Without its full stop. */
  why: string;
  /** A sentence; empty: there is no way. */
  way: string;
}

/** Orders that count for the next preview, too. */
const lasting = new Set(['extend', 'pin', 'set', 'approve']);

type Order = Spoken['orders'][number];

/**
 * What the note says to each who wrote commands: what was wrong with their newest comment, and what did not come of it.
 * Where there is nothing to say, what an older one was told stays; the end of the preview ends what was said before it.
 * `none`: why no preview runs, null when one is about to;
 * `maxMs`: the longest life of a preview, null when the configuration does not know it any more. Pure.
 */
export function answersOf(
  view: FeedbackView,
  { none, maxMs }: { none: WhyNone | null; maxMs: number | null },
): Answer[] {
  const { preview, spoken = [] } = view;
  const isOver = preview.phase === 'stopping' || preview.phase === 'stopped';
  const told = spoken.filter(({ at }) => isTold(preview, at));
  return shownAnswers(
    told.map((one) => answerTo(one, isOver ? afterItsEnd(view, one, none) : extensionWords(view, one, maxMs))),
  );
}

/** What is wrong with a comment and `words`, as one answer; null: neither says anything. */
export function answerTo(spoken: Spoken, words: string | null): Answer | null {
  const { by, at, permitted } = spoken;
  const line = [spoken.line, words].filter((each) => each !== null).join(' ');
  return line === '' ? null : { line, by, at, permitted };
}

/** Of one that is over is told why; what was said while it lived, such as of a refused command, is history. */
function isTold({ phase, stoppedAt }: FeedbackView['preview'], at: number): boolean {
  const isOver = phase === 'stopping' || phase === 'stopped';
  return !isOver || stoppedAt === null || at >= stoppedAt;
}

function afterItsEnd({ preview }: FeedbackView, spoken: Spoken, none: WhyNone | null): string | null {
  const isAfter = preview.stoppedAt === null || spoken.at > preview.stoppedAt;
  return isAfter && none !== null ? idleWords(spoken.orders, none) : null;
}

/** What orders come to where nothing runs, and nothing is about to; null: they ordered nothing that could. */
export function idleWords(orders: readonly Order[], { why }: WhyNone): string | null {
  if (orders.some(({ kind }) => kind === 'start')) return `Nothing starts: ${why}.`;
  const idle = orders.filter(({ kind }) => kind !== 'stop');
  if (idle.length === 0) return null;
  const names = [...new Set(idle.map((order) => `\`${orderText(order)}\``))].join(', ');
  const lasts = idle.every(({ kind }) => lasting.has(kind));
  return `There is no preview for ${names} now${lasts ? '; the next one goes by it' : ''}.`;
}

/** An extension that does not come to what was asked for. */
function extensionWords(
  { preview, facts, ...view }: FeedbackView,
  spoken: Spoken,
  maxMs: number | null,
): string | null {
  const order = spoken.orders.findLast(({ kind }) => kind === 'extend');
  if (order === undefined || preview.pinnedBy !== null) return null;
  const end = utcTime(preview.expiresAt);
  const name = `\`${orderText(order)}\``;
  if (facts?.state === 'merged' && !isLinked({ preview, facts, ...view })) {
    return `${name} keeps it no longer than ${end}, for the merge request was merged.`;
  }
  const isLongest = maxMs !== null && preview.expiresAt >= preview.createdAt + maxMs;
  const isCut = order.amountMs === null || spoken.at + order.amountMs > preview.expiresAt;
  if (!isLongest || !isCut) return null;
  const most = formatDuration(maxMs);
  return `${name} was cut: it ends ${end}, because a preview lives for ${most} at most (\`lifetime.max\`). \`/preview pin\` keeps it longer.`;
}

function orderText({ kind, amountMs }: Order): string {
  return amountMs === null ? kind : `${kind} ${formatDuration(amountMs)}`;
}
