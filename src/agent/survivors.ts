import { type NamespaceDeps, readNamespace } from './apply/ensure-namespace.js';
import type { Inventory } from './inventory.js';
import type { LiveObject } from './live/live-objects.js';

/** The inventory without what went with a namespace that somebody deleted: hooks ran in it, and must run again. */
export async function survivors(
  cluster: Pick<NamespaceDeps, 'get'>,
  inventory: Inventory | null,
  { live, signal }: { live: ReadonlyMap<string, LiveObject>; signal: AbortSignal },
): Promise<Inventory | null> {
  if (inventory === null || inventory.namespaceUid === null) return inventory;
  const { namespace: name, namespaceUid } = inventory;
  if (live.get(`/Namespace/${name}`)?.uid === namespaceUid) return inventory;
  // One that lost its labels, or that the agent may not list now, is missing from the watch and stands all the same.
  const found = await readNamespace(cluster, name, signal);
  if (found?.metadata.uid === namespaceUid) return inventory;
  return {
    ...inventory,
    namespaceUid: null,
    revision: null,
    target: undefined,
    objects: inventory.objects.map(({ apiVersion, kind, name, once, stage }) => {
      return { apiVersion, kind, name, uid: null, generation: null, print: null, once, stage };
    }),
  };
}
