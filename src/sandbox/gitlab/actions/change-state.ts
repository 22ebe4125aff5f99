import type { GitLabContext } from '../context.js';
import type { MergeRequest, Project, User } from '../model.js';
import { indexMergeRequest, nextId, touchMergeRequest } from '../state.js';

/** Closes or reopens; what is in that state already stays as it is. */
export function changeState(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  user: User,
  event: 'close' | 'reopen',
): void {
  const [from, to] = event === 'close' ? (['opened', 'closed'] as const) : (['closed', 'opened'] as const);
  if (mergeRequest.state !== from) return;
  const now = ctx.clock();
  const previous = mergeRequest.updatedAt;
  mergeRequest.state = to;
  mergeRequest.closedAt = event === 'close' ? now : null;
  mergeRequest.closedById = event === 'close' ? user.id : null;
  const state = event === 'close' ? 'closed' : 'reopened';
  mergeRequest.stateEvents.push({ id: nextId(ctx.state, 'state-event'), userId: user.id, state, createdAt: now });
  indexMergeRequest(ctx.index, mergeRequest);
  touchMergeRequest(project, mergeRequest, now);
  const stateIds = event === 'close' ? { previous: 1, current: 2 } : { previous: 2, current: 1 };
  const changes = { state_id: stateIds, updated_at: { previous, current: now } };
  ctx.emit({ kind: 'merge_request', project, mergeRequest, user, action: event, changes });
}
