import { applyAdvance, shaToDeploy } from './advance.js';
import { begin } from './begin.js';
import { applyEdit, wishOfBranch } from './branch.js';
import type { DecideInput, Decision, DecisionEvent, NeededReads, OpenGate } from './decision.js';
import { type Desire, desire } from './desire.js';
import { createdEvent, eventsBetween } from './events.js';
import { lastActivityAt, lifetimeOf } from './expiry.js';
import { hasFile, holdsSlot } from './lifecycle.js';
import { combine } from './linked.js';
import { linkedOpenGates, linkedReads } from './linked-advance.js';
import { applyObservation, applyTimeout, deployTimeoutAt } from './observe.js';
import { applyRedeploy, applySettings, ordersDiffer } from './orders.js';
import type { Policy } from './policy.js';
import type { Instant, Preview } from './preview.js';
import { gatesOfSha } from './sha-gates.js';
import { applySleep } from './sleep.js';
import { applyEnd, applyLoss, applyReason, applyStop, applyUndo, lacksReading } from './stop.js';
import { applyWarning, lacksWarning } from './warning.js';

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
  (row, _, input) => applySettings(row, input),
  applyRedeploy,
  applyAdvance,
  applySleep,
  (row, _, input) => applyTimeout(row, input.policy, input.observation, input.now),
  applyWarning,
];

/**
 * The one decision about a subject: what its row should be, from the newest that is known. Pure and level-triggered:
 * deciding again on its own result changes nothing, and it depends on no event that may be lost, doubled or late.
 */
export function decide(given: DecideInput): Decision {
  const input = withBranchWish(withCombined(given));
  const want = wantOf(input);
  const events: DecisionEvent[] = [];
  const current = input.preview === null ? null : run(input.preview, want, input, events);
  const wantNext = hasJustEnded(current, input) ? wantOf({ ...input, preview: current }) : want;
  const beginning = begin(current, wantNext, input);
  if (beginning.kind !== 'begin') {
    const needed = neededBy(current, wantNext, input, beginning.kind === 'reading');
    return conclude(input, current, null, events, needed, beginning.kind === 'slug-taken');
  }
  // What the old incarnation had (its observation, its edit, its acceptance) says nothing of the new one.
  const fresh = { ...input, observation: null, branch: null, neverCommitted: true };
  events.push(createdEvent(beginning.preview));
  const next = run(beginning.preview, wantNext, fresh, events);
  return conclude(input, next, current, events, neededBy(next, wantNext, fresh, false), false);
}

function wantOf(input: DecideInput): Desire | null {
  return desire(input.policy, input.facts, input.wishes, input.now, input);
}

/** What one incarnation was too old for, the next may do: somebody used it after its end, and before it was stopped. */
function hasJustEnded(row: Preview | null, { preview }: DecideInput): boolean {
  return row?.phase === 'stopped' && preview?.phase !== 'stopped';
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
  const isNew = input.facts === null && isFollowed && input.linked === undefined;
  const isDue = (asked && (isFollowed || lives)) || isNew;
  return { ...needed, mergeRequest: needed.mergeRequest || isDue };
}

/** When the sweep has to look at a preview though nothing was heard of it; null: never. */
export function nextDueAt(preview: Preview, policy: Policy | null): Instant | null {
  if (preview.phase === 'stopping' || preview.phase === 'stopped') {
    return null;
  }
  const times = [
    preview.pinnedBy === null ? preview.expiresAt : null,
    preview.warnAt,
    preview.sleepDueAt,
    deployTimeoutAt(preview, policy),
  ];
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** A linked preview is decided about as if all its merge requests were one. */
function withCombined(input: DecideInput): DecideInput {
  return input.linked === undefined ? input : { ...input, ...combine(input.linked, input.wishes) };
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

function applyRefresh(row: Preview, _: Desire | null, input: DecideInput): Preview {
  const { policy, facts, wishes } = input;
  if (policy === null || facts === null || row.phase === 'stopping' || row.phase === 'stopped') {
    return row;
  }
  // The URL stands in the file: it changes when that is rendered again, see `rendered`.
  const { pinnedBy, expiresAt } = lifetimeOf(policy, facts, wishes, row.createdAt);
  return { ...row, lastActivityAt: lastActivityAt(facts, wishes), expiresAt, pinnedBy };
}

function neededBy(row: Preview | null, want: Desire | null, input: DecideInput, toBegin: boolean): NeededReads {
  const runs = row !== null && row.phase !== 'stopping' && row.phase !== 'stopped';
  const mergeRequest =
    input.reading === 'none' && (toBegin || (runs && (lacksReading(input, want) || lacksWarning(row, want, input))));
  if (input.linked !== undefined) {
    const isOpen = input.facts !== null && input.facts.state !== 'merged';
    const isWanted = (runs || toBegin) && want?.runs === true && input.policy !== null && isOpen;
    const reads = isWanted ? linkedReads(runs ? row : null, { ...input, linked: input.linked }) : { images: [] };
    return { mergeRequest, gateSha: null, ...reads };
  }
  const sha = runs || toBegin ? shaToDeploy(row, want, input) : null;
  const gates = sha === null ? null : gatesOfSha(sha, row?.slug ?? null, input);
  // A preview that has not begun has no row in which it is told what it waits for.
  const images = runs && sha !== null ? (gates?.imagesToLookFor ?? []) : [];
  return {
    mergeRequest,
    gateSha: gates?.needsPipeline === true ? sha : null,
    images: images.map((image) => ({ projectId: input.facts?.projectId ?? 0, sha: sha ?? '', image })),
  };
}

/** Whoever saves the decision remembers them: a gate that was open for a sha stays open for it. */
function openGatesOf(row: Preview | null, input: DecideInput): OpenGate[] {
  const { facts } = input;
  if (row === null || row.phase === 'stopped' || facts === null || facts.sha === null) {
    return [];
  }
  if (input.linked !== undefined) {
    return input.policy === null ? [] : linkedOpenGates(row, { ...input, linked: input.linked });
  }
  const { projectId, sha } = facts;
  return (gatesOfSha(sha, row.slug, input)?.open ?? []).map((gate) => ({ projectId, sha, gate }));
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
    openGates: openGatesOf(row, input),
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
    (before.phase === 'stopping' && hasPendingFile(after)) ||
    before.incarnation !== after.incarnation ||
    ordersDiffer(before, after) ||
    whatRuns(before) !== whatRuns(after)
  );
}

/** Of a row whose stop was undone: what was decided before that stop is not in the file that came back. */
function hasPendingFile({ phase, wantedRevision, wantAsleep }: Preview): boolean {
  return wantedRevision === null || (wantAsleep && phase === 'ready');
}

/** What the file says of the members: who they are, and which sha each has. */
function whatRuns({ members }: Preview): string {
  return JSON.stringify(members.map(({ projectId, iid, wantedSha, branch }) => [projectId, iid, wantedSha, branch]));
}

function freesSlot(before: Preview | null, after: Preview | null): boolean {
  const hadSlot = before !== null && holdsSlot(before.phase);
  const hasSlot = after !== null && holdsSlot(after.phase);
  const leftLine = before?.waitingFor === 'slot' && after?.waitingFor !== 'slot';
  return (hadSlot && !hasSlot) || leftLine;
}
