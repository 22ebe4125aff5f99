/** How many unexplained deletions an hour may have, and how many there are. */
export interface BreakerCount {
  /** Unexplained deletions that wait to be done, the one in question among them. */
  pending: number;
  /** Unexplained deletions that were done in the last hour. */
  doneLastHour: number;
  /** What lived when that hour began. */
  livedAtHourStart: number;
}

/** `hold`: none of the pending deletions is done until a person accepts them. */
export type BreakerVerdict = { verdict: 'allow' | 'hold'; limit: number };

/** Unexplained deletions that one hour may have: a fifth of what lived when it began, and never fewer than three. */
export function breakerLimit(livedAtHourStart: number): number {
  return Math.max(3, Math.floor(livedAtHourStart / 5));
}

/**
 * Judges all pending unexplained deletions together over the last hour. Used by the manager before it stops a preview
 * and by the agent before it tears one down. A count that is not a number holds: what cannot be counted is not deleted.
 */
export function judge(count: BreakerCount): BreakerVerdict {
  const limit = breakerLimit(count.livedAtHourStart);
  return { verdict: count.pending + count.doneLastHour <= limit ? 'allow' : 'hold', limit };
}
