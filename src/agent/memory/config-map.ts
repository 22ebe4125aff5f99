import { findObject } from '../find-object.js';
import { fields, type Manifest } from '../manifest.js';
import { agentLabel, memoryLabel } from '../marks.js';
import { type MemoryDeps, type MemoryPlace, memoryReference } from './memory-deps.js';

/** Makes a ConfigMap of the memory. Throws `kube-already-exists` when there is one. */
export async function createMemory(
  deps: MemoryDeps,
  place: MemoryPlace,
  memory: { name: string; part: string; labels?: Record<string, string>; data: Record<string, string> },
  signal?: AbortSignal,
): Promise<Manifest> {
  const reference = memoryReference(place, memory.name);
  return deps.create(
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: reference.name,
        namespace: place.namespace,
        labels: {
          ...memory.labels,
          [memoryLabel]: memory.part,
          [agentLabel]: place.agent,
          'app.kubernetes.io/managed-by': 'mayfly',
        },
      },
      data: memory.data,
    },
    signal,
  );
}

/** The ConfigMap's data; null when there is no such ConfigMap. */
export async function readMemory(
  deps: MemoryDeps,
  place: MemoryPlace,
  name: string,
  signal?: AbortSignal,
): Promise<{ data: Record<string, unknown>; resourceVersion: string } | null> {
  const found = await findObject(deps, memoryReference(place, name), signal);
  return found === null ? null : { data: fields(found.data), resourceVersion: found.metadata.resourceVersion ?? '' };
}
