import type { BreakerReport } from '../../protocol/poll.js';

/** Why the agent does nothing at all; null: it may go on. */
export type Guard = Exclude<BreakerReport['reason'], 'limit'>;

export interface GuardInput {
  /** The branch's head; null when there is no such branch. */
  head: string | null;
  /** Whether the head descends from the last one that was trusted; true when there was none. */
  descends: boolean;
  /** The installation id that the branch names; null when `mayfly.yml` is missing or names none. */
  installation: string | null;
  /** The id that was pinned at the first start; null before that. */
  pinned: string | null;
  /** Names in the Applications' folder; null when there is no such folder. */
  files: readonly string[] | null;
  /** Incarnations that live here and are not being torn down. */
  living: number;
}

/**
 * Whether the branch can be trusted to say what is to go. A branch that was rewritten, is another installation's, or
 * lost everything at once is a branch that somebody broke, not one that wants every preview gone.
 */
export function guardOf(input: GuardInput): Guard {
  if (input.head === null || input.installation === null) return 'installation-missing';
  if (input.pinned !== null && input.installation !== input.pinned) return 'installation-changed';
  if (!input.descends) return 'rewritten';
  if (input.files === null) return input.living > 0 ? 'applications-missing' : null;
  return input.files.length === 0 && input.living >= 2 ? 'all-files-gone' : null;
}

/**
 * Guards under which what is explained still goes. Git keeps no empty folder: when the last merge requests end, the
 * folder ends with them, and only the manager's word tells that from an accident.
 */
export function allowsExplained(guard: Guard): boolean {
  return guard === null || guard === 'applications-missing' || guard === 'all-files-gone';
}
