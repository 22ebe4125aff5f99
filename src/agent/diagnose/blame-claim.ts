import { fields, type Manifest, records, text } from '../manifest.js';
import type { Blame } from './blame.js';
import type { ClusterReader } from './cluster-reader.js';
import { readWarnings } from './warnings.js';

/** While a claim waits for a pod to be placed, or for a disk that is being made, nothing is wrong with it. */
const waitsRightly: ReadonlySet<string> = new Set([
  'WaitForFirstConsumer',
  'WaitForPodScheduled',
  'ExternalProvisioning',
  'Provisioning',
]);

/** Claims of one pod that are looked at. */
const maxClaims = 5;

/** Names of the claims that a pod mounts. */
export function claimsOf(pod: Manifest): string[] {
  return records(fields(pod.spec).volumes)
    .map(({ persistentVolumeClaim }) => text(fields(persistentVolumeClaim).claimName))
    .filter((name) => name !== '')
    .slice(0, maxClaims);
}

/** The first of these claims that gets no volume, and why; null when none is at fault. */
export async function blameClaim(
  reader: ClusterReader,
  input: { namespace: string; names: readonly string[]; signal: AbortSignal },
): Promise<Blame | null> {
  const { namespace, signal } = input;
  for (const name of input.names) {
    const common = { kind: 'PersistentVolumeClaim', name, stuck: false, container: null };
    const claim = await reader.find({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name }, signal);
    if (claim === null) return { ...common, reason: 'missing', message: 'a pod mounts it and nothing makes it' };
    const phase = text(fields(claim.status).phase);
    if (phase === 'Bound') continue;
    const selected = `involvedObject.kind=PersistentVolumeClaim,involvedObject.name=${name}`;
    const events = readWarnings(
      await reader.list({ apiVersion: 'v1', kind: 'Event', namespace, fieldSelector: selected }, signal),
    );
    const newest = events.at(-1);
    if (phase === 'Pending' && (newest === undefined || waitsRightly.has(newest.reason))) continue;
    return { ...common, reason: phase || 'Pending', message: newest?.message ?? '', stuck: phase === 'Lost' };
  }
  return null;
}
