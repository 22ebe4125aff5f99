import type { Manifest, ObjectReference } from '../manifest.js';

/** What the agent needs of the cluster to remember things in ConfigMaps of its own namespace. */
export interface MemoryDeps {
  create(object: Manifest, signal?: AbortSignal): Promise<Manifest>;
  get(reference: ObjectReference, signal?: AbortSignal): Promise<Manifest>;
  listConfigMaps(namespace: string, labelSelector: string, signal?: AbortSignal): Promise<Manifest[]>;
  mergePatch(reference: ObjectReference, patch: unknown, signal?: AbortSignal): Promise<Manifest>;
  remove(reference: ObjectReference, options?: { signal?: AbortSignal }): Promise<void>;
}

/** Whose memory it is. */
export interface MemoryPlace {
  /** The agent's own namespace. */
  namespace: string;
  /** The agent's name: several may share a namespace. */
  agent: string;
}

/** A ConfigMap of the memory, by its name. */
export function memoryReference(place: MemoryPlace, name: string): ObjectReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: `mayfly-${place.agent}-${name}`, namespace: place.namespace };
}
