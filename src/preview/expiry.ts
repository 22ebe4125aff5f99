import type { MergeRequestFacts, Wish } from './facts.js';
import type { Policy } from './policy.js';
import type { Instant, Preview } from './preview.js';
import { pinOf } from './wishes.js';

type LifetimePolicy = Pick<Policy, 'ttlMs' | 'maxMs' | 'keepAfterMergeMs'>;

/** How long one incarnation lives. */
export interface Lifetime {
  /** Who pinned it, so that it does not expire; null: nobody, or its merge request was merged. */
  pinnedBy: string | null;
  /** When it ends by itself; of a pinned one, when it would if it were not. */
  expiresAt: Instant;
}

/**
 * GitLab's time of the newest push, reopening or accepted command, but for one to sleep; the opening is the first
 * activity.
 */
export function lastActivityAt(facts: MergeRequestFacts, wishes: Wish[]): Instant {
  const ordersToRun = wishes.filter(({ kind }) => kind !== 'sleep');
  const times = [facts.createdAt, facts.lastPushAt, facts.lastReopenedAt, ...ordersToRun.map((wish) => wish.at)];
  return Math.max(...times.filter((time) => time !== null));
}

/**
 * It lives for its TTL since the last activity, and at least as long as each `extend` asked for, but never past its
 * longest life since `createdAt`; whoever unpins it leaves it one TTL. Once merged it lives as long as it is kept.
 */
export function lifetimeOf(
  policy: LifetimePolicy,
  facts: MergeRequestFacts,
  wishes: Wish[],
  createdAt: Instant,
): Lifetime {
  const { pinnedBy, releasedAt } = pinOf(facts, wishes);
  const longest = Math.max(createdAt + policy.maxMs, releasedAt === null ? 0 : releasedAt + policy.ttlMs);
  const kept = keptUntil(policy, facts);
  if (kept !== null) {
    return { pinnedBy: null, expiresAt: pinnedBy === null ? Math.min(kept, longest) : kept };
  }
  const wanted = Math.max(lastActivityAt(facts, wishes) + policy.ttlMs, ...extensions(wishes));
  return { pinnedBy, expiresAt: Math.min(wanted, longest) };
}

/** Until when a preview is kept though its merge request was merged; null: it was not, or none is. */
export function keptUntil(policy: Pick<Policy, 'keepAfterMergeMs'>, facts: MergeRequestFacts): Instant | null {
  return facts.state !== 'merged' || policy.keepAfterMergeMs === 0
    ? null
    : (facts.endedAt ?? facts.updatedAt) + policy.keepAfterMergeMs;
}

/**
 * Whether a preview that expired may live again: only something that its row did not know yet brings it back, an
 * activity, a pin or an extension, or an activity after its time had run out. A longer TTL in the configuration does not, nor
 * does an extension past the longest life.
 */
export function revives(
  row: Preview,
  policy: Pick<Policy, 'maxMs'>,
  facts: MergeRequestFacts,
  wishes: Wish[],
): boolean {
  const activity = lastActivityAt(facts, wishes);
  const isNew = activity > row.lastActivityAt || activity > row.expiresAt;
  const isCapped = row.expiresAt >= row.createdAt + policy.maxMs;
  const isPinned = pinOf(facts, wishes).pinnedBy !== null;
  return isNew || isPinned || (!isCapped && extensions(wishes).some((until) => until > row.expiresAt));
}

function extensions(wishes: Wish[]): Instant[] {
  return wishes.flatMap((wish) => (wish.kind === 'extend' && wish.amountMs !== null ? [wish.at + wish.amountMs] : []));
}
