import { judge } from './breaker.js';
import type { DecideInput } from './decision.js';
import { type Desire, newestWord } from './desire.js';
import { lifetimeOf } from './expiry.js';
import { hasFile, transition } from './lifecycle.js';
import type { Preview, StopReason } from './preview.js';

type Stop = Extract<Desire, { runs: false }>;

/** A merge request that ended, or a stop by a named person; a breaker lets these pass. */
export function isExplained(reason: StopReason): boolean {
  return reason === 'merged' || reason === 'closed' || reason === 'command' || reason === 'operator';
}

/** Whether the stop rests on what GitLab says now, and GitLab was not asked or could not say. */
export function lacksReading(input: DecideInput, want: Desire | null): boolean {
  return want !== null && !want.runs && want.needsReading && input.reading !== 'fresh';
}

/**
 * A running or waiting row that should not run. What was never in the cluster ends at once; an unexplained stop
 * that would pass the breaker's limit leaves phase and file as they are and is marked held, afresh each time.
 */
export function applyStop(row: Preview, want: Desire | null, input: DecideInput): Preview {
  if (want === null || row.phase === 'stopping' || row.phase === 'stopped') {
    return row;
  }
  if (want.runs) {
    return row.heldStop === null || isLost(row, input) ? row : { ...row, heldStop: null };
  }
  if (lacksReading(input, want)) {
    // Unknown changes nothing: neither is it stopped, nor does a stop that is held stop being so.
    return row;
  }
  if (row.phase === 'waiting') {
    return transition(row, 'stopped', stopFields(row, want, input));
  }
  return isHeld(want, input)
    ? { ...row, heldStop: heldStop(row, want.reason, input) }
    : transition(row, 'stopping', stopFields(row, want, input));
}

function isHeld(want: Stop, input: DecideInput): boolean {
  // A file that a person removed is gone already, and one that was never pushed deletes nothing.
  return !want.explained && want.reason !== 'git' && passesLimit(input);
}

/** Whether one more unexplained stop is more than the hour may have. */
function passesLimit(input: DecideInput): boolean {
  if (input.neverCommitted || input.breaker.accepted) {
    return false;
  }
  const { heldElsewhere, doneLastHour, livedAtHourStart } = input.breaker;
  return judge({ pending: heldElsewhere + 1, doneLastHour, livedAtHourStart }).verdict === 'hold';
}

function heldStop(row: Preview, reason: StopReason, input: DecideInput) {
  return row.heldStop?.reason === reason ? row.heldStop : { reason, since: input.now };
}

function stopFields(row: Preview, want: Stop, input: DecideInput): Partial<Preview> {
  return {
    stopReason: want.reason,
    stoppedAt: want.at ?? row.stoppedAt ?? input.now,
    stoppedBy: want.by,
    stopDetail: want.detail,
    members: row.members.map((member) => ({ ...member, next: null })),
  };
}

/** The cluster says that it is gone, and nobody stopped it. */
function isLost(row: Preview, input: DecideInput): boolean {
  return hasFile(row.phase) && input.observation?.state === 'gone';
}

/**
 * A row that runs while the cluster says that it is gone: this incarnation will never come back. An agent's word alone
 * explains nothing, so that the breaker judges it as any other stop: who says it of all ends none of them.
 */
export function applyLoss(row: Preview, input: DecideInput): Preview {
  if (!isLost(row, input)) {
    return row;
  }
  // What was merely kept after the merge has ended with it.
  const stopReason = input.facts?.state === 'merged' ? 'merged' : 'git';
  if (!isExplained(stopReason) && passesLimit(input)) {
    return row.heldStop === null ? { ...row, heldStop: heldStop(row, stopReason, input) } : row;
  }
  const members = row.members.map((member) => ({ ...member, next: null }));
  return transition(row, 'stopping', { stopReason, stoppedAt: input.now, stoppedBy: null, stopDetail: null, members });
}

/**
 * A stop is undone when its file came back before anything was torn down: same incarnation, and nothing is deployed
 * anew. A reopening undoes nothing: it makes the next incarnation once this one is gone.
 */
export function applyUndo(row: Preview, want: Desire | null, input: DecideInput): Preview {
  const state = input.observation?.state;
  const word = newestWord(input.facts, input.wishes);
  const isBack = word?.kind === 'start' && word.source === 'git' && word.at >= (row.stoppedAt ?? word.at);
  if (row.phase !== 'stopping' || want?.runs !== true || !isBack || state === 'terminating' || state === 'gone') {
    return row;
  }
  if (hasExpired(row, input)) {
    // Its longest life is over: what comes back is the next incarnation.
    return row;
  }
  const alive = { stopReason: null, stoppedAt: null, stoppedBy: null, stopDetail: null };
  return row.deployedRevision !== null && row.deployedRevision === row.wantedRevision
    ? transition(row, 'ready', alive)
    : transition(row, 'deploying', { ...alive, deployingSince: input.now });
}

function hasExpired(row: Preview, { policy, facts, wishes, now }: DecideInput): boolean {
  if (policy === null || facts === null) {
    return false;
  }
  const { pinnedBy, expiresAt } = lifetimeOf(policy, facts, wishes, row.createdAt);
  return pinnedBy === null && expiresAt <= now;
}

/** A stop has ended when the cluster says so, or when nothing of it ever was in the cluster. */
export function applyEnd(row: Preview, input: DecideInput): Preview {
  const isOver = input.observation?.state === 'gone' || input.neverCommitted;
  return row.phase === 'stopping' && isOver ? transition(row, 'stopped') : row;
}

/**
 * The reason of a stop follows what holds now, so that a merge request that was merged after its preview expired says
 * so. While the agent may still ask why, an explained stop stays explained.
 */
export function applyReason(row: Preview, want: Desire | null, input: DecideInput): Preview {
  if (want === null || want.runs || row.stopReason === null || want.reason === row.stopReason) {
    return row;
  }
  const isUnknown = lacksReading(input, want);
  const isStronger = want.explained || (!isExplained(row.stopReason) && !isUnknown);
  // Nothing expires before GitLab was asked whether anybody used it: that use would come before such an end.
  const mayBe = want.reason !== 'expired' || !isUnknown;
  const changes = (row.phase === 'stopped' && mayBe) || (row.phase === 'stopping' && isStronger);
  return changes ? { ...row, ...stopFields(row, want, input) } : row;
}

/** Why a deletion is to go, for the agent that asks; null: nobody can say, and its breaker counts it. */
export function explanation(row: Preview | null, acceptedBy: string | null): string | null {
  if (row !== null && (row.phase === 'stopping' || row.phase === 'stopped') && row.stopReason !== null) {
    if (row.stopReason === 'merged' || row.stopReason === 'closed') {
      return `its merge request was ${row.stopReason}`;
    }
    if (isExplained(row.stopReason)) {
      return `stopped by ${row.stoppedBy ?? 'an operator'}`;
    }
  }
  return acceptedBy === null ? null : `accepted by ${acceptedBy}`;
}
