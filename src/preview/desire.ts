import { keptUntil, lastActivityAt, lifetimeOf } from './expiry.js';
import type { MergeRequestFacts, Wish } from './facts.js';
import { type FollowVerdict, followVerdict } from './follow.js';
import { hasFile } from './lifecycle.js';
import { type Linked, linkedVerdict } from './linked.js';
import type { Policy } from './policy.js';
import type { Instant, Preview, StopReason } from './preview.js';
import { startedBy } from './wishes.js';

/** Whether a merge request's preview is to run, from GitLab's and the configuration's present state alone. */
export type Desire =
  | { runs: true }
  | {
      runs: false;
      reason: StopReason;
      /** The merge request ended, or a named person stopped it: the breaker lets it pass. */
      explained: boolean;
      /** It rests on what GitLab says now, so that GitLab is asked again before it is done. */
      needsReading: boolean;
      /** By GitLab's clock where it knows; null: now. */
      at: Instant | null;
      by: string | null;
      detail: string | null;
    };

const runs: Desire = { runs: true };

/** What else it depends on. */
interface Circumstances {
  linked?: Linked | undefined;
  linkedTo?: string | undefined;
  /** The newest incarnation, for since when it lives and whether it is deployed; absent or null: there is none. */
  preview?: Pick<Preview, 'phase' | 'createdAt'> | null;
}

/**
 * The levels, the strongest first: an end of the merge request, the newest word of a person, the filters, the expiry.
 * Of the row only its age counts, so that lost or reordered events change nothing in the end.
 */
export function desire(
  policy: Policy | null,
  facts: MergeRequestFacts | null,
  wishes: Wish[],
  now: Instant,
  about: Circumstances = {},
): Desire | null {
  const word = newestWord(facts, wishes);
  const ended = facts === null ? null : endOf(facts);
  if (ended !== null) {
    return policy === null || facts === null ? ended : (afterMerge(policy, facts, wishes, now, about) ?? ended);
  }
  if (word !== null && word.kind === 'stop') {
    return stoppedBy(word);
  }
  if (policy === null) {
    const detail = 'its project is no longer in the configuration';
    return { runs: false, reason: 'unfollowed', explained: false, needsReading: false, at: null, by: null, detail };
  }
  if (facts === null) {
    return null;
  }
  if (about.linkedTo !== undefined) {
    const detail = `its project takes part in the linked previews of the group ${about.linkedTo}`;
    return { runs: false, reason: 'unfollowed', explained: false, needsReading: false, at: null, by: null, detail };
  }
  return followedAndAlive(policy, facts, wishes, now, about);
}

/** The newest wish to stop or to start; null when there is none, or when a reopening came after it. */
export function newestWord(facts: MergeRequestFacts | null, wishes: Wish[]): Wish | null {
  let newest: Wish | null = null;
  for (const wish of wishes) {
    const isWord = wish.kind === 'start' || wish.kind === 'stop';
    if (isWord && (newest === null || wish.at >= newest.at)) {
      newest = wish;
    }
  }
  const reopenedAt = facts?.lastReopenedAt ?? null;
  return newest !== null && reopenedAt !== null && reopenedAt > newest.at ? null : newest;
}

function endOf(facts: MergeRequestFacts): Desire | null {
  if (facts.state !== 'merged' && facts.state !== 'closed') {
    return null;
  }
  const at = facts.endedAt ?? facts.updatedAt;
  const by = facts.endedBy ?? null;
  return { runs: false, reason: facts.state, explained: true, needsReading: false, at, by, detail: null };
}

function stoppedBy(wish: Wish): Desire {
  const { source, at, by } = wish;
  // An edit of the branch never explains: whoever may push there may have meant something else.
  return { runs: false, reason: source, explained: source !== 'git', needsReading: false, at, by, detail: null };
}

function followedAndAlive(
  policy: Policy,
  facts: MergeRequestFacts,
  wishes: Wish[],
  now: Instant,
  about: Circumstances,
): Desire {
  const stop = { runs: false, explained: false, needsReading: true, by: null } as const;
  const verdict = verdictOn(policy, facts, wishes, about);
  if (!verdict.follows) {
    return { ...stop, reason: verdict.reason, at: null, detail: verdict.detail };
  }
  const { pinnedBy, expiresAt } = lifetimeOf(policy, facts, wishes, bornAt(about, now));
  if (pinnedBy !== null || now < expiresAt) {
    return runs;
  }
  const isLongest = now < lastActivityAt(facts, wishes) + policy.ttlMs;
  return {
    ...stop,
    reason: 'expired',
    at: null,
    detail: isLongest ? 'it had lived for as long as a preview may' : null,
  };
}

/** What is deployed when its merge request is merged may be kept for a while; null: it ends. */
function afterMerge(
  policy: Policy,
  facts: MergeRequestFacts,
  wishes: Wish[],
  now: Instant,
  about: Circumstances,
): Desire | null {
  const until = keptUntil(policy, facts);
  if (until === null || about.linkedTo !== undefined) {
    return null;
  }
  const word = newestWord(facts, wishes);
  if (word?.kind === 'stop') {
    const isAfter = word.at >= (facts.endedAt ?? facts.updatedAt) && word.at < until;
    return isAfter && word.source !== 'git' ? stoppedBy(word) : null;
  }
  const isDeployed = about.preview != null && hasFile(about.preview.phase);
  if (!isDeployed || !verdictOn(policy, facts, wishes, about).follows) {
    return null;
  }
  const { expiresAt } = lifetimeOf(policy, facts, wishes, bornAt(about, now));
  const detail = 'the merge request was merged, and the time that its preview is kept after that is over';
  const over = { runs: false, reason: 'merged', explained: true, needsReading: false, by: null, detail } as const;
  return now < expiresAt ? runs : { ...over, at: expiresAt };
}

function verdictOn(policy: Policy, facts: MergeRequestFacts, wishes: Wish[], { linked }: Circumstances): FollowVerdict {
  const asked = startedBy(facts, wishes) !== null;
  return linked === undefined ? followVerdict(policy.follow, facts, asked) : linkedVerdict(linked, asked);
}

/** Since when the incarnation lives that lives now, or that would begin. */
function bornAt({ preview }: Circumstances, now: Instant): Instant {
  return preview == null || preview.phase === 'stopping' || preview.phase === 'stopped' ? now : preview.createdAt;
}
