import { applyAdvance, shaToDeploy } from './advance.js';
import { begin } from './begin.js';
import { applyEdit, wishOfBranch } from './branch.js';
import type { DecideInput, Decision, DecisionEvent, NeededReads } from './decision.js';
import { type Desire, desire } from './desire.js';
import { createdEvent, eventsBetween } from './events.js';
import { expiresAt, lastActivityAt } from './expiry.js';
import { gateFor } from './gate.js';
import { hasFile, holdsSlot } from './lifecycle.js';
import { urlOf } from './naming.js';
import { applyObservation, applyTimeout, deployTimeoutAt } from './observe.js';
import type { Policy } from './policy.js';
import type { Instant, Preview } from './preview.js';
import { applyEnd, applyLoss, applyReason, applyStop, applyUndo, lacksReading } from './stop.js';

type Step = (row: Preview, want: Desire | null, input: DecideInput) => Preview;

/** What may happen to an incarnation in one decision, in this order; each step leaves alone what it has no word on. */
const steps: readonly Step[] = [
  applyReading,
  applyRefresh,
  (row, _, input) => applyEdit(row, input.branch, input.now),
  (row, _, input) => applyObservation(row, input.observation, input.now),
  applyStop,
  (row, _, input) => applyLoss(row, input),
  applyUndo,
  (row, _, input) => applyEnd(row, input),
  applyReason,
  applyAdvance,
  (row, _, input) => applyTimeout(row, input.policy, input.observation, input.now),
];

/**
 * The one decision about a subject: what its row should be, from the newest that is known. Pure and level-triggered:
 * deciding again on its own result changes nothing, and it depends on no event that may be lost, doubled or late.
 */
export function decide(given: DecideInput): Decision {
  const input = withBranchWish(given);
  const want = desire(input.policy, input.facts, input.wishes, input.now);
  const events: DecisionEvent[] = [];
  const current = input.preview === null ? null : run(input.preview, want, input, events);
  const beginning = begin(current, want, input);
  if (beginning.kind !== 'begin') {
    const needed = neededBy(current, want, input, beginning.kind === 'reading');
    return conclude(input, current, null, events, needed, beginning.kind === 'slug-taken');
  }
  // What the old incarnation had (its observation, its edit, its acceptance) says nothing of the new one.
  const fresh = { ...input, observation: null, branch: null, neverCommitted: true };
  events.push(createdEvent(beginning.preview));
  const next = run(beginning.preview, want, fresh, events);
  return conclude(input, next, current, events, neededBy(next, want, fresh, false), false);
}

/**
 * What must be read from GitLab before `decide` can say all: ask, merge the answers, ask again (the merge request may
 * have another sha now), then decide. `asked`: something may have changed since the merge request was last read.
 */
export function neededReads(input: DecideInput, asked: boolean): NeededReads {
  const { needed } = decide(input);
  if (input.reading !== 'none') {
    return { ...needed, mergeRequest: false };
  }
  const isFollowed = input.policy !== null;
  const lives = input.preview !== null && input.preview.phase !== 'stopped';
  const isDue = (asked && (isFollowed || lives)) || (input.facts === null && isFollowed);
  return { ...needed, mergeRequest: needed.mergeRequest || isDue };
}

/** When the sweep has to look at a preview though nothing was heard of it; null: never. */
export function nextDueAt(preview: Preview, policy: Policy | null): Instant | null {
  if (preview.phase === 'stopping' || preview.phase === 'stopped') {
    return null;
  }
  return Math.min(preview.expiresAt, deployTimeoutAt(preview, policy) ?? preview.expiresAt);
}

function withBranchWish(input: DecideInput): DecideInput {
  const wish = wishOfBranch(input.branch);
  return wish === null ? input : { ...input, wishes: [...input.wishes, wish] };
}

function run(row: Preview, want: Desire | null, input: DecideInput, events: DecisionEvent[]): Preview {
  let current = row;
  for (const step of steps) {
    const after = step(current, want, input);
    events.push(...eventsBetween(current, after, input.branch?.by ?? null));
    current = after;
  }
  return current;
}

function applyReading(row: Preview, _: Desire | null, input: DecideInput): Preview {
  if (row.phase === 'stopped' || input.reading === 'none') {
    return row;
  }
  return { ...row, unknownSince: input.reading === 'fresh' ? null : (row.unknownSince ?? input.now) };
}

function applyRefresh(row: Preview, want: Desire | null, input: DecideInput): Preview {
  const { policy, facts, wishes } = input;
  if (policy === null || facts === null || row.phase === 'stopping' || row.phase === 'stopped') {
    return row;
  }
  // The URL stands in the file, and neither a person's edit nor a stop that is held may be written over.
  const url = row.edited === null && want?.runs === true ? urlOf(policy, row.slug, facts) : row.url;
  return { ...row, url, lastActivityAt: lastActivityAt(facts, wishes), expiresAt: expiresAt(policy, facts, wishes) };
}

function neededBy(row: Preview | null, want: Desire | null, input: DecideInput, toBegin: boolean): NeededReads {
  const runs = row !== null && row.phase !== 'stopping' && row.phase !== 'stopped';
  const mergeRequest = input.reading === 'none' && (toBegin || (runs && lacksReading(input, want)));
  const sha = runs || toBegin ? shaToDeploy(row, want, input) : null;
  const isRead = sha !== null && input.policy !== null && gateFor(input.policy, sha, input.gate) !== null;
  return { mergeRequest, gateSha: isRead ? null : sha };
}

function conclude(
  input: DecideInput,
  row: Preview | null,
  ended: Preview | null,
  events: DecisionEvent[],
  needed: NeededReads,
  slugTaken: boolean,
): Decision {
  const before = input.preview;
  const isSame = JSON.stringify(row) === JSON.stringify(before);
  const endedChanged = ended !== null && JSON.stringify(ended) !== JSON.stringify(before);
  return {
    preview: isSame ? before : ended === null ? raised(row, before) : row,
    ended: ended === null || !endedChanged ? null : raised(ended, before),
    changed: !isSame,
    events,
    needsCommit: fileMayDiffer(before, row, input),
    freedSlot: freesSlot(before, row),
    wantsFeedback: !isSame,
    needed,
    slugTaken,
  };
}

function raised<T extends Preview | null>(row: T, before: Preview | null): T {
  return row === null || before === null ? row : { ...row, version: before.version + 1 };
}

function fileMayDiffer(before: Preview | null, after: Preview | null, input: DecideInput): boolean {
  if (after === null) {
    return false;
  }
  if (!hasFile(after.phase)) {
    // A file that was put back though its merge request ended is removed again.
    return (before !== null && hasFile(before.phase)) || input.branch?.kind === 'restored';
  }
  return (
    before === null ||
    before.incarnation !== after.incarnation ||
    before.url !== after.url ||
    before.members.some((member, index) => member.wantedSha !== after.members[index]?.wantedSha)
  );
}

function freesSlot(before: Preview | null, after: Preview | null): boolean {
  const hadSlot = before !== null && holdsSlot(before.phase);
  const hasSlot = after !== null && holdsSlot(after.phase);
  const leftLine = before?.waitingFor === 'slot' && after?.waitingFor !== 'slot';
  return (hadSlot && !hasSlot) || leftLine;
}
