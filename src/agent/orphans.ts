import type { LiveObjects } from './live/live-objects.js';
import type { PreviewState } from './preview-state.js';

/** A namespace that carries our marks, and that nothing of ours will ever remove by itself. */
export interface Orphan {
  namespace: string;
  namespaceUid: string;
  slug: string;
  incarnation: number;
}

/**
 * The namespaces of this installation, under this agent's prefix, of which no inventory and no file knows. Those of
 * other agents are not this one's to judge.
 */
export function findOrphans(
  live: Pick<LiveObjects, 'pairs' | 'of'> | null,
  previews: ReadonlyMap<string, PreviewState>,
  namespacePrefix: string,
): Orphan[] {
  return (live?.pairs() ?? []).flatMap(({ slug, incarnation, keys }) => {
    const preview = previews.get(slug);
    if (preview?.inventories.has(incarnation) || preview?.wanted?.incarnation === incarnation) return [];
    const key = keys.find((each) => each.startsWith(`/Namespace/${namespacePrefix}`));
    const found = key === undefined ? undefined : live?.of({ slug, incarnation }).get(key);
    if (key === undefined || found === undefined) return [];
    return [{ namespace: key.slice('/Namespace/'.length), namespaceUid: found.uid, slug, incarnation }];
  });
}
