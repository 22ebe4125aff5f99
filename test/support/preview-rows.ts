import type { MergeRequestFacts } from '../../src/preview/facts.js';
import type { Preview } from '../../src/preview/preview.js';
import { untouched } from '../../src/preview/untouched.js';

export const shaOne = '1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d';
export const shaTwo = '2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e';

/** An opened merge request of project 7. */
export function mergeRequestFacts(iid: number, changes: Partial<MergeRequestFacts> = {}): MergeRequestFacts {
  return {
    projectId: 7,
    iid,
    state: 'opened',
    sha: shaOne,
    sourceBranch: `feature/cart-${iid}`,
    targetBranch: 'main',
    title: 'Fix the cart',
    authorId: 3,
    authorUsername: 'ada',
    draft: false,
    labels: ['shop'],
    webUrl: `https://gitlab.example.com/acme/shop/-/merge_requests/${iid}`,
    sourceProjectId: 7,
    createdAt: 1_700_000_000_000,
    updatedAt: 1_700_000_000_000,
    endedAt: null,
    lastPushAt: 1_700_000_000_000,
    lastReopenedAt: null,
    ...changes,
  };
}

/** The row of a preview that is being deployed. */
export function deployingPreview(iid: number, changes: Partial<Preview> = {}): Preview {
  return {
    ...untouched,
    slug: `shop-${iid}`,
    incarnation: 1,
    subject: `mr:7:${iid}`,
    project: 'shop',
    cluster: 'default',
    namespace: `preview-shop-${iid}`,
    url: `https://shop-${iid}.preview.example.com`,
    members: [{ projectId: 7, iid, wantedSha: shaOne, deployedSha: null, next: null }],
    phase: 'deploying',
    lastActivityAt: 1_700_000_000_000,
    expiresAt: 4_000_000_000_000,
    createdAt: 1_700_000_000_000,
    deployingSince: 1_700_000_000_000,
    setValues: {},
    ...changes,
  };
}
