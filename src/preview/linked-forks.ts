import type { MergeRequestFacts, Wish } from './facts.js';
import { isFork } from './follow.js';
import type { Policy } from './policy.js';

/** What of a project of a group says so. */
interface Entrance {
  policy: Policy;
  /** The group names it in `forks`. Default: it does not. */
  forks?: boolean;
}

/** How merge requests from forks of a project come into the linked previews of its group. */
export type ForkEntry = 'never' | 'approved' | 'always';

/**
 * `approved`: once a member approved a commit of it, so that no stranger makes the others wait with a branch of the same
 * name. Each later commit needs its own approval, as every gate is for one sha.
 */
export function forkEntry({ forks = false, policy }: Entrance): ForkEntry {
  if (!forks || policy.follow.forks === 'never') {
    return 'never';
  }
  return policy.follow.forks === 'approved' || policy.gateApproval === 'member' ? 'approved' : 'always';
}

/** Whether a merge request belongs to the linked preview of its branch. `wishes`: the orders given in it. */
export function belongsToLinked(
  project: Entrance,
  facts: Pick<MergeRequestFacts, 'projectId' | 'sourceProjectId'>,
  wishes: readonly Wish[],
): boolean {
  if (!isFork(facts)) {
    return true;
  }
  const entry = forkEntry(project);
  const isOfIt = ({ kind, projectId }: Wish) =>
    kind === 'approve' && (projectId ?? facts.projectId) === facts.projectId;
  return entry === 'always' || (entry === 'approved' && wishes.some(isOfIt));
}
