import { annotation } from '../application/application.js';
import type { Diagnosis, ObservationMessage, ObservedObject } from '../protocol/observations.js';
import { worstHealth } from './health/worst-health.js';
import type { InventoryEntry } from './inventory.js';
import type { LiveObject } from './live/live-objects.js';
import { displayName, groupOf, keyOf } from './manifest.js';
import { appliedInventory, type PreviewState } from './preview-state.js';

/** What is seen of the wanted revision, before it is sent. */
export interface Assessment {
  state: ObservationMessage['state'];
  objects: ObservedObject[];
  diagnosis: Diagnosis | null;
}

/**
 * The state of the revision that the file asks for, from what is known of the cluster at this moment. Health counts
 * only once that revision was applied in full, and for the very objects that were applied.
 */
export function assess(preview: PreviewState, live: ReadonlyMap<string, LiveObject>): Assessment {
  const inventory = appliedInventory(preview);
  const problem = preview.problem?.revision === preview.wanted?.revision ? preview.problem : null;
  if (inventory === null) {
    return { state: problem?.state ?? 'applying', objects: [], diagnosis: problem?.diagnosis ?? null };
  }
  const objects = inventory.objects.map((entry) => observed(entry, live.get(keyOf(entry))));
  const namespace = live.get(`/Namespace/${inventory.namespace}`);
  if (namespace === undefined || namespace.terminating) objects.push(missingNamespace(inventory.namespace));
  const worst = worstHealth(objects.map(({ health }) => health));
  const asleep = preview.wanted !== null && annotation(preview.wanted.application, 'asleep') === 'true';
  const state = problem === null ? stateOf(worst, asleep) : problem.state;
  if (problem !== null) return { state, objects, diagnosis: problem.diagnosis };
  if (state === 'healthy' || state === 'suspended') return { state, objects, diagnosis: null };
  const finding = preview.finding?.revision === preview.wanted?.revision ? preview.finding : null;
  return {
    state: finding?.stuck ? 'degraded' : state,
    objects,
    diagnosis: finding?.diagnosis ?? (state === 'degraded' ? plainDiagnosis(objects) : null),
  };
}

function observed(entry: InventoryEntry, live: LiveObject | undefined): ObservedObject {
  const named = { group: groupOf(entry.apiVersion), kind: entry.kind, name: entry.name };
  if (live === undefined) {
    return entry.once
      ? { ...named, health: 'Healthy', message: 'it ended and was removed' }
      : { ...named, health: 'Missing', message: null };
  }
  // The cluster's copy is another object, or older than what was applied: its health says nothing of this revision.
  const other = live.uid !== entry.uid || (live.generation ?? 0) < (entry.generation ?? 0);
  if (other) return { ...named, health: 'Progressing', message: 'waiting for the applied object to be seen' };
  return { ...named, health: live.health.status, message: live.health.message || null };
}

function missingNamespace(name: string): ObservedObject {
  return { group: '', kind: 'Namespace', name, health: 'Missing', message: 'the namespace is gone or going' };
}

function stateOf(worst: ObservedObject['health'], asleep: boolean): ObservationMessage['state'] {
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
      return 'progressing';
    default:
      return worst satisfies never;
  }
}

/** What can be said before anybody looked at the pods. */
function plainDiagnosis(objects: readonly ObservedObject[]): Diagnosis | null {
  const blamed = objects.find(({ health }) => health === 'Degraded');
  if (blamed === undefined) return null;
  const object = displayName(blamed);
  return { cause: 'health', object, sentence: `${object} is Degraded: ${blamed.message ?? ''}`, evidence: [] };
}

/** The objects that are not healthy, the worst first. */
export function unwellObjects(objects: readonly ObservedObject[]): ObservedObject[] {
  const order: ObservedObject['health'][] = ['Degraded', 'Unknown', 'Missing', 'Progressing'];
  return order.flatMap((health) => objects.filter((object) => object.health === health));
}
