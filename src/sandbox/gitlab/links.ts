import type { GitLabContext } from './context.js';
import type { MergeRequest, Note, Pipeline, Project, User } from './model.js';

/** Every address that answers and webhooks name. */
export function projectUrl(ctx: GitLabContext, project: Project): string {
  return `${ctx.publicUrl()}/${project.path}`;
}

export function cloneUrl(ctx: GitLabContext, project: Project): string {
  return `${ctx.gitUrl()}/${project.path}.git`;
}

export function sshUrl(ctx: GitLabContext, project: Project): string {
  return `git@${new URL(ctx.publicUrl()).hostname}:${project.path}.git`;
}

export function userUrl(ctx: GitLabContext, user: User): string {
  return `${ctx.publicUrl()}/${user.username}`;
}

export function avatarUrl(ctx: GitLabContext, user: User): string {
  return `${ctx.publicUrl()}/uploads/-/system/user/avatar/${user.id}/avatar.png`;
}

export function mergeRequestUrl(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest): string {
  return `${projectUrl(ctx, project)}/-/merge_requests/${mergeRequest.iid}`;
}

export function noteUrl(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest, note: Note): string {
  return `${mergeRequestUrl(ctx, project, mergeRequest)}#note_${note.id}`;
}

export function commitUrl(ctx: GitLabContext, project: Project, sha: string): string {
  return `${projectUrl(ctx, project)}/-/commit/${sha}`;
}

export function pipelineUrl(ctx: GitLabContext, project: Project, pipeline: Pipeline): string {
  return `${projectUrl(ctx, project)}/-/pipelines/${pipeline.id}`;
}

export function jobUrl(ctx: GitLabContext, project: Project, jobId: number): string {
  return `${projectUrl(ctx, project)}/-/jobs/${jobId}`;
}
