import type { DecideInput } from './decision.js';
import type { Desire } from './desire.js';
import { lastActivityAt, lifetimeOf, revives } from './expiry.js';
import type { MergeRequestFacts } from './facts.js';
import { chooseSlug, linkedSlugs, namespaceOf, type SlugClaim, slugCandidates, urlOf } from './naming.js';
import type { Policy } from './policy.js';
import type { Preview } from './preview.js';
import { untouched } from './untouched.js';
import { newestOf, settingsOf, startedBy } from './wishes.js';

/** What stands between a subject and its next incarnation. */
export type Beginning =
  | { kind: 'none' }
  /** GitLab must be asked first: nothing starts on what was read long ago. */
  | { kind: 'reading' }
  | { kind: 'slug-taken' }
  | { kind: 'begin'; preview: Preview };

/** The first or the next incarnation, when the subject has none that lives and the restart rules let one begin. */
export function begin(row: Preview | null, want: Desire | null, input: DecideInput): Beginning {
  const { policy, facts } = input;
  const isFree = row === null || row.phase === 'stopped';
  if (!isFree || want?.runs !== true || policy === null || facts === null || facts.sha === null) {
    return { kind: 'none' };
  }
  if (facts.state === 'merged' || (row?.stopReason === 'expired' && !revives(row, policy, facts, input.wishes))) {
    return { kind: 'none' };
  }
  if (input.reading !== 'fresh') {
    return { kind: 'reading' };
  }
  const { linked } = input;
  const candidates = linked === undefined ? slugCandidates(policy, facts) : linkedSlugs(policy, linked);
  const claim = chooseSlug(candidates, input.slugs, row?.slug ?? null);
  return claim === null
    ? { kind: 'slug-taken' }
    : { kind: 'begin', preview: incarnation(row, claim, policy, facts, input) };
}

function incarnation(
  before: Preview | null,
  claim: SlugClaim,
  policy: Policy,
  facts: MergeRequestFacts,
  input: DecideInput,
): Preview {
  const last = Math.max(claim.lastIncarnation, before?.slug === claim.slug ? before.incarnation : 0);
  const start = startedBy(facts, input.wishes);
  const { pinnedBy, expiresAt } = lifetimeOf(policy, facts, input.wishes, input.now);
  return {
    ...untouched,
    slug: claim.slug,
    incarnation: last + 1,
    subject: input.subject,
    project: policy.project,
    cluster: policy.cluster,
    namespace: namespaceOf(policy, claim.slug),
    url: urlOf(policy, claim.slug, facts),
    members:
      input.linked === undefined
        ? [{ projectId: facts.projectId, iid: facts.iid, wantedSha: null, deployedSha: null, next: null }]
        : [],
    phase: 'waiting',
    lastActivityAt: lastActivityAt(facts, input.wishes),
    expiresAt,
    createdAt: input.now,
    setValues: settingsOf(policy.settable, input.wishes),
    redeployedAt: newestOf(input.wishes, 'redeploy')?.at ?? null,
    sleepOrderedAt: newestOf(input.wishes, 'sleep', 'wake')?.at ?? null,
    ordered: start === null ? null : { kind: 'start', by: start.by },
    pinnedBy,
  };
}
