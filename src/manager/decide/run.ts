import { decide } from '../../preview/decide.js';
import type { Decision, OpenGate } from '../../preview/decision.js';
import type { GateFact } from '../../preview/facts.js';
import type { Preview } from '../../preview/preview.js';
import { candidates, limitedInput, nothingRead, type Readings, unlimitedInput, withReading } from './input.js';
import { jobsOf } from './jobs.js';
import type { DecideDeps, DecideTransaction, SubjectState } from './needs.js';
import { readGitLab } from './readings.js';
import { covers, noScope, type Scope, scopeOf } from './scope.js';
import { parseSubject, type Subject } from './subject.js';

export interface DecideOutcome {
  decision: Decision;
  /** The row before it; null: there was none. */
  before: Preview | null;
}

interface DecideRequest {
  subject: Subject;
  readings: Readings;
  /** What the transaction has locked already. */
  scope: Scope;
}

/**
 * The job `decide`: brings the row of one subject to what GitLab, its people, the cluster and the configuration say.
 * Running it again changes nothing. GitLab is read before the transaction begins, so that no lock waits for it.
 * Answers null when there was nothing to do.
 */
export async function runDecide(
  deps: DecideDeps,
  payload: Record<string, unknown>,
  signal: AbortSignal,
): Promise<DecideOutcome | null> {
  const subject = parseSubject(payload.subject);
  const state = await deps.store.read(queryFor(subject, nothingRead, noScope, []));
  const readings = await readGitLab(deps, subject, state, signal);
  const foreseen = foresee(deps, subject, state, readings);
  if (readings.mergeRequest === null && readings.gateAskedFor === null && !foreseen.changed) return null;
  const request = { subject, readings, scope: foreseen.scope };
  const outcome = await deps.store.transact({ subject: subject.name, slotsOf: foreseen.scope.slotsOf }, (transaction) =>
    decideIn(deps, transaction, request),
  );
  if (outcome.decision.slugTaken) deps.log.warn({ subject: subject.name }, 'no slug is free');
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
function foresee(
  deps: DecideDeps,
  subject: Subject,
  state: SubjectState,
  readings: Readings,
): { changed: boolean; scope: Scope } {
  const known = withReading(state, readings.mergeRequest);
  const decision = decide(unlimitedInput(deps.settings, { subject, state: known, readings }));
  const changed = decision.changed || decision.needed.images.length > 0;
  return { changed, scope: scopeOf(state.preview, decision) };
}

/** Load, decide, save. Locks more, and loads again, when the world moved since it was foreseen. */
async function decideIn(
  deps: DecideDeps,
  transaction: DecideTransaction,
  request: DecideRequest,
): Promise<DecideOutcome> {
  const { subject, readings } = request;
  let { scope } = request;
  let state = await loadFor(deps, transaction, request, scope);
  for (;;) {
    const unlimited = decide(unlimitedInput(deps.settings, { subject, state, readings }));
    const needed = scopeOf(state.preview, unlimited);
    if (covers(scope, needed)) break;
    if (needed.slotsOf !== null && scope.slotsOf !== needed.slotsOf) await transaction.lockSlots(needed.slotsOf);
    scope = { slotsOf: needed.slotsOf ?? scope.slotsOf, breaker: scope.breaker || needed.breaker };
    state = await loadFor(deps, transaction, request, scope);
  }
  const decision = decide(limitedInput(deps.settings, { subject, state, readings }));
  await save(deps, transaction, request, state, decision);
  return { decision, before: state.preview };
}

/** An incarnation begins on a fresh reading only, so that its slugs are known from that reading. */
function loadFor(
  deps: DecideDeps,
  transaction: DecideTransaction,
  { subject, readings }: DecideRequest,
  scope: Scope,
): Promise<SubjectState> {
  const facts = readings.mergeRequest?.known === true ? readings.mergeRequest.facts : null;
  const slugs = scope.slotsOf === null ? [] : candidates(deps.settings.policyFor(subject.projectId), { facts });
  return transaction.load(queryFor(subject, readings, scope, slugs));
}

async function save(
  deps: DecideDeps,
  transaction: DecideTransaction,
  request: DecideRequest,
  state: SubjectState,
  decision: Decision,
): Promise<void> {
  const { subject, readings } = request;
  const project = (state.preview ?? decision.preview)?.project ?? null;
  const jobs = jobsOf(deps.settings, { subject, state, readings, decision, project });
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

function queryFor(subject: Subject, readings: Readings, scope: Scope, slugs: string[]) {
  const { name, projectId, iid } = subject;
  const { mergeRequest: reading } = readings;
  return { subject: name, projectId, iid, reading, slugs, occupancy: scope.slotsOf !== null, breaker: scope.breaker };
}
