import type { GitLabContext } from '../context.js';
import type { MergeRequest, Project, User } from '../model.js';
import { indexMergeRequest, nextId, touchMergeRequest } from '../state.js';

/** Marks it merged and tells everyone; the target branch has moved already. */
export function markMerged(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  user: User,
  mergeCommitSha: string | null,
): void {
  const now = ctx.clock();
  const previous = mergeRequest.updatedAt;
  mergeRequest.state = 'merged';
  mergeRequest.mergedAt = now;
  mergeRequest.mergedById = user.id;
  mergeRequest.mergeCommitSha = mergeCommitSha;
  mergeRequest.stateEvents.push({
    id: nextId(ctx.state, 'state-event'),
    userId: user.id,
    state: 'merged',
    createdAt: now,
  });
  indexMergeRequest(ctx.index, mergeRequest);
  touchMergeRequest(project, mergeRequest, now);
  ctx.emit({
    kind: 'merge_request',
    project,
    mergeRequest,
    user,
    action: 'merge',
    changes: {
      state_id: { previous: 1, current: 3 },
      updated_at: { previous, current: now },
    },
  });
}

/** GitLab calls a merge request merged when a push brings its head into the target branch. */
export async function absorbMergedByPush(
  ctx: GitLabContext,
  project: Project,
  user: User,
  branch: string,
  before: string | null,
  after: string,
): Promise<void> {
  // A merge through the API marks its own; without content there is nothing to compare.
  if (!project.git) return;
  const open = [...project.mergeRequests.values()].filter(
    (mergeRequest) => mergeRequest.state === 'opened' && mergeRequest.targetBranch === branch,
  );
  if (open.length === 0) return;
  const brought = new Set((await ctx.repository(project).between(before, after, 1_000)).map(({ id }) => id));
  for (const mergeRequest of open) {
    const head = mergeRequest.headSha;
    if (head !== null && brought.has(head)) markMerged(ctx, project, mergeRequest, user, after);
  }
}
