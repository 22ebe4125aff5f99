import { annotation } from '../application/application.js';
import type { Diagnosis, ObservationMessage, ObservedObject } from '../protocol/observations.js';
import { cleanLine } from './diagnose/redact.js';
import { worstHealth } from './health/worst-health.js';
import type { InventoryEntry } from './inventory.js';
import type { LiveObject } from './live/live-objects.js';
import { displayName, groupOf, keyOf } from './manifest.js';
import { isIdleKind } from './plan/put-to-sleep.js';
import { appliedInventory, type PreviewState } from './preview-state.js';
import { asksForProbe } from './probe/probe-request.js';

/** What is seen of the wanted revision, before it is sent. */
export interface Assessment {
  state: ObservationMessage['state'];
  objects: ObservedObject[];
  diagnosis: Diagnosis | null;
  /** Its objects are healthy, and its URL has not answered as expected so far. */
  awaitsProbe: boolean;
}

/** An object as it is told, and whether its health is part of the whole's. */
interface Judged {
  object: ObservedObject;
  counts: boolean;
}

const maxMessage = 1_000;

/**
 * The state of the revision that the file asks for, from what is known of the cluster at this moment. Health counts
 * only once that revision was applied in full, and for the very objects that were applied.
 */
export function assess(preview: PreviewState, live: ReadonlyMap<string, LiveObject>): Assessment {
  const inventory = appliedInventory(preview);
  const problem = preview.problem?.revision === preview.wanted?.revision ? preview.problem : null;
  if (inventory === null) {
    return { ...unapplied(preview, problem), awaitsProbe: false };
  }
  const asleep = preview.wanted !== null && annotation(preview.wanted.application, 'asleep') === 'true';
  const judged = inventory.objects
    .filter((entry) => entry.leftover === undefined || live.has(keyOf(entry)))
    .map((entry) => judge(entry, live.get(keyOf(entry)), asleep));
  const namespace = live.get(`/Namespace/${inventory.namespace}`);
  if (namespace === undefined || namespace.terminating) judged.push(missingNamespace(inventory.namespace));
  const objects = judged.map(({ object }) => object);
  if (problem !== null) {
    return { state: problem.state, objects, diagnosis: clean(problem.diagnosis), awaitsProbe: false };
  }
  const counted = judged.filter(({ counts }) => counts).map(({ object }) => object.health);
  const state = stateOf(counted, asleep);
  if (state === 'healthy') return afterProbe(preview, objects);
  if (state === 'suspended') {
    // Awake, it is never ready like this: the developers are told who waits for a person.
    return { state, objects, diagnosis: asleep ? null : plainDiagnosis(objects, 'Suspended'), awaitsProbe: false };
  }
  const finding = preview.finding?.revision === preview.wanted?.revision ? preview.finding : null;
  return {
    state: finding?.stuck ? 'degraded' : state,
    objects,
    diagnosis: finding?.diagnosis ?? (state === 'degraded' ? plainDiagnosis(objects, 'Degraded') : null),
    awaitsProbe: false,
  };
}

function judge(entry: InventoryEntry, live: LiveObject | undefined, asleep: boolean): Judged {
  const object = observed(entry, live, asleep);
  // Argo CD's rules: a hook's health is the hook's alone, and a child that it knows nothing of does not count.
  const child = object.group === 'argoproj.io' && object.kind === 'Application';
  const blank = child && (object.health === 'Missing' || object.health === 'Unknown');
  // No longer asked for, it only waits for somebody's finalizer: it is told, and is no part of the revision.
  const leaving = entry.leftover === 'prune' && live?.terminating === true;
  return { object, counts: entry.hook === undefined && live?.health.ignored !== true && !blank && !leaving };
}

function observed(entry: InventoryEntry, live: LiveObject | undefined, asleep: boolean): ObservedObject {
  const named = { group: groupOf(entry.apiVersion), kind: entry.kind, name: entry.name };
  if (live === undefined) {
    return entry.once
      ? { ...named, health: 'Healthy', message: 'it ended and was removed' }
      : { ...named, health: 'Missing', message: null };
  }
  // The cluster's copy is another object, or older than what was applied: its health says nothing of this revision.
  const other = live.uid !== entry.uid || (live.generation ?? 0) < (entry.generation ?? 0);
  if (other) return { ...named, health: 'Progressing', message: 'waiting for the applied object to be seen' };
  const { status, message } = live.health;
  if (asleep && isIdleKind(named) && !(status === 'Progressing' && hasPods(named.kind))) {
    return { ...named, health: 'Suspended', message: 'asleep' };
  }
  // A pod's message is what its program printed last: the diagnosis tells it, redacted by the namespace's secrets.
  const told = named.kind === 'Pod' ? '' : cleanLine(message, maxMessage);
  return { ...named, health: status, message: told || null };
}

/** Until its pods are gone it is not asleep yet. What only scales others has none. */
function hasPods(kind: string): boolean {
  return kind !== 'HorizontalPodAutoscaler' && kind !== 'ScaledObject';
}

function missingNamespace(name: string): Judged {
  const message = 'the namespace is gone or going';
  return { object: { group: '', kind: 'Namespace', name, health: 'Missing', message }, counts: true };
}

/**
 * Argo CD's order of health. An object that is missing is out of sync there; here, where a preview has one state, it
 * is still being made. One that cannot be judged does not hide one that has failed.
 */
function stateOf(healths: readonly ObservedObject['health'][], asleep: boolean): ObservationMessage['state'] {
  const worst = worstHealth(healths);
  switch (worst) {
    case 'Healthy':
      return asleep ? 'suspended' : 'healthy';
    case 'Suspended':
      return 'suspended';
    case 'Degraded':
      return 'degraded';
    case 'Progressing':
    case 'Missing':
    case 'Unknown':
      return healths.includes('Degraded') ? 'degraded' : 'progressing';
    default:
      return worst satisfies never;
  }
}

/** Not applied in full: what the rest waits for is told, and why it does not come when its pods say so. */
function unapplied(preview: PreviewState, problem: PreviewState['problem']): Omit<Assessment, 'awaitsProbe'> {
  const { awaiting } = preview;
  const found = awaiting !== null && preview.finding?.revision === preview.wanted?.revision ? preview.finding : null;
  const state = found?.stuck ? 'degraded' : (problem?.state ?? 'applying');
  const objects = (awaiting ?? []).map((object) => {
    // As for what is applied: a pod's own message is told by the diagnosis alone.
    const message = object.kind === 'Pod' || object.message === null ? null : cleanLine(object.message, maxMessage);
    return { ...object, message };
  });
  return { state, objects, diagnosis: found?.diagnosis ?? clean(problem?.diagnosis ?? null) };
}

/** Its objects are healthy; it is, once its URL has answered as its file asks. */
function afterProbe(preview: PreviewState, objects: ObservedObject[]): Assessment {
  const { wanted } = preview;
  const healthy: Assessment = { state: 'healthy', objects, diagnosis: null, awaitsProbe: false };
  if (wanted === null || !asksForProbe(wanted.application)) return healthy;
  const probe = preview.probe?.revision === wanted.revision ? preview.probe : null;
  if (probe?.passed) return healthy;
  const sentence = probe?.sentence ?? null;
  const diagnosis: Diagnosis | null =
    sentence === null
      ? null
      : { cause: 'health', object: null, sentence: cleanLine(sentence, maxMessage), evidence: probe?.evidence ?? [] };
  return { state: probe?.overdue ? 'degraded' : 'progressing', objects, diagnosis, awaitsProbe: true };
}

/** What the API server or a source said may quote what it was given. */
function clean(diagnosis: Diagnosis | null): Diagnosis | null {
  if (diagnosis === null) return null;
  const evidence = diagnosis.evidence.map((line) => cleanLine(line, maxMessage));
  return { ...diagnosis, sentence: cleanLine(diagnosis.sentence, 2 * maxMessage), evidence };
}

/** What can be said before anybody looked at the pods. */
function plainDiagnosis(objects: readonly ObservedObject[], worst: 'Degraded' | 'Suspended'): Diagnosis | null {
  const blamed = objects.find(({ health }) => health === worst);
  if (blamed === undefined) return null;
  const object = displayName(blamed);
  const why = blamed.message === null ? '' : `: ${blamed.message}`;
  return { cause: 'health', object, sentence: `${object} is ${worst}${why}`, evidence: [] };
}

/** The objects that are not healthy, the worst first. */
export function unwellObjects(objects: readonly ObservedObject[]): ObservedObject[] {
  const order: ObservedObject['health'][] = ['Degraded', 'Unknown', 'Missing', 'Progressing'];
  return order.flatMap((health) => objects.filter((object) => object.health === health));
}
