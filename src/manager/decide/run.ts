import { decide } from '../../preview/decide.js';
import type { Decision, OpenGate } from '../../preview/decision.js';
import type { GateFact, MergeRequestFacts, MergeRequestReading } from '../../preview/facts.js';
import type { Preview } from '../../preview/preview.js';
import { wentBack } from '../../preview/reading.js';
import { nothingRead, withLimits } from './input.js';
import {
  type LinkedScope,
  linkedMatter,
  linkedQuery,
  linkedScope,
  type MemberReading,
  noLinkedReadings,
} from './linked.js';
import { readLinked } from './linked-readings.js';
import { isLost, withoutLoss } from './loss.js';
import type { Matter } from './matter.js';
import { mergeRequestMatter, mergeRequestQuery } from './merge-request.js';
import type { DecideDeps, DecideTransaction, SubjectState } from './needs.js';
import { readGitLab } from './readings.js';
import { routeOf } from './route.js';
import { covers, noScope, type Scope, scopeOf } from './scope.js';
import { type GroupSubject, parseGroupSubject, parseSubject, type Subject } from './subject.js';

export interface DecideOutcome {
  decision: Decision;
  /** The row before it; null: there was none. */
  before: Preview | null;
}

/**
 * The job `decide`: brings the row of one subject to what GitLab, its people, the cluster and the configuration say.
 * Running it again changes nothing. GitLab is read before the transaction begins, so that no lock waits for it. A merge
 * request whose project belongs to a group is decided about as a part of the linked preview of its branch.
 * Answers null when there was nothing to do.
 */
export async function runDecide(
  deps: DecideDeps,
  payload: Record<string, unknown>,
  signal: AbortSignal,
): Promise<DecideOutcome | null> {
  const group = parseGroupSubject(payload.subject);
  if (group !== null) return runLinked(deps, group, [], signal);
  const subject = parseSubject(payload.subject);
  const state = await deps.store.read(mergeRequestQuery(subject, nothingRead, noScope, []));
  const route = await routeOf(deps, subject, state, signal);
  const own = route.isOwn ? await runMergeRequest(deps, subject, state, signal) : null;
  return route.linked === null ? own : runLinked(deps, route.linked, route.readings, signal);
}

async function runMergeRequest(
  deps: DecideDeps,
  subject: Subject,
  state: SubjectState,
  signal: AbortSignal,
): Promise<DecideOutcome | null> {
  const readings = await readGitLab(deps, subject, state, signal);
  const { mergeRequest: reading } = readings;
  if (reading !== null) await forgetWhatWentBack(deps, subject, state.facts, reading);
  return runMatter(deps, mergeRequestMatter(deps.settings, subject, readings), state, signal);
}

async function runLinked(
  deps: DecideDeps,
  subject: GroupSubject,
  given: readonly MemberReading[],
  signal: AbortSignal,
): Promise<DecideOutcome | null> {
  const scope = linkedScope(deps.settings, subject);
  const state = await deps.store.read(linkedQuery(scope, noLinkedReadings, noScope, []));
  const readings = await readLinked(deps, scope, { state, given }, signal);
  for (const { projectId, iid, reading } of readings.members) {
    const known = state.mergeRequests?.find((each) => each.projectId === projectId && each.iid === iid);
    await forgetWhatWentBack(deps, { projectId, iid }, known?.facts ?? null, reading);
  }
  const outcome = await runMatter(deps, linkedMatter(deps.settings, scope, readings), state, signal);
  if (outcome !== null) logMissing(deps, scope, outcome);
  return outcome;
}

/** Once for each preview: that it begins to wait for what only an operator can mend. */
function logMissing(
  { log }: Pick<DecideDeps, 'log'>,
  { group }: LinkedScope,
  { decision, before }: DecideOutcome,
): void {
  const { preview } = decision;
  const isNew = before === null || before.slug !== preview?.slug || before.waitingFor !== 'project';
  if (preview === null || preview.waitingFor !== 'project' || !isNew) return;
  const fields = { slug: preview.slug, group: preview.project, projects: group?.missing ?? [] };
  log.warn(fields, 'linked preview waits for projects that GitLab has not shown; check their path and the token');
}

/** Of a GitLab that was restored; before it is decided, for after it nobody would see the difference any more. */
async function forgetWhatWentBack(
  { store, log }: Pick<DecideDeps, 'store' | 'log'>,
  { projectId, iid }: Pick<Subject, 'projectId' | 'iid'>,
  known: MergeRequestFacts | null,
  reading: MergeRequestReading,
): Promise<void> {
  if (!reading.known || !wentBack(known, reading.facts)) return;
  log.warn({ projectId, iid }, 'GitLab shows an older state than before; what was told is looked at anew');
  await store.forgetTold?.({ projectId, iid, createdAt: reading.facts.createdAt });
}

/** What is known and read of a subject is decided in a transaction, unless nothing would come of it. */
async function runMatter(
  deps: DecideDeps,
  given: Matter,
  state: SubjectState,
  signal: AbortSignal,
): Promise<DecideOutcome | null> {
  const matter = isLost(state) && (await deps.readBranch(signal)) ? given : withoutLoss(given);
  const foreseen = foresee(matter, state);
  if (!matter.wasRead && !foreseen.changed) return null;
  const { scope } = foreseen;
  const outcome = await deps.store.transact({ subject: matter.subject, slotsOf: scope.slotsOf }, (transaction) =>
    decideIn(deps, transaction, matter, scope),
  );
  if (outcome.decision.slugTaken) deps.log.warn({ subject: matter.subject }, 'no slug is free');
  if (outcome.decision.needsCommit) deps.wakeWriter();
  logHeldStop(deps, outcome);
  return outcome;
}

/** A stop that begins to be held, and one that no longer is, is said once. */
function logHeldStop({ log }: Pick<DecideDeps, 'log'>, { decision, before }: DecideOutcome): void {
  const { preview } = decision;
  const held = preview?.heldStop ?? null;
  if (preview === null || held?.reason === before?.heldStop?.reason) return;
  const { slug, incarnation, phase } = preview;
  if (held !== null) log.error({ slug, incarnation, reason: held.reason }, 'stop held until a person accepts it');
  else log.info({ slug, incarnation, phase }, 'stop no longer held');
}

/** What would be decided were there room for all: whether anything changes, and what must be locked and counted. */
function foresee(matter: Matter, state: SubjectState): { changed: boolean; scope: Scope } {
  const decision = decide(matter.input(matter.foreseen(state)));
  const changed = decision.changed || decision.needed.images.length > 0;
  return { changed, scope: scopeOf(state.preview, decision) };
}

/** Load, decide, save. Locks more, and loads again, when the world moved since it was foreseen. */
async function decideIn(
  deps: DecideDeps,
  transaction: DecideTransaction,
  matter: Matter,
  foreseen: Scope,
): Promise<DecideOutcome> {
  let scope = foreseen;
  let state = await loadFor(transaction, matter, scope);
  for (;;) {
    const unlimited = decide(matter.input(state));
    const needed = scopeOf(state.preview, unlimited);
    if (covers(scope, needed)) break;
    if (needed.slotsOf !== null && scope.slotsOf !== needed.slotsOf) await transaction.lockSlots(needed.slotsOf);
    scope = { slotsOf: needed.slotsOf ?? scope.slotsOf, breaker: scope.breaker || needed.breaker };
    state = await loadFor(transaction, matter, scope);
  }
  const decision = decide(withLimits(deps.settings, state, matter.input(state)));
  await save(transaction, matter, state, decision);
  return { decision, before: state.preview };
}

/** An incarnation begins on a fresh reading only, so that its slugs are known from that reading. */
function loadFor(transaction: DecideTransaction, matter: Matter, scope: Scope): Promise<SubjectState> {
  return transaction.load(matter.query(scope, scope.slotsOf === null ? [] : matter.slugs()));
}

async function save(
  transaction: DecideTransaction,
  matter: Matter,
  state: SubjectState,
  decision: Decision,
): Promise<void> {
  const project = (state.preview ?? decision.preview)?.project ?? null;
  const jobs = matter.jobs({ state, decision, project });
  const openedGates = newlyOpen(decision.openGates, state.gates);
  const { images } = decision.needed;
  if (!decision.changed && openedGates.length === 0 && images.length === 0 && jobs.length === 0) return;
  await transaction.save({
    ended: decision.ended,
    preview: decision.changed ? decision.preview : null,
    events: decision.events,
    needsCommit: decision.needsCommit,
    openedGates,
    images,
    jobs,
  });
}

function newlyOpen(open: readonly OpenGate[], known: readonly GateFact[]): OpenGate[] {
  const isKnown = (gate: OpenGate) =>
    known.some((fact) => fact.gate === gate.gate && fact.sha === gate.sha && fact.reading.state === 'open');
  return open.filter((gate) => !isKnown(gate));
}
