import type { MergeRequestFacts, Wish } from './facts.js';
import { type FollowVerdict, followVerdict, isFork } from './follow.js';
import { forkEntry } from './linked-forks.js';
import type { Policy } from './policy.js';
import type { Instant } from './preview.js';
import { startedBy } from './wishes.js';

/** One project of a group. */
export interface LinkedProject {
  projectId: number;
  /** Its own filters; the gates that its commits pass here, which the group may set for all. */
  policy: Policy;
  /** The group lets merge requests from its forks join; see `forkEntry`. Default: it does not. */
  forks?: boolean;
}

/** The target branch of a project of which no merge request takes part, as it was read for this decision. */
export interface Baseline {
  projectId: number;
  branch: string;
  /** Its newest commit. */
  head: string;
  /** Its newest commit that passed the gates; null: none of those that were looked at. */
  passed: string | null;
}

/** Of a linked preview: who may take part in it. */
export interface Linked {
  /** Exact name of the source branch. */
  branch: string;
  /** Six digits that tell its subject from every other, for when its name is taken. */
  suffix: string;
  /** Projects of the group, in the order of the configuration. */
  projects: readonly LinkedProject[];
  /** Names of those that GitLab has never shown, so that nobody knows what of them takes part. */
  missing: readonly string[];
  /** Ids of projects that may be one of the missing: members, which no configured project is known to be. */
  unknown: readonly number[];
  /**
   * Merge requests of that branch that are open or ended lately, without forks that do not belong to it, and those that
   * are members now though their project left the group.
   */
  mergeRequests: readonly MergeRequestFacts[];
  /** Members of which the API never said anything: whether they ended is unknown. */
  unread: boolean;
  /** What was read in this run of the job. */
  baselines: readonly Baseline[];
  /** Projects whose target branch GitLab was asked for in this run, and could not show. */
  silent: readonly number[];
}

const clockLeewayMs = 300_000;

/** The merge requests of a linked preview taken together. */
interface Combined {
  /** Of the first that takes part, with the newest times of all; null: nothing can be said. */
  facts: MergeRequestFacts | null;
  /** Orders of this term; see `termStart`. */
  wishes: Wish[];
}

/**
 * What is decided on as if it were one merge request: it is open as long as one of them is, its activity is that of
 * all, and it ended as the last of them did.
 */
export function combine(linked: Linked, allWishes: readonly Wish[]): Combined {
  const sorted = inOrder(linked);
  const start = termStart(sorted);
  // Only comments have GitLab's own time; the others may come from a clock that is behind.
  const wishes = allWishes.filter(({ at, source }) => at >= start - (source === 'command' ? 0 : clockLeewayMs));
  const open = sorted.filter((each) => !hasEnded(each));
  const lastReopenedAt = newest(open.map((each) => each.lastReopenedAt));
  const live = takingPart(linked, startedBy({ lastReopenedAt }, wishes) !== null);
  if (live.length === 0 && linked.unread) {
    return { facts: null, wishes };
  }
  const basis = live.length > 0 ? live : open.length > 0 ? open : lastEnded(sorted);
  const [first] = basis;
  if (first === undefined) {
    return { facts: null, wishes };
  }
  const facts = {
    ...first,
    sha: basis.find((each) => each.sha !== null)?.sha ?? null,
    createdAt: Math.max(...basis.map((each) => each.createdAt)),
    updatedAt: Math.max(...basis.map((each) => each.updatedAt)),
    lastPushAt: newest(basis.map((each) => each.lastPushAt)),
    lastReopenedAt: open.length > 0 ? lastReopenedAt : first.lastReopenedAt,
  };
  return { facts, wishes };
}

/** Merge requests that are open and that their project's filters follow, in the order of the group. */
export function takingPart(linked: Linked, asked: boolean): MergeRequestFacts[] {
  return inOrder(linked).filter((facts) => !hasEnded(facts) && verdictOf(linked, facts, asked).follows);
}

/** Whether any takes part; what the first that does not is refused for otherwise. */
export function linkedVerdict(linked: Linked, asked: boolean): FollowVerdict {
  const verdicts = inOrder(linked)
    .filter((facts) => !hasEnded(facts))
    .map((facts) => verdictOf(linked, facts, asked));
  return verdicts.find((verdict) => verdict.follows) ?? verdicts[0] ?? { follows: true };
}

function verdictOf(linked: Linked, facts: MergeRequestFacts, asked: boolean): FollowVerdict {
  const project = linked.projects.find(({ projectId }) => projectId === facts.projectId);
  if (linked.unknown.includes(facts.projectId)) {
    return { follows: true };
  }
  if (project === undefined) {
    return { follows: false, reason: 'unfollowed', detail: 'its project takes part in the linked previews no more' };
  }
  return isFork(facts) && forkEntry(project) === 'never'
    ? { follows: false, reason: 'unfollowed', detail: 'it comes from a fork, which joins no linked preview' }
    : followVerdict(project.policy.follow, facts, asked);
}

/**
 * When the present term began: with the first of an unbroken chain of merge requests on this branch, each opened before
 * the one before it ended. What people ordered earlier was meant for others that had the same branch name.
 */
function termStart(mergeRequests: readonly MergeRequestFacts[]): Instant {
  const open = mergeRequests.filter((each) => !hasEnded(each));
  let start = Math.min(...(open.length > 0 ? open : lastEnded(mergeRequests)).map((each) => each.createdAt));
  for (;;) {
    const earlier = mergeRequests.filter((each) => each.createdAt < start && (endOf(each) ?? start) >= start);
    if (earlier.length === 0) {
      return start;
    }
    start = Math.min(...earlier.map((each) => each.createdAt));
  }
}

export function hasEnded(facts: Pick<MergeRequestFacts, 'state'>): boolean {
  return facts.state === 'merged' || facts.state === 'closed';
}

function endOf(facts: MergeRequestFacts): Instant | null {
  return hasEnded(facts) ? (facts.endedAt ?? facts.updatedAt) : null;
}

function lastEnded(mergeRequests: readonly MergeRequestFacts[]): MergeRequestFacts[] {
  const ended = mergeRequests.filter(hasEnded);
  const last = Math.max(...ended.map((each) => endOf(each) ?? 0));
  return ended.filter((each) => endOf(each) === last).slice(0, 1);
}

function inOrder({ projects, mergeRequests }: Linked): MergeRequestFacts[] {
  const placeOf = (projectId: number) => {
    const place = projects.findIndex((project) => project.projectId === projectId);
    return place < 0 ? projects.length : place;
  };
  return [...mergeRequests].sort(
    (a, b) =>
      placeOf(a.projectId) - placeOf(b.projectId) ||
      a.projectId - b.projectId ||
      // Of two of one project the first is what runs: never a fork's in place of the project's own.
      Number(isFork(a)) - Number(isFork(b)) ||
      a.iid - b.iid,
  );
}

function newest(times: readonly (Instant | null)[]): Instant | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.max(...known);
}
