import { parseCommands } from '../../../src/preview/command.js';
import { decide, neededReads, nextDueAt } from '../../../src/preview/decide.js';
import type { DecideInput, Decision } from '../../../src/preview/decision.js';
import type { GateFact, MergeRequestReading, Observation, Wish } from '../../../src/preview/facts.js';
import { imageGateKey } from '../../../src/preview/gate.js';
import { holdsSlot } from '../../../src/preview/lifecycle.js';
import { slugCandidates } from '../../../src/preview/naming.js';
import type { SlotUsage } from '../../../src/preview/policy.js';
import type { Preview } from '../../../src/preview/preview.js';
import { isStillAsked, type KnownMergeRequest, mergeReading, webhookIsStale } from '../../../src/preview/reading.js';
import { isExplained } from '../../../src/preview/stop.js';
import { type Delivery, factsOf } from './gitlab.js';
import { checkExpiry, checkWarning } from './invariants.js';
import { hourMs, iidOf, keyOf, newestRow, subjectOf, type World } from './world.js';

/** A run of the job `decide` that has begun: it has loaded and asked, and has not decided yet. */
export interface Job {
  subject: string;
  beganAt: number;
  /** What was loaded at its beginning; a correct loop loads the slots again when it decides. */
  staleUsage: SlotUsage;
  reading: MergeRequestReading | null;
}

const nothingKnown: KnownMergeRequest = { facts: null, readStartedAt: null, unknownSince: null };

/** A webhook arrives; it asks, and is no authority. */
export function receive(world: World, delivery: Delivery): void {
  if (delivery.kind === 'note') {
    readNote(world, delivery.id);
  } else if (delivery.kind === 'pipeline') {
    world.database.queue.add(subjectOf(delivery.iid));
  } else {
    if (world.fault === 'payload-wins') {
      const known = { facts: delivery.facts, readStartedAt: world.now, unknownSince: null };
      world.database.known.set(delivery.facts.iid, known);
      world.database.queue.add(subjectOf(delivery.facts.iid));
      return;
    }
    ask(world, delivery.facts.iid, delivery.facts.updatedAt);
  }
}

/** The catch-up: every merge request and every note that GitLab lists. */
export function catchUp(world: World): void {
  for (const { iid, updatedAt } of world.gitlab.mergeRequests.values()) {
    ask(world, iid, updatedAt);
  }
  for (const { id } of world.gitlab.notes) {
    readNote(world, id);
  }
}

function ask(world: World, iid: number, updatedAt: number): void {
  const knownAt = world.database.known.get(iid)?.facts?.updatedAt ?? null;
  const second = (at: number) => Math.floor(at / 1_000);
  const isTie = knownAt !== null && second(knownAt) === second(updatedAt);
  if (webhookIsStale(knownAt, updatedAt) || (world.fault === 'tie-is-stale' && isTie)) {
    return;
  }
  world.database.askedAt.set(iid, world.now);
  world.database.queue.add(subjectOf(iid));
}

function readNote(world: World, id: number): void {
  const note = world.gitlab.notes.find((one) => one.id === id);
  const { wishes, queue } = world.database;
  const isKnown = wishes.some((wish) => wish.noteId === id);
  if (note === undefined || (isKnown && world.fault !== 'note-acts-twice')) {
    return;
  }
  // Only a fault gets here with a known note: it acts again, at the time of the delivery.
  const at = isKnown ? world.now : note.at;
  const subject = subjectOf(note.iid);
  for (const command of parseCommands(note.body)) {
    if (command.kind === 'start' || command.kind === 'stop' || command.kind === 'extend') {
      const amountMs = command.kind === 'extend' ? command.amountMs : null;
      wishes.push({ kind: command.kind, source: 'command', amountMs, at, by: note.by, subject, noteId: id });
    }
    const order = { source: 'command', amountMs: null, at, by: note.by, subject, noteId: id } as const;
    if (command.kind === 'pin' || command.kind === 'unpin') {
      wishes.push({ kind: command.kind, ...order });
    }
    if (command.kind === 'redeploy' || command.kind === 'sleep' || command.kind === 'wake') {
      wishes.push({ kind: command.kind, ...order });
    }
    if (command.kind === 'set') {
      wishes.push({ kind: 'set', key: command.key, value: Number(command.text), ...order });
    }
    if (command.kind === 'unset') {
      wishes.push({ kind: 'unset', key: command.key, ...order });
    }
    if (command.kind === 'approve' && command.sha !== null) {
      const { sha } = command;
      wishes.push({ kind: 'approve', source: 'command', amountMs: null, at, by: note.by, sha, subject, noteId: id });
    }
  }
  queue.add(subject);
}

/** The first half of a job: load, and send the reads that are needed. Their answers may be overtaken. */
export function beginJob(world: World, subject: string, isUnknown: boolean): void {
  const iid = iidOf(subject);
  const { database } = world;
  database.queue.delete(subject);
  const isAsked = database.askedAt.has(iid);
  const trusts = world.fault === 'expiry-without-reading' && database.known.has(iid);
  const needed = neededReads(inputOf(world, subject, trusts ? 'fresh' : 'none', usageOf(world, subject)), isAsked);
  const reading = needed.mergeRequest || isAsked ? read(world, iid, world.now, isUnknown) : null;
  world.jobs.push({ subject, beganAt: world.now, staleUsage: usageOf(world, subject), reading });
}

/** The answer of a read that is under way shows GitLab as it is now, later than it began. */
export function answerLate(world: World, job: Job): void {
  if (job.reading?.known === true) {
    job.reading = read(world, iidOf(job.subject), job.reading.readStartedAt, false);
  }
}

function read(world: World, iid: number, readStartedAt: number, isUnknown: boolean): MergeRequestReading {
  const facts = factsOf(world.gitlab, iid);
  if (facts === null || isUnknown) {
    return facts !== null && world.fault === 'unknown-is-closed'
      ? { known: true, facts: { ...facts, state: 'closed', endedAt: readStartedAt }, readStartedAt }
      : { known: false, why: 'time-out', readStartedAt };
  }
  return { known: true, facts, readStartedAt };
}

/** The second half of a job, one transaction: merge, load afresh, decide, save. */
export function finishJob(world: World, job: Job): void {
  const { database } = world;
  const iid = iidOf(job.subject);
  const known = database.known.get(iid) ?? nothingKnown;
  let state: DecideInput['reading'] = 'none';
  if (job.reading !== null) {
    const base = world.fault === 'drop-the-fence' ? { ...known, readStartedAt: null } : known;
    const merged = mergeReading(base, job.reading);
    database.known.set(iid, merged.known);
    if (!isStillAsked(database.askedAt.get(iid) ?? null, job.reading.readStartedAt) && job.reading.known) {
      database.askedAt.delete(iid);
    }
    // An answer that was dropped was overtaken by one that began later.
    state = job.reading.known || !merged.applied ? 'fresh' : 'unknown';
  }
  if (world.fault === 'expiry-without-reading' && state === 'none') {
    state = 'fresh';
  }
  const usage = world.fault === 'stale-slot' ? job.staleUsage : usageOf(world, job.subject);
  const decision = decide(inputOf(world, job.subject, state, usage));
  checkExpiry(world, decision, job.beganAt);
  checkWarning(world, decision, job.beganAt);
  save(world, job.subject, decision);
  const { mergeRequest, gateSha, images } = decision.needed;
  for (const wait of images) {
    database.imageLooks.add(wait);
  }
  for (const { sha, gate } of decision.openGates) {
    database.openGates.add(`${sha} ${gate}`);
  }
  if (mergeRequest || gateSha !== null || (database.askedAt.has(iid) && state !== 'unknown')) {
    database.queue.add(job.subject);
  }
}

/** A decision that the read-back asks for in the middle of a commit. */
export function decideNow(world: World, subject: string): void {
  save(world, subject, decide(inputOf(world, subject, 'none', usageOf(world, subject))));
  world.database.queue.add(subject);
}

function save(world: World, subject: string, decision: Decision): void {
  const { rows, needsCommit, queue, unexplainedStops } = world.database;
  const before = newestRow(world, subject);
  for (const row of [decision.ended, decision.preview]) {
    const at = row === null ? -1 : rows.findIndex((one) => keyOf(one) === keyOf(row));
    if (row !== null && at >= 0) {
      rows[at] = row;
    } else if (row !== null) {
      world.born.set(keyOf(row), row.createdAt);
      rows.push(row);
    }
  }
  const saved = newestRow(world, subject);
  if (world.fault === 'slot-is-taken-away' && saved?.waitingFor === 'slot') {
    takeSlotAway(world);
  }
  if (decision.needsCommit && saved !== null) {
    needsCommit.add(subject);
  }
  if (saved?.phase === 'stopping' && before?.phase !== 'stopping' && !isExplained(saved.stopReason ?? 'git')) {
    unexplainedStops.push(world.now);
  }
  const next = headOfLine(world);
  if (decision.freedSlot && next !== null) {
    queue.add(next.subject);
  }
}

/** Only a fault gets here: the one that came first makes room, and stands in line again. */
function takeSlotAway(world: World): void {
  const { rows } = world.database;
  const at = rows.findIndex((row) => row.phase === 'ready');
  const row = rows[at];
  if (row !== undefined) {
    rows[at] = { ...row, phase: 'waiting', waitingFor: 'slot', waitingSince: world.now };
  }
}

function headOfLine(world: World): Preview | null {
  return line(world)[0] ?? null;
}

function line(world: World): Preview[] {
  return world.database.rows
    .filter((row) => row.phase === 'waiting' && row.waitingFor === 'slot')
    .sort((a, b) => (a.waitingSince ?? 0) - (b.waitingSince ?? 0));
}

function usageOf(world: World, subject: string): SlotUsage {
  const others = world.database.rows.filter((row) => row.subject !== subject && holdsSlot(row.phase)).length;
  const waiting = line(world).map((row) => row.subject);
  const place = waiting.indexOf(subject);
  const ahead = place < 0 ? waiting.length : place;
  return { project: others, total: others, maxTotal: world.maxTotal, ahead, aheadElsewhere: 0 };
}

function inputOf(world: World, subject: string, reading: DecideInput['reading'], usage: SlotUsage): DecideInput {
  const { database, policy } = world;
  const facts = database.known.get(iidOf(subject))?.facts ?? null;
  const preview = rowOf(world, subject);
  return {
    now: world.now,
    subject,
    facts,
    reading,
    preview,
    policy,
    gates: facts === null || facts.sha === null ? [] : gatesOf(world, facts.sha),
    wishes: wishesOf(world, subject, facts?.sha ?? ''),
    observation: preview === null ? null : observationOf(world, preview),
    usage,
    breaker: {
      heldElsewhere: database.rows.filter((row) => row.heldStop !== null && row.subject !== subject).length,
      doneLastHour: database.unexplainedStops.filter((at) => at > world.now - hourMs).length,
      livedAtHourStart: database.rows.filter((row) => holdsSlot(row.phase)).length,
      accepted: false,
    },
    slugs: facts === null ? [] : claims(world, subject, slugCandidates(policy, facts)),
    branch: null,
    neverCommitted: preview !== null && !database.everWritten.has(keyOf(preview)),
  };
}

/** The newest row, as far as a fault lets it be remembered. */
function rowOf(world: World, subject: string): Preview | null {
  const row = newestRow(world, subject);
  if (row !== null && world.fault === 'warnings-are-forgotten') {
    return { ...row, warnedAt: null, warnedFor: null, warnAt: row.expiresAt - world.policy.warnMs };
  }
  return row !== null && world.fault === 'ages-are-forgotten' ? { ...row, createdAt: world.now } : row;
}

function claims(world: World, subject: string, candidates: string[]) {
  const { rows } = world.database;
  return candidates.map((slug) => ({
    slug,
    taken: rows.some((row) => row.slug === slug && row.subject !== subject && row.phase !== 'stopped'),
    lastIncarnation: Math.max(0, ...rows.filter((row) => row.slug === slug).map((row) => row.incarnation)),
  }));
}

function wishesOf(world: World, subject: string, head: string): Wish[] {
  const wishes = world.database.wishes.filter((wish) => wish.subject === subject).sort((a, b) => a.at - b.at);
  const forgetsWhich = world.fault === 'approval-of-another-sha';
  return forgetsWhich ? wishes.map((wish) => (wish.kind === 'approve' ? { ...wish, sha: head } : wish)) : wishes;
}

/** The pipeline as it is now, the verdicts, and the images that are being looked for. */
function gatesOf(world: World, sha: string): GateFact[] {
  const { openGates, imageLooks } = world.database;
  const status = world.gitlab.pipelines.get(sha);
  const anyIsGreen = [...world.gitlab.pipelines.values()].includes('success');
  const fact = (gate: string, reading: GateFact['reading']): GateFact => ({ projectId: 7, sha, gate, reading });
  const facts: GateFact[] = [];
  if (status === 'success' || (world.fault === 'gate-of-another-sha' && anyIsGreen)) {
    facts.push(fact('pipeline', { state: 'open' }));
  } else {
    facts.push(fact('pipeline', { state: status === 'failed' ? 'failed' : 'waiting', detail: 'test' }));
  }
  for (const wait of imageLooks) {
    facts.push(...(wait.sha === sha ? [fact(imageGateKey(wait.image), { state: 'waiting', detail: null })] : []));
  }
  const verdicts = [...openGates].filter((key) => key.startsWith(`${sha} `)).map((key) => key.slice(sha.length + 1));
  facts.push(...verdicts.map((gate) => fact(gate, { state: 'open' })));
  return world.fault === 'image-of-another-sha' ? facts.map((each) => openedByAny(world, each)) : facts;
}

function openedByAny(world: World, fact: GateFact): GateFact {
  const isThere = fact.gate.startsWith('image ') && world.gitlab.images.size > 0;
  return isThere ? { ...fact, reading: { state: 'open' } } : fact;
}

/** The job that looks for images: what is there opens its gate, and whoever waits for it is decided anew. */
export function lookForImages(world: World): void {
  const { imageLooks, openGates, queue, rows } = world.database;
  for (const wait of [...imageLooks]) {
    if (!world.gitlab.images.has(wait.image)) {
      continue;
    }
    imageLooks.delete(wait);
    openGates.add(`${wait.sha} ${imageGateKey(wait.image)}`);
    for (const row of rows.filter(({ members }) => members.some(({ next }) => next?.sha === wait.sha))) {
      queue.add(row.subject);
    }
  }
}

function observationOf(world: World, preview: Preview): Observation | null {
  const observation = world.database.observations.get(keyOf(preview)) ?? null;
  if (observation === null) {
    return null;
  }
  if (world.fault === 'any-revision-counts' && observation.revision !== null) {
    return { ...observation, revision: preview.wantedRevision };
  }
  return world.fault === 'gone-is-ignored' && observation.state === 'gone' ? null : observation;
}

/** The sweep: what is due by the clock alone. */
export function sweep(world: World): void {
  const subjects = new Set(world.database.rows.map((row) => row.subject));
  for (const subject of subjects) {
    const row = newestRow(world, subject);
    const isBlind = world.fault === 'sleep-is-not-due';
    const dueAt = row === null ? null : nextDueAt(isBlind ? { ...row, sleepDueAt: null } : row, world.policy);
    if (dueAt !== null && dueAt <= world.now) {
      world.database.queue.add(subject);
    }
  }
}
