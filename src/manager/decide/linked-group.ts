import type { MergeRequestFacts, Wish } from '../../preview/facts.js';
import { isFork } from '../../preview/follow.js';
import { belongsToLinked } from '../../preview/linked-forks.js';
import type { DecideSettings } from './needs.js';

/**
 * The group in whose linked previews a merge request takes part; null: it may have a preview of its own. A fork's does
 * only where the group names its project in `forks`. `wishes`: the orders given in it.
 */
export function linkedGroupOf(
  settings: Pick<DecideSettings, 'groupOf' | 'groupFor'>,
  facts: Pick<MergeRequestFacts, 'projectId' | 'sourceProjectId'>,
  wishes: readonly Wish[],
): string | null {
  const name = settings.groupOf?.(facts.projectId) ?? null;
  if (name === null || !isFork(facts)) return name;
  const project = settings.groupFor?.(name)?.projects.find(({ projectId }) => projectId === facts.projectId);
  return project !== undefined && belongsToLinked(project, facts, wishes) ? name : null;
}
