import type { MergeRequestFacts } from '../../../src/preview/facts.js';

/** One merge request of the model: what GitLab itself knows. */
export interface ModelMergeRequest {
  iid: number;
  sourceBranch: string;
  state: 'opened' | 'closed' | 'merged';
  sha: string;
  labels: string[];
  draft: boolean;
  createdAt: number;
  updatedAt: number;
  endedAt: number | null;
  lastPushAt: number;
  lastReopenedAt: number | null;
}

interface ModelNote {
  id: number;
  iid: number;
  body: string;
  at: number;
  by: string;
}

/** What a webhook carries as far as the manager looks at it. */
export type Delivery =
  | { kind: 'merge_request'; facts: MergeRequestFacts }
  | { kind: 'note'; id: number }
  | { kind: 'pipeline'; iid: number };

/** A GitLab in memory: the truth that both the manager and the oracle are measured by. */
export interface ModelGitLab {
  mergeRequests: Map<number, ModelMergeRequest>;
  notes: ModelNote[];
  /** State of the pipeline of each sha; once successful it stays so. */
  pipelines: Map<string, 'pending' | 'success' | 'failed'>;
  /** All images of the registry. */
  images: Set<string>;
  /** What the gates of the project ask for beside a green pipeline. */
  needs: { image: boolean; approval: boolean; forkApproval: boolean };
  /** Shas that all gates let pass while they were the head, by merge request. */
  greenHeads: Map<number, Set<string>>;
  /** Merge requests that were closed or merged at some time. */
  everEnded: Set<string>;
  /** Webhooks that were sent and not delivered yet. */
  deliveries: Delivery[];
}

const projectId = 7;

export function createGitLab(
  needs: ModelGitLab['needs'] = { image: false, approval: false, forkApproval: false },
): ModelGitLab {
  return {
    mergeRequests: new Map(),
    notes: [],
    pipelines: new Map(),
    images: new Set(),
    needs,
    greenHeads: new Map(),
    everEnded: new Set(),
    deliveries: [],
  };
}

export function open(gitlab: ModelGitLab, iid: number, sourceBranch: string, now: number): void {
  if (gitlab.mergeRequests.has(iid)) {
    return;
  }
  const sha = shaOf(iid, now);
  gitlab.mergeRequests.set(iid, {
    iid,
    sourceBranch,
    state: 'opened',
    sha,
    labels: [],
    draft: false,
    createdAt: now,
    updatedAt: now,
    endedAt: null,
    lastPushAt: now,
    lastReopenedAt: null,
  });
  gitlab.pipelines.set(sha, 'pending');
  changed(gitlab, iid, now, {});
}

export function push(gitlab: ModelGitLab, iid: number, now: number): void {
  const sha = shaOf(iid, now);
  if (changed(gitlab, iid, now, { sha, lastPushAt: now })) {
    gitlab.pipelines.set(sha, 'pending');
  }
}

export function end(gitlab: ModelGitLab, iid: number, state: 'closed' | 'merged', now: number): void {
  if (gitlab.mergeRequests.get(iid)?.state === 'opened') {
    gitlab.everEnded.add(`${iid} ${state}`);
    changed(gitlab, iid, now, { state, endedAt: now });
  }
}

export function reopen(gitlab: ModelGitLab, iid: number, now: number): void {
  if (gitlab.mergeRequests.get(iid)?.state === 'closed') {
    changed(gitlab, iid, now, { state: 'opened', endedAt: null, lastReopenedAt: now });
    noteGreenHeads(gitlab);
  }
}

export function toggleLabel(gitlab: ModelGitLab, iid: number, now: number): void {
  const has = gitlab.mergeRequests.get(iid)?.labels.length === 1;
  changed(gitlab, iid, now, { labels: has ? [] : ['no-preview'] });
}

export function toggleDraft(gitlab: ModelGitLab, iid: number, now: number): void {
  changed(gitlab, iid, now, { draft: gitlab.mergeRequests.get(iid)?.draft !== true });
}

export function finishPipeline(gitlab: ModelGitLab, iid: number, success: boolean): void {
  const sha = gitlab.mergeRequests.get(iid)?.sha;
  if (sha === undefined || gitlab.pipelines.get(sha) === 'success') {
    return;
  }
  gitlab.pipelines.set(sha, success ? 'success' : 'failed');
  noteGreenHeads(gitlab);
  gitlab.deliveries.push({ kind: 'pipeline', iid });
}

export function pushImage(gitlab: ModelGitLab, iid: number): void {
  const sha = gitlab.mergeRequests.get(iid)?.sha;
  if (sha !== undefined) {
    gitlab.images.add(`registry.example.com/acme/shop:${sha}`);
    noteGreenHeads(gitlab);
  }
}

/** A member approves what is the head now. */
export function approve(gitlab: ModelGitLab, iid: number, now: number): void {
  const sha = gitlab.mergeRequests.get(iid)?.sha;
  if (sha !== undefined) {
    comment(gitlab, iid, `/preview approve ${sha}`, now);
    noteGreenHeads(gitlab);
  }
}

/** Where forks count at all, every third merge request comes from one. */
function isFork(gitlab: ModelGitLab, iid: number): boolean {
  return gitlab.needs.forkApproval && iid % 3 === 0;
}

export function needsApproval(gitlab: ModelGitLab, iid: number): boolean {
  return gitlab.needs.approval || isFork(gitlab, iid);
}

/** Whether a comment of the merge request approves this very sha. */
function isApproved(gitlab: ModelGitLab, iid: number, sha: string): boolean {
  return gitlab.notes.some((note) => note.iid === iid && note.body === `/preview approve ${sha}`);
}

export function comment(gitlab: ModelGitLab, iid: number, body: string, now: number): void {
  if (gitlab.mergeRequests.has(iid)) {
    const id = gitlab.notes.length + 1;
    gitlab.notes.push({ id, iid, body, at: now, by: 'alice' });
    gitlab.deliveries.push({ kind: 'note', id });
  }
}

/** What the API answers now. */
export function factsOf(gitlab: ModelGitLab, iid: number): MergeRequestFacts | null {
  const own = gitlab.mergeRequests.get(iid);
  if (own === undefined) {
    return null;
  }
  return {
    ...own,
    projectId,
    labels: [...own.labels],
    targetBranch: 'main',
    title: `Change ${iid}`,
    authorId: 1,
    authorUsername: 'alice',
    webUrl: `https://gitlab.example.com/acme/shop/-/merge_requests/${iid}`,
    sourceProjectId: isFork(gitlab, iid) ? projectId + 1 : projectId,
  };
}

function changed(gitlab: ModelGitLab, iid: number, now: number, change: Partial<ModelMergeRequest>): boolean {
  const own = gitlab.mergeRequests.get(iid);
  if (own === undefined || (own.state === 'merged' && change.state === undefined)) {
    return false;
  }
  Object.assign(own, change, { updatedAt: now });
  const facts = factsOf(gitlab, iid);
  if (facts !== null) {
    gitlab.deliveries.push({ kind: 'merge_request', facts });
  }
  return true;
}

function noteGreenHeads(gitlab: ModelGitLab): void {
  for (const { iid, sha } of gitlab.mergeRequests.values()) {
    const hasImage = !gitlab.needs.image || gitlab.images.has(`registry.example.com/acme/shop:${sha}`);
    const mayPass = hasImage && (!needsApproval(gitlab, iid) || isApproved(gitlab, iid, sha));
    if (gitlab.pipelines.get(sha) === 'success' && mayPass) {
      gitlab.greenHeads.set(iid, new Set([...(gitlab.greenHeads.get(iid) ?? []), sha]));
    }
  }
}

/** The merge request that a sha was pushed to. */
export function iidOfSha(sha: string): number {
  return Math.floor(Number.parseInt(sha, 16) / 1e15);
}

function shaOf(iid: number, now: number): string {
  return (iid * 1e15 + now).toString(16).padStart(40, '0');
}
