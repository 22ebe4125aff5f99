import { breakerLimit, judge } from '../../preview/breaker.js';

/** An incarnation whose file is gone, or has made way for the next one. */
interface PendingDeletion {
  slug: string;
  incarnation: number;
}

/** A deletion that was done, for the sliding hour. */
export interface DoneDeletion {
  /** Milliseconds since the epoch. */
  at: number;
  explained: boolean;
  /** It lived already an hour before. */
  old: boolean;
}

export interface DeletionInput {
  pending: readonly PendingDeletion[];
  /** Why each is to go, in the same order; null: nobody can say. */
  explanations: readonly (string | null)[];
  /** Those that never go unexplained, whatever their number; they are held, and count for no other. Default: none. */
  mustBeExplained?: (deletion: PendingDeletion) => boolean;
  /** Deletions of the last hour and earlier. */
  done: readonly DoneDeletion[];
  /** When each of those that live now was made, milliseconds since the epoch; the pending are among them. */
  livingSince: readonly number[];
  /** Unexplained deletions are held whatever their number: the branch as a whole looks wrong. */
  holdUnexplained: boolean;
  now: number;
}

export interface DeletionDecision {
  approved: { deletion: PendingDeletion; why: string; explained: boolean }[];
  held: PendingDeletion[];
  /** Unexplained deletions that the hour may have. */
  limit: number;
}

const hourMs = 3_600_000;

/**
 * Which of the pending deletions are done. Explained ones always are; the others are judged together over the last
 * hour, and over the limit none of them is.
 */
export function decideDeletions(input: DeletionInput): DeletionDecision {
  const since = input.now - hourMs;
  const recent = recentDeletions(input.done, input.now);
  const paired = input.pending.map((deletion, index) => ({ deletion, why: input.explanations[index] ?? null }));
  const explained = paired.flatMap(({ deletion, why }) => (why === null ? [] : [{ deletion, why, explained: true }]));
  const nobodys = paired.filter(({ why }) => why === null).map(({ deletion }) => deletion);
  const kept = nobodys.filter((deletion) => input.mustBeExplained?.(deletion) ?? false);
  const unexplained = nobodys.filter((deletion) => !kept.includes(deletion));
  const livedAtHourStart =
    input.livingSince.filter((at) => at <= since).length + recent.filter((deletion) => deletion.old).length;
  const verdict = judge({
    pending: unexplained.length,
    doneLastHour: recent.filter((deletion) => !deletion.explained).length,
    livedAtHourStart,
  });
  const hold = input.holdUnexplained || verdict.verdict === 'hold';
  return {
    approved: [
      ...explained,
      ...(hold ? [] : unexplained.map((deletion) => ({ deletion, why: 'the file was removed', explained: false }))),
    ],
    held: hold ? nobodys : kept,
    limit: breakerLimit(livedAtHourStart),
  };
}

/** Those that the sliding hour still counts. */
export function recentDeletions(done: readonly DoneDeletion[], now: number): DoneDeletion[] {
  return done.filter((deletion) => deletion.at > now - hourMs);
}

/** The record of a deletion that is about to be done. */
export function doneDeletion(input: { now: number; explained: boolean; livingSince: number }): DoneDeletion {
  return { at: input.now, explained: input.explained, old: input.livingSince <= input.now - hourMs };
}
