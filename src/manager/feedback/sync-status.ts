import { type PostedStatus, wantedStatus } from './commit-status.js';
import type { Projection, ProjectionStore } from './projection.js';
import type { MergeRequestKey } from './sync-note.js';
import type { FeedbackView } from './view.js';

interface StatusGitLab {
  /** The newest CI pipeline of exactly that sha; null: there is none. */
  newestPipeline: (input: {
    projectId: number;
    sha: string;
    signal: AbortSignal;
  }) => Promise<{ id: number; ref: string } | null>;
  postCommitStatus: (status: {
    projectId: number;
    sha: string;
    state: 'running' | 'success' | 'failed';
    name: string;
    description: string;
    targetUrl: string | null;
    ref: string;
    pipelineId: number | null;
    signal: AbortSignal;
  }) => Promise<void>;
}

export interface StatusDeps {
  gitlab: StatusGitLab;
  store: ProjectionStore & {
    /** Whether another merge request of the project posted under that name for that sha. */
    isNameTaken: (input: { projectId: number; iid: number; sha: string; name: string }) => Promise<boolean>;
  };
}

export interface StatusSettings {
  /** Such as `mayfly/preview`. */
  name: string;
  /** A merge may wait for it. */
  blocking: boolean;
}

/**
 * Brings the commit status up to date. Without a CI pipeline nothing is posted, because the status would become one,
 * unless it is meant to block. A sha that two previews share has a status of each: the second one's has its slug.
 * Answers false when somebody else wrote at the same time. Errors: GitLab's.
 */
export async function syncStatus(
  deps: StatusDeps,
  input: MergeRequestKey & { state: { view: FeedbackView; status: Projection }; settings: StatusSettings },
): Promise<boolean> {
  const { projectId, iid, signal, state, settings } = input;
  const posted = postedOf(state.status);
  const wanted = wantedStatus(state.view, settings.blocking, posted);
  if (wanted === null) return true;
  const name = await nameFor(deps, input, wanted.sha, posted);
  const hash = JSON.stringify([wanted.sha, wanted.state, name, wanted.description, wanted.targetUrl]);
  if (state.status.writtenHash === hash) return true;
  const pipeline = await deps.gitlab.newestPipeline({ projectId, sha: wanted.sha, signal });
  if (pipeline === null && !settings.blocking) return true;
  const ref = pipeline?.ref ?? refOf(state.view, iid);
  await deps.gitlab.postCommitStatus({ projectId, ...wanted, name, ref, pipelineId: pipeline?.id ?? null, signal });
  return deps.store.saveWritten({
    kind: 'status',
    projectId,
    iid,
    previousHash: state.status.writtenHash,
    hash,
    externalId: null,
    detail: { sha: wanted.sha, state: wanted.state, name },
  });
}

/** A name once given to a sha stays, so that what was posted under it is what is brought up to date. */
async function nameFor(
  deps: StatusDeps,
  input: MergeRequestKey & { state: { view: FeedbackView }; settings: StatusSettings },
  sha: string,
  posted: PostedStatus | null,
): Promise<string> {
  if (posted !== null && posted.sha === sha) return posted.name;
  const { projectId, iid, settings } = input;
  const isTaken = await deps.store.isNameTaken({ projectId, iid, sha, name: settings.name });
  return isTaken ? `${settings.name} (${input.state.view.preview.slug})` : settings.name;
}

/** GitLab wants a ref that holds the commit: of a fork's the target project has only the merge request's. */
function refOf({ facts }: FeedbackView, iid: number): string {
  const isFork = facts === null || facts.sourceProjectId !== facts.projectId;
  return isFork ? `refs/merge-requests/${iid}/head` : facts.sourceBranch;
}

function postedOf(projection: Projection): PostedStatus | null {
  const { sha, state, name } = projection.detail ?? {};
  if (typeof sha !== 'string' || typeof state !== 'string' || typeof name !== 'string') return null;
  return { sha, state, name };
}
