import type { Order, Poll } from '../protocol/poll.js';
import type { Deletions } from './deletions.js';
import type { BranchFollower } from './follow.js';
import type { Orphan } from './orphans.js';
import { everything, projectScope } from './pauses.js';
import type { UnblockResult } from './teardown/unblock.js';

export interface CarryOutDeps {
  follower: Pick<BranchFollower, 'acceptHead'>;
  deletions: Pick<Deletions, 'accept'>;
  orphans(): Orphan[];
  /** Begins to tear down a namespace of ours that no inventory and no file knows. */
  removeOrphan(orphan: Orphan): void;
  pause(scope: string, paused: boolean, by: string, signal: AbortSignal): Promise<void>;
  /** Removes one finalizer from what blocks the end of a preview. */
  unblock(
    order: { slug: string; incarnation: number | null; finalizer: string },
    signal: AbortSignal,
  ): Promise<UnblockResult>;
}

/** What became of an order; `detail`: a sentence for its history, null where the order says it all. */
export interface CarriedOut {
  done: boolean;
  detail: string | null;
}

const done: CarriedOut = { done: true, detail: null };

/**
 * Carries out one order of a person. Throws what is tried again at the next poll; null: this agent does not know how,
 * and never will.
 */
export async function carryOut(deps: CarryOutDeps, order: Order, signal: AbortSignal): Promise<CarriedOut | null> {
  const { kind, by, slug, incarnation } = order;
  switch (kind) {
    case 'accept':
      if (slug !== undefined && incarnation !== undefined) deps.deletions.accept({ slug, incarnation }, by);
      else deps.follower.acceptHead();
      return done;
    case 'pause':
    case 'resume': {
      const scope = slug ?? (order.project === undefined ? everything : projectScope(order.project));
      await deps.pause(scope, kind === 'pause', by, signal);
      return done;
    }
    case 'remove-orphan':
      return removeOrphans(deps, order);
    case 'unblock':
      return slug === undefined || order.finalizer === undefined
        ? null
        : deps.unblock({ slug, incarnation: incarnation ?? null, finalizer: order.finalizer }, signal);
    default:
      return kind satisfies never;
  }
}

/** What is no orphan any more, or never was, is left alone, and that is said. */
function removeOrphans(deps: CarryOutDeps, { slug, incarnation }: Order): CarriedOut {
  const found = deps
    .orphans()
    .filter((each) => each.slug === slug && (incarnation === undefined || each.incarnation === incarnation));
  for (const orphan of found) deps.removeOrphan(orphan);
  const names = found.map(({ namespace }) => namespace).join(', ');
  return found.length > 0
    ? { done: true, detail: `The namespace ${names} is torn down.` }
    : { done: false, detail: 'Nothing was removed: it is no orphan here, or not any more.' };
}

/** What is paused, for the manager. */
export function pauseReport(
  pauses: readonly { scope: string; by: string }[],
  annotated: readonly string[],
  projectOfScope: (scope: string) => string | null,
): Poll['paused'] {
  return [
    ...pauses.map(({ scope, by }) => {
      const project = projectOfScope(scope);
      if (scope === everything) return { scope: 'agent' as const, name: null, by };
      return project === null
        ? { scope: 'preview' as const, name: scope, by }
        : { scope: 'project' as const, name: project, by };
    }),
    ...annotated.map((slug) => ({ scope: 'namespace' as const, name: slug, by: null })),
  ].slice(0, 10_000);
}
