import type { MergeRequestFacts } from './facts.js';
import { globMatches } from './glob.js';
import type { Policy } from './policy.js';

/** Whether the filters let a merge request have a preview; `label`: its labels alone stand in the way. */
export type FollowVerdict = { follows: true } | { follows: false; reason: 'label' | 'unfollowed'; detail: string };

type Filters = Policy['follow'];

const follows: FollowVerdict = { follows: true };

/**
 * Applies `follow` of the configuration. The first filter that refuses is named, those that are not labels first.
 * `asked`: a member wrote `/preview start`. That stands for what the configuration waits for (`drafts`, `labels.any`,
 * `labels.all`, `optIn`), never for what it rules out (branches, authors, forks, `labels.none`).
 */
export function followVerdict(filters: Filters, facts: MergeRequestFacts, asked: boolean): FollowVerdict {
  const refusal =
    branchRefusal(filters, facts) ?? originRefusal(filters, facts) ?? (asked ? null : draftRefusal(filters, facts));
  if (refusal !== null) {
    return { follows: false, reason: 'unfollowed', detail: refusal };
  }
  const detail = vetoRefusal(filters, facts) ?? (asked ? null : labelRefusal(filters, facts));
  return detail === null ? follows : { follows: false, reason: 'label', detail };
}

/** A source project that is gone was a fork: the target project itself still answers. */
export function isFork(facts: Pick<MergeRequestFacts, 'projectId' | 'sourceProjectId'>): boolean {
  return facts.sourceProjectId !== facts.projectId;
}

/** Whether each sha of this merge request needs a member's approval because it comes from a fork. */
export function forkNeedsApproval(
  filters: Pick<Filters, 'forks'>,
  facts: Pick<MergeRequestFacts, 'projectId' | 'sourceProjectId'>,
): boolean {
  return filters.forks === 'approved' && isFork(facts);
}

function branchRefusal(filters: Filters, facts: MergeRequestFacts): string | null {
  if (!filters.targetBranches.some((glob) => globMatches(glob, facts.targetBranch))) {
    return 'its target branch is none of `follow.targetBranches`';
  }
  if (!filters.sourceBranches.some((glob) => globMatches(glob, facts.sourceBranch))) {
    return 'its source branch is none of `follow.sourceBranches`';
  }
  return null;
}

function originRefusal(filters: Filters, facts: MergeRequestFacts): string | null {
  if (filters.forks === 'never' && isFork(facts)) {
    return 'it comes from a fork (`follow.forks: never`)';
  }
  if (filters.authorsNone.includes(facts.authorUsername)) {
    return 'its author is one of `follow.authors.none`';
  }
  return filters.authorsAny.length > 0 && !filters.authorsAny.includes(facts.authorUsername)
    ? 'its author is none of `follow.authors.any`'
    : null;
}

function draftRefusal(filters: Filters, facts: MergeRequestFacts): string | null {
  return facts.draft && !filters.drafts ? 'it is a draft (`follow.drafts: false`)' : null;
}

function vetoRefusal(filters: Filters, facts: MergeRequestFacts): string | null {
  const refused = filters.labelsNone.find((label) => facts.labels.includes(label));
  return refused === undefined ? null : `it has the label ${refused} of \`follow.labels.none\``;
}

function labelRefusal(filters: Filters, facts: MergeRequestFacts): string | null {
  const has = (label: string) => facts.labels.includes(label);
  if (filters.labelsAny.length > 0 && !filters.labelsAny.some(has)) {
    return `it has none of the labels ${filters.labelsAny.join(', ')} of \`follow.labels.any\``;
  }
  const missing = filters.labelsAll.find((label) => !has(label));
  if (missing !== undefined) {
    return `it lacks the label ${missing} of \`follow.labels.all\``;
  }
  return filters.optInLabel === null || has(filters.optInLabel)
    ? null
    : `it has neither the label ${filters.optInLabel} nor was \`/preview start\` written (\`follow.optIn\`)`;
}
