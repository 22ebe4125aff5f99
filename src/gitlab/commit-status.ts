import { Commits } from '@gitbeaker/rest';
import { isAppError } from '../error/app-error.js';
import type { GitLab } from './client.js';

export interface CommitStatus {
  projectId: number;
  sha: string;
  state: 'running' | 'success' | 'failed';
  /** Such as `mayfly/preview`. */
  name: string;
  /** At most 255 characters. */
  description: string;
  /** Where its link leads; null: nowhere. */
  targetUrl: string | null;
  /** Branch or merge request ref that the pipeline ran for. */
  ref: string;
  /** The pipeline that it joins; null: GitLab makes one of source `external`. */
  pipelineId: number | null;
  signal?: AbortSignal;
}

/**
 * Posts a commit status. One that has this state already is fine. Posting the same twice leaves one status, so a
 * caller may simply repeat after `gitlab-unclear` and `gitlab-conflict`.
 */
export async function postCommitStatus(gitlab: GitLab, status: CommitStatus): Promise<void> {
  const resource = new Commits(gitlab.at('status.post', status.signal));
  try {
    await resource.editStatus(status.projectId, status.sha, status.state, {
      name: status.name,
      description: status.description.slice(0, 255),
      ref: status.ref,
      ...(status.targetUrl === null ? {} : { targetUrl: status.targetUrl }),
      ...(status.pipelineId === null ? {} : { pipelineId: status.pipelineId }),
    });
  } catch (error) {
    if (isAppError(error, 'gitlab-invalid') && isSameState(error.data.detail)) return;
    throw error;
  }
}

/** GitLab has no code for it: its state machine names the transition, such as `:run from :running`. */
function isSameState(detail: unknown): boolean {
  return typeof detail === 'string' && detail.includes('Cannot transition status via');
}
