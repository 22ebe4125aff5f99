import type { MergeRequestFacts, Wish } from './facts.js';
import type { Policy } from './policy.js';
import type { Instant, Preview } from './preview.js';

/** GitLab's time of the newest push, reopening or accepted command; the opening is the first activity. */
export function lastActivityAt(facts: MergeRequestFacts, wishes: Wish[]): Instant {
  const times = [facts.createdAt, facts.lastPushAt, facts.lastReopenedAt, ...wishes.map((wish) => wish.at)];
  return Math.max(...times.filter((time) => time !== null));
}

/** It lives for its TTL since the last activity, and at least as long as each `extend` asked for. */
export function expiresAt(policy: Pick<Policy, 'ttlMs'>, facts: MergeRequestFacts, wishes: Wish[]): Instant {
  return Math.max(lastActivityAt(facts, wishes) + policy.ttlMs, ...extensions(wishes));
}

/**
 * Whether a preview that expired may live again: only something that its row did not know yet brings it back, an
 * activity or an extension. A longer TTL in the configuration does not.
 */
export function revives(row: Preview, facts: MergeRequestFacts, wishes: Wish[]): boolean {
  return (
    lastActivityAt(facts, wishes) > row.lastActivityAt || extensions(wishes).some((until) => until > row.expiresAt)
  );
}

function extensions(wishes: Wish[]): Instant[] {
  return wishes.flatMap((wish) => (wish.kind === 'extend' && wish.amountMs !== null ? [wish.at + wish.amountMs] : []));
}
