import type { MergeRequestFacts } from './facts.js';
import { globMatches } from './glob.js';
import type { Policy } from './policy.js';

/** Whether the filters let a merge request have a preview; `label`: its labels alone stand in the way. */
export type FollowVerdict = { follows: true } | { follows: false; reason: 'label' | 'unfollowed'; detail: string };

const follows: FollowVerdict = { follows: true };

/** Applies `follow` of the configuration. The first filter that refuses is named, those that are not labels first. */
export function followVerdict(filters: Policy['follow'], facts: MergeRequestFacts): FollowVerdict {
  const refusal = branchRefusal(filters, facts) ?? originRefusal(filters, facts);
  if (refusal !== null) {
    return { follows: false, reason: 'unfollowed', detail: refusal };
  }
  const detail = labelRefusal(filters, facts);
  return detail === null ? follows : { follows: false, reason: 'label', detail };
}

function branchRefusal(filters: Policy['follow'], facts: MergeRequestFacts): string | null {
  if (!filters.targetBranches.some((glob) => globMatches(glob, facts.targetBranch))) {
    return 'its target branch is not followed';
  }
  if (!filters.sourceBranches.some((glob) => globMatches(glob, facts.sourceBranch))) {
    return 'its source branch is not followed';
  }
  return null;
}

function originRefusal(filters: Policy['follow'], facts: MergeRequestFacts): string | null {
  // A source project that is gone was a fork: the target project itself still answers.
  if (filters.forks === 'never' && facts.sourceProjectId !== facts.projectId) {
    return 'it comes from a fork';
  }
  if (filters.authorsNone.includes(facts.authorUsername)) {
    return 'its author is not followed';
  }
  return facts.draft && !filters.drafts ? 'it is a draft' : null;
}

function labelRefusal(filters: Policy['follow'], facts: MergeRequestFacts): string | null {
  const refused = filters.labelsNone.find((label) => facts.labels.includes(label));
  if (refused !== undefined) {
    return `it has the label ${refused}`;
  }
  if (filters.labelsAny.length > 0 && !filters.labelsAny.some((label) => facts.labels.includes(label))) {
    return `it has none of the labels ${filters.labelsAny.join(', ')}`;
  }
  return null;
}
