import type { DecideInput } from '../../src/preview/decision.js';
import type { MergeRequestFacts, Observation } from '../../src/preview/facts.js';
import type { Preview } from '../../src/preview/preview.js';
import { untouched } from '../../src/preview/untouched.js';
import { basePolicy, hourMs } from './model/world.js';

export const now = 1_700_000_000_000;
export const sha = 'a'.repeat(40);
export const newSha = 'b'.repeat(40);
export const revision = '1'.repeat(64);

/** An open merge request, pushed an hour ago. */
export function someFacts(change: Partial<MergeRequestFacts> = {}): MergeRequestFacts {
  return {
    projectId: 7,
    iid: 42,
    state: 'opened',
    sha,
    sourceBranch: 'feature',
    targetBranch: 'main',
    title: 'Fix the cart',
    authorId: 1,
    authorUsername: 'alice',
    draft: false,
    labels: [],
    webUrl: 'https://gitlab.example.com/acme/shop/-/merge_requests/42',
    sourceProjectId: 7,
    createdAt: now - 2 * hourMs,
    updatedAt: now - hourMs,
    endedAt: null,
    lastPushAt: now - hourMs,
    lastReopenedAt: null,
    ...change,
  };
}

/** A preview that is ready, of the facts above. */
export function aRow(change: Partial<Preview> = {}): Preview {
  return {
    ...untouched,
    slug: 'shop-42',
    incarnation: 1,
    subject: 'mr:7:42',
    project: 'shop',
    cluster: 'default',
    namespace: 'preview-shop-42',
    url: 'https://shop-42.preview.example.com',
    members: [{ projectId: 7, iid: 42, wantedSha: sha, deployedSha: sha, next: null }],
    phase: 'ready',
    wantedRevision: revision,
    deployedRevision: revision,
    version: 5,
    lastActivityAt: now - hourMs,
    expiresAt: now - hourMs + basePolicy.ttlMs,
    createdAt: now - 2 * hourMs,
    readyAt: now - hourMs,
    setValues: {},
    ...change,
  };
}

/** A row that deploys its first sha since a minute ago. */
export function deployingRow(change: Partial<Preview> = {}): Preview {
  const members = [{ projectId: 7, iid: 42, wantedSha: sha, deployedSha: null, next: null }];
  const deployingSince = now - 60_000;
  return aRow({ phase: 'deploying', members, deployedRevision: null, readyAt: null, deployingSince, ...change });
}

/** A row that was stopped an hour ago. */
export function stoppedRow(change: Partial<Preview> = {}): Preview {
  return aRow({ phase: 'stopped', stoppedAt: now - hourMs, stopReason: 'command', stoppedBy: 'alice', ...change });
}

export function anObservation(change: Partial<Observation> = {}): Observation {
  return { revision, state: 'healthy', message: null, cause: null, at: now, ...change };
}

/** Everything as it should be, freshly read, and nothing to do. */
export function anInput(change: Partial<DecideInput> = {}): DecideInput {
  return {
    now,
    subject: 'mr:7:42',
    facts: someFacts(),
    reading: 'fresh',
    preview: aRow(),
    policy: basePolicy,
    gates: [{ projectId: 7, sha, gate: 'pipeline', reading: { state: 'open' } }],
    wishes: [],
    observation: null,
    usage: { project: 0, total: 0, maxTotal: 200, ahead: 0, aheadElsewhere: 0 },
    breaker: { heldElsewhere: 0, doneLastHour: 0, livedAtHourStart: 5, accepted: false },
    slugs: [
      { slug: 'shop-42', taken: false, lastIncarnation: 1 },
      { slug: 'shop-42-shop-42', taken: false, lastIncarnation: 0 },
    ],
    branch: null,
    neverCommitted: false,
    ...change,
  };
}
