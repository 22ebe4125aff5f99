import type { BreakerUsage, Decision } from '../../preview/decision.js';
import { hasFile, holdsSlot } from '../../preview/lifecycle.js';
import type { SlotUsage } from '../../preview/policy.js';
import type { Preview } from '../../preview/preview.js';
import { isExplained } from '../../preview/stop.js';

/** What a decision needs beyond its own rows. Each costs locks or counting, so that only who needs it pays. */
export interface Scope {
  /** The project whose slots are locked and counted; null: slots do not matter. */
  slotsOf: string | null;
  /** The counts of the breaker matter. */
  breaker: boolean;
}

export const noScope: Scope = { slotsOf: null, breaker: false };

/** What decides as if there were room for all: what it would do shows what must be counted. */
export const unlimitedUsage: SlotUsage = {
  project: 0,
  total: 0,
  maxTotal: Number.POSITIVE_INFINITY,
  ahead: 0,
  aheadElsewhere: 0,
};

export const unlimitedBreaker: BreakerUsage = {
  heldElsewhere: 0,
  doneLastHour: 0,
  livedAtHourStart: Number.POSITIVE_INFINITY,
  accepted: false,
};

/**
 * The scope of a decision that was made without limits. Starting, taking a slot, freeing one and leaving a line lock
 * the slots; so does a stop that the breaker counts, so that two that stop at once count each other.
 */
export function scopeOf(before: Preview | null, decision: Decision): Scope {
  const after = decision.preview;
  if (after === null) return noScope;
  const isNew = before === null || before.slug !== after.slug || before.incarnation !== after.incarnation;
  const takesSlot = holdsSlot(after.phase) && (isNew || !holdsSlot(before.phase));
  // A lost preview may end and make way for its next incarnation in the same decision.
  const own = isNew ? decision.ended : after;
  const stops = before !== null && own !== null && hasFile(before.phase) && !hasFile(own.phase);
  const breaker = stops && own.stopReason !== null && !isExplained(own.stopReason);
  const slots = isNew || takesSlot || decision.freedSlot || breaker;
  return { slotsOf: slots ? after.project : null, breaker };
}

export function covers(scope: Scope, needed: Scope): boolean {
  return (needed.slotsOf === null || scope.slotsOf === needed.slotsOf) && (scope.breaker || !needed.breaker);
}
