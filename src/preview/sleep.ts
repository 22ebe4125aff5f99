import { awakeState } from './awake-schedule.js';
import type { DecideInput } from './decision.js';
import type { Desire } from './desire.js';
import { lastActivityAt } from './expiry.js';
import type { MergeRequestFacts, Wish } from './facts.js';
import { transition } from './lifecycle.js';
import type { SleepPolicy } from './policy.js';
import type { Instant, Preview, SleepCause } from './preview.js';
import { newestOf } from './wishes.js';

/** Outside the schedule, what was woken sleeps again once nothing happened for so long, where `after` does not say. */
const afterHoursMs = 3_600_000;

/** What people, the clock and the schedule ask for now. */
interface SleepLevel {
  /** Why it is to sleep; null: it is to be awake. */
  cause: 'order' | 'idle' | 'schedule' | null;
  /** When the clock may change that; null: only somebody can. */
  until: Instant | null;
}

/** `shaSince`: when its newest sha began to be deployed, which idleness counts from at the earliest. */
function sleepLevel(
  policy: SleepPolicy,
  facts: MergeRequestFacts,
  wishes: readonly Wish[],
  shaSince: Instant | null,
  now: Instant,
): SleepLevel {
  if (isOrdered(facts, wishes)) {
    return { cause: 'order', until: null };
  }
  const usedAt = Math.max(lastActivityAt(facts, [...wishes]), shaSince ?? 0);
  const idleAt = policy.afterMs === null ? null : usedAt + policy.afterMs;
  if (idleAt !== null && idleAt <= now) {
    return { cause: 'idle', until: null };
  }
  if (policy.awake === null) {
    return { cause: null, until: idleAt };
  }
  const { awake, since, until } = awakeState(policy.awake, now);
  // Awake after hours: somebody used it since they began.
  const afterHoursAt = awake || usedAt < since ? null : usedAt + (policy.afterMs ?? afterHoursMs);
  const sleeps = !awake && (afterHoursAt === null || afterHoursAt <= now);
  return { cause: sleeps ? 'schedule' : null, until: earliest(until, idleAt, sleeps ? null : afterHoursAt) };
}

/** An order to sleep holds until something wakes the preview: a push, a reopening, or an order to run. */
function isOrdered(facts: MergeRequestFacts, wishes: readonly Wish[]): boolean {
  // A file that was put back says what it says: perhaps that it sleeps.
  const given = wishes.filter(({ source }) => source !== 'git');
  const word = newestOf(given, 'sleep', 'wake', 'start', 'redeploy');
  const isPast = (at: Instant | null) => word !== null && at !== null && at > word.at;
  return word?.kind === 'sleep' && !isPast(facts.lastPushAt) && !isPast(facts.lastReopenedAt);
}

function earliest(...times: (Instant | null)[]): Instant | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/**
 * The row after what was asked of its sleep. It falls asleep with its next file, see `rendered`; what is deployed comes
 * to its end first. A person's edit of the file stays until the level changes or somebody orders the one or the other.
 */
export function applySleep(row: Preview, want: Desire | null, input: DecideInput): Preview {
  const { policy, facts } = input;
  if (row.phase === 'waiting' || row.phase === 'stopping' || row.phase === 'stopped') {
    return row.sleepDueAt === null ? row : { ...row, sleepDueAt: null };
  }
  if (policy === null || facts === null || want?.runs !== true) {
    return row;
  }
  const current = withShaSince(row, input);
  const { cause, until } = sleepLevel(policy.sleep, facts, input.wishes, current.shaSince, input.now);
  const order = newestOf(input.wishes, 'sleep', 'wake');
  const isNew = order !== null && (current.sleepOrderedAt === null || order.at > current.sleepOrderedAt);
  const after =
    cause === null
      ? awake(current, isNew && order.kind === 'wake' ? order : null, input)
      : asleep(current, isNew && order.kind === 'sleep' ? order : null, cause);
  const sleepDueAt = after.phase === 'deploying' ? null : until;
  return after.sleepDueAt === sleepDueAt ? after : { ...after, sleepDueAt };
}

function withShaSince(row: Preview, { preview, now }: DecideInput): Preview {
  const isSame = preview?.slug === row.slug && preview.incarnation === row.incarnation;
  const before = isSame ? preview.members.map((member) => member.wantedSha) : [];
  const isNew = row.members.some(({ wantedSha }) => wantedSha !== null && !before.includes(wantedSha));
  // Its file is about the sha then, also where it had just woken.
  return isNew ? { ...row, shaSince: now, sleepCause: row.wantAsleep ? row.sleepCause : null } : row;
}

/** `order`: a new one to sleep; null: there is none. */
function asleep(row: Preview, order: Wish | null, cause: SleepCause): Preview {
  if (row.phase === 'deploying') {
    return isAnew(row) ? { ...row, wantAsleep: false, sleepCause: null } : row;
  }
  const sleepOrderedAt = order?.at ?? row.sleepOrderedAt;
  if (row.phase === 'asleep' && !row.wantAsleep && order === null) {
    // A person's edit says so already, and stays.
    return { ...row, wantAsleep: true, sleepCause: cause };
  }
  if (row.wantAsleep && (order === null || row.edited === null)) {
    return order === null ? row : { ...row, sleepOrderedAt };
  }
  return { ...row, wantAsleep: true, sleepCause: cause, sleepOrderedAt, edited: null, ordered: by(order) };
}

/** `order`: a new one to wake; null: there is none. */
function awake(row: Preview, order: Wish | null, input: DecideInput): Preview {
  const sleepOrderedAt = order?.at ?? row.sleepOrderedAt;
  // Otherwise a new sha or a person's edit woke it, its sleep did not begin yet, or only an edit says that it sleeps.
  const sleeps = row.phase === 'asleep' && (row.wantAsleep || order !== null);
  const sleptOn = row.phase === 'deploying' && row.wantAsleep && row.edited === null && !isAnew(row);
  if (!sleeps && !sleptOn) {
    const after = sleepOrderedAt === row.sleepOrderedAt ? row : { ...row, sleepOrderedAt };
    return row.wantAsleep ? { ...after, wantAsleep: false, sleepCause: null } : after;
  }
  const waker = order ?? (beganItsHours(row, input) ? null : wakerOf(input));
  return transition(row, 'deploying', {
    wantedRevision: null,
    edited: null,
    deployingSince: input.now,
    wantAsleep: false,
    sleepCause: waker === null ? wakeCause(row, input) : 'order',
    sleepOrderedAt,
    ordered: by(waker),
  });
}

/** Its file is to be rendered anew for a new sha or an order: it runs first, and what was deployed asleep before is past. */
function isAnew(row: Preview): boolean {
  return row.phase === 'deploying' && row.wantAsleep && row.edited === null && row.wantedRevision === null;
}

/** The order that was the last activity; null: it was a push or the like. */
function wakerOf({ facts, wishes }: DecideInput): Wish | null {
  const orders = wishes.filter(({ kind }) => kind !== 'sleep');
  const newest = orders.reduce<Wish | null>((last, wish) => (last === null || wish.at >= last.at ? wish : last), null);
  return newest !== null && facts !== null && newest.at >= lastActivityAt(facts, wishes) ? newest : null;
}

/** Its hours have begun since anybody last used it, so that nobody woke it. */
function beganItsHours({ sleepCause }: Preview, { policy, facts, wishes, now }: DecideInput): boolean {
  const schedule = policy?.sleep.awake ?? null;
  if (sleepCause !== 'schedule' || schedule === null || facts === null) {
    return false;
  }
  const { awake: isAwake, since } = awakeState(schedule, now);
  return isAwake && lastActivityAt(facts, wishes) < since;
}

function wakeCause(row: Preview, { policy, now }: DecideInput): SleepCause {
  const schedule = policy?.sleep.awake ?? null;
  return row.sleepCause === 'schedule' && schedule !== null && awakeState(schedule, now).awake
    ? 'schedule'
    : 'activity';
}

function by(order: Wish | null): Preview['ordered'] {
  return order === null ? null : { kind: order.kind, by: order.by };
}
