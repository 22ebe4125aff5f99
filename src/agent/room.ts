import type { PreviewState } from './preview-state.js';

/** The places that the agent's configuration has for previews: who has something in the cluster keeps its own. */
export interface Room {
  /** Whether there is a place; one that was given is kept until `leave`. One that is refused hears when there is. */
  admit(slug: string): boolean;
  /** What it had in the cluster is gone. */
  leave(slug: string): void;
  /** Nothing of it came to be in the cluster for now: its place is another's. */
  release(slug: string): void;
}

/** `max`: previews at once; null: any number. `wake`: has a preview that was refused try again. */
export function createRoom(
  max: number | null,
  previews: ReadonlyMap<string, PreviewState>,
  wake: (slug: string) => void,
): Room {
  const admitted = new Set<string>();
  const refused = new Set<string>();

  function used(slug: string): number {
    let count = 0;
    for (const [other, { inventories }] of previews) {
      if (other !== slug && (inventories.size > 0 || admitted.has(other))) count += 1;
    }
    return count;
  }

  function leave(slug: string): void {
    admitted.delete(slug);
    for (const each of [...refused]) {
      if (previews.has(each)) wake(each);
      else refused.delete(each);
    }
  }

  return {
    admit(slug) {
      if (max === null || admitted.has(slug) || used(slug) < max) {
        admitted.add(slug);
        refused.delete(slug);
        return true;
      }
      refused.add(slug);
      return false;
    },
    leave,
    release(slug) {
      if (admitted.has(slug)) leave(slug);
    },
  };
}
