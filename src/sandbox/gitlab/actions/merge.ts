import { ApiError, conflict } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { MergeRequest, Project, User } from '../model.js';
import { RepositoryError } from '../repository/repository.js';
import { projectOf } from './access.js';
import { markMerged } from './finish-merge.js';
import { isDraft } from './merge-requests.js';
import { authorOf, lockOf, recordPush } from './push.js';

export interface MergeOptions {
  /** Must still be the head. */
  sha?: string;
  message?: string;
  removeSourceBranch?: boolean;
}

/** Merges with a merge commit, as GitLab's button does. */
export async function mergeMergeRequest(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  user: User,
  options: MergeOptions = {},
): Promise<void> {
  await ctx.exclusive(lockOf(project), async () => {
    const head = mergeRequest.headSha;
    const target = project.branches.get(mergeRequest.targetBranch);
    if (mergeRequest.state !== 'opened' || isDraft(mergeRequest.title) || head === null || target === undefined) {
      throw new ApiError(405, { message: '405 Method Not Allowed' });
    }
    if (options.sha !== undefined && options.sha !== head) {
      throw conflict(`SHA does not match HEAD of source branch: ${head}`);
    }
    const ref = `Merge branch '${mergeRequest.sourceBranch}' into '${mergeRequest.targetBranch}'`;
    const message =
      options.message ?? `${ref}\n\n${mergeRequest.title}\n\nSee merge request ${project.path}!${mergeRequest.iid}`;
    const merged = await writeMerge(ctx, project, user, target, head, message);
    const branchRef = `refs/heads/${mergeRequest.targetBranch}`;
    await ctx.repository(project).moveRefs([{ ref: branchRef, before: target, after: merged }]);
    markMerged(ctx, project, mergeRequest, user, merged);
    await recordPush(ctx, { project, user, branch: mergeRequest.targetBranch, before: target, after: merged });
  });
  if (options.removeSourceBranch ?? mergeRequest.removeSourceBranch) await removeSource(ctx, mergeRequest, user);
}

async function writeMerge(
  ctx: GitLabContext,
  project: Project,
  user: User,
  into: string,
  from: string,
  message: string,
): Promise<string> {
  try {
    const author = authorOf(ctx, user);
    return (await ctx.repository(project).writeMerge({ into, from, message, author })).id;
  } catch (error) {
    if (error instanceof RepositoryError && error.reason === 'conflict') {
      throw new ApiError(422, { message: 'Branch cannot be merged' });
    }
    throw error;
  }
}

async function removeSource(ctx: GitLabContext, mergeRequest: MergeRequest, user: User): Promise<void> {
  if (mergeRequest.sourceProjectId === null) return;
  const source = projectOf(ctx, mergeRequest.sourceProjectId);
  if (mergeRequest.sourceBranch === source.defaultBranch) return;
  await deleteBranch(ctx, source, user, mergeRequest.sourceBranch);
}

/** Deletes a branch, which closes the merge requests from it. */
export async function deleteBranch(ctx: GitLabContext, project: Project, user: User, branch: string): Promise<void> {
  await ctx.exclusive(lockOf(project), async () => {
    const before = project.branches.get(branch);
    if (before === undefined) return;
    await ctx.repository(project).moveRefs([{ ref: `refs/heads/${branch}`, before, after: null }]);
    await recordPush(ctx, { project, user, branch, before, after: null });
  });
}

/** Creates a branch at a commit, a branch or a tag; null when there is no such thing. */
export async function createBranch(
  ctx: GitLabContext,
  project: Project,
  user: User,
  branch: string,
  start: string,
): Promise<string | null> {
  return await ctx.exclusive(lockOf(project), async () => {
    const sha = project.branches.get(start) ?? (await ctx.repository(project).resolve(start));
    if (sha === null) return null;
    await ctx.repository(project).moveRefs([{ ref: `refs/heads/${branch}`, before: null, after: sha }]);
    await recordPush(ctx, { project, user, branch, before: null, after: sha });
    return sha;
  });
}
