import type { FeedbackView } from '../../../src/manager/feedback/view.js';
import type { Member, Preview } from '../../../src/preview/preview.js';
import { untouched } from '../../../src/preview/untouched.js';

export const at = Date.UTC(2026, 10, 23, 14, 2);
export const sha = '1a2b3c4d'.padEnd(40, '0');
export const olderSha = '9f8e7d6c'.padEnd(40, '0');

export function memberOf(change: Partial<Member> = {}): Member {
  return { projectId: 5, iid: 42, wantedSha: sha, deployedSha: sha, next: null, ...change };
}

export function previewOf(change: Partial<Preview> = {}): Preview {
  return {
    ...untouched,
    slug: 'shop-42',
    incarnation: 1,
    subject: 'mr:5:42',
    project: 'shop',
    cluster: 'default',
    namespace: 'preview-shop-42',
    url: 'https://shop-42.preview.example.com',
    members: [memberOf()],
    phase: 'ready',
    wantedRevision: 'r1',
    deployedRevision: 'r1',
    lastActivityAt: at,
    expiresAt: at + 72 * 3_600_000,
    createdAt: at - 60_000,
    readyAt: at,
    setValues: {},
    ...change,
  };
}

export function viewOf(
  preview: Partial<Preview> = {},
  change: Partial<Omit<FeedbackView, 'preview'>> = {},
): FeedbackView {
  return {
    preview: previewOf(preview),
    facts: {
      projectId: 5,
      iid: 42,
      state: 'opened',
      sha,
      sourceBranch: 'cart',
      targetBranch: 'main',
      title: 'Cart',
      authorId: 1,
      authorUsername: 'ada',
      draft: false,
      labels: [],
      webUrl: 'https://gitlab.example.com/acme/shop/-/merge_requests/42',
      sourceProjectId: 5,
      createdAt: at - 60_000,
      updatedAt: at,
      endedAt: null,
      lastPushAt: at - 41_000,
      lastReopenedAt: null,
    },
    deployedAt: at,
    firstHealthyAt: at,
    line: null,
    diagnosis: null,
    ...change,
  };
}
