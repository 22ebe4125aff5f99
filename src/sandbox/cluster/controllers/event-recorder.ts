import { randomBytes, randomUUID } from 'node:crypto';
import type { ClusterState } from '../cluster-state.js';
import { type KubeObject, numberAt, timestamp } from '../object.js';

export type RecordEvent = (
  about: KubeObject,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  source: { component: string; fieldPath?: string },
) => void;

/** Events are kept for an hour, as the API server does. */
const keepMs = 60 * 60 * 1000;

/** Writes Events; the same one again raises the count of the first. */
export function createEventRecorder(state: ClusterState): RecordEvent {
  const known = new Map<string, { namespace: string; name: string; lastMs: number }>();
  return (about, type, reason, message, source) => {
    const namespace = about.metadata.namespace ?? 'default';
    const space = state.store.get('namespaces', '', namespace);
    if (space === undefined || space.metadata.deletionTimestamp !== undefined) return;
    const nowMs = Date.now();
    dropOld(state, known, nowMs);
    const key = `${about.metadata.uid}/${type}/${reason}/${message}`;
    const earlier = known.get(key);
    known.delete(key);
    const name = earlier?.name ?? `${about.metadata.name}.${randomBytes(8).toString('hex')}`;
    const before = state.store.get('events', namespace, name);
    known.set(key, { namespace, name, lastMs: nowMs });
    const now = timestamp(nowMs);
    if (before !== undefined) {
      state.store.put('events', { ...before, count: (numberAt(before, 'count') ?? 1) + 1, lastTimestamp: now });
      return;
    }
    state.store.put('events', {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace, uid: randomUUID(), creationTimestamp: now },
      involvedObject: reference(about, source.fieldPath),
      reason,
      message,
      source: { component: source.component },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      eventTime: null,
      reportingComponent: source.component,
      reportingInstance: '',
    });
  };
}

function reference(about: KubeObject, fieldPath: string | undefined): Record<string, unknown> {
  const { namespace, name, uid, resourceVersion } = about.metadata;
  const { apiVersion, kind } = about;
  return { kind, namespace, name, uid, apiVersion, resourceVersion, ...(fieldPath === undefined ? {} : { fieldPath }) };
}

/** The map is in the order of the last sighting, so that only what is old is looked at. */
function dropOld(
  state: ClusterState,
  known: Map<string, { namespace: string; name: string; lastMs: number }>,
  nowMs: number,
): void {
  for (const [key, entry] of known) {
    if (entry.lastMs > nowMs - keepMs) return;
    known.delete(key);
    state.store.remove('events', entry.namespace, entry.name);
  }
}
