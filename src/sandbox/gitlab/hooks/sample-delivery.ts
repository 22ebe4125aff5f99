import type { GitLabContext } from '../context.js';
import { type GitLabEvent, zeroSha } from '../event.js';
import type { Project, User } from '../model.js';
import { eventPayload } from './event-payload.js';

/** What `POST …/hooks/:id/test/:trigger` sends: the newest thing of that kind. null: no such trigger. */
export async function sampleDelivery(
  ctx: GitLabContext,
  project: Project,
  user: User,
  trigger: string,
): Promise<{ header: string; payload: unknown } | 'nothing' | null> {
  const makers: Partial<Record<string, () => GitLabEvent | null | Promise<GitLabEvent | null>>> = {
    push_events: () => samplePush(ctx, project, user),
    merge_requests_events: () => sampleMergeRequest(project, user),
    note_events: () => sampleNote(project, user),
    pipeline_events: () => samplePipeline(project),
  };
  const make = makers[trigger];
  if (make === undefined) return null;
  const event = await make();
  return (event === null ? null : eventPayload(ctx, event)) ?? 'nothing';
}

async function samplePush(ctx: GitLabContext, project: Project, user: User): Promise<GitLabEvent | null> {
  const branch = project.defaultBranch;
  const after = project.branches.get(branch);
  const commit = after === undefined ? null : await ctx.repository(project).commit(after);
  if (after === undefined || commit === null) return null;
  const commits = [{ commit, added: [], modified: [], removed: [] }];
  const before = commit.parents[0] ?? zeroSha;
  return { kind: 'push', project, user, branch, before, after, commits, commitCount: 1 };
}

function sampleMergeRequest(project: Project, user: User): GitLabEvent | null {
  const mergeRequest = [...project.mergeRequests.values()].at(-1);
  if (mergeRequest === undefined) return null;
  return { kind: 'merge_request', project, mergeRequest, user, action: 'open', changes: {} };
}

function sampleNote(project: Project, user: User): GitLabEvent | null {
  for (const mergeRequest of [...project.mergeRequests.values()].reverse()) {
    const note = [...mergeRequest.notes.values()].findLast(({ system }) => !system);
    if (note !== undefined) return { kind: 'note', project, mergeRequest, note, user, action: 'create' };
  }
  return null;
}

function samplePipeline(project: Project): GitLabEvent | null {
  const pipeline = [...project.pipelines.values()].at(-1);
  return pipeline === undefined ? null : { kind: 'pipeline', project, pipeline };
}
