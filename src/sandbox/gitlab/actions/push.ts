import { badRequest } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import { type PushedCommit, zeroSha } from '../event.js';
import type { CommitRecord, MergeRequest, Project, User } from '../model.js';
import type { Author, FileAction } from '../repository/repository.js';
import { nextId, touchMergeRequest } from '../state.js';
import { projectOf } from './access.js';
import { changeState } from './change-state.js';
import { absorbMergedByPush } from './finish-merge.js';
import { addSystemNote } from './notes.js';
import { runPlannedPipeline } from './pipelines.js';

const longestCommitList = 20;

export function lockOf(project: Project): string {
  return `project:${project.id}`;
}

export function authorOf(ctx: GitLabContext, user: User): Author {
  return { name: user.name, email: user.email, at: ctx.clock() };
}

export interface NewCommit {
  branch: string;
  message: string;
  actions: FileAction[];
  /** Where the branch starts when it is new; default: the default branch. */
  start?: string;
  author?: { name: string; email: string };
}

/** Commits to a branch and does all that a push does: merge requests, pipelines, webhooks. */
export async function commitFiles(
  ctx: GitLabContext,
  project: Project,
  user: User,
  input: NewCommit,
): Promise<CommitRecord> {
  return await ctx.exclusive(lockOf(project), async () => {
    const repository = ctx.repository(project);
    const before = project.branches.get(input.branch) ?? null;
    const start = input.start ?? (before === null ? project.defaultBranch : input.branch);
    const parent = start === input.branch ? before : await repository.resolve(start);
    if (parent === null && project.branches.size > 0) {
      throw badRequest('You can only create or edit files when you are on a branch');
    }
    const author = { ...authorOf(ctx, user), ...input.author };
    const record = await repository.writeCommit({
      parents: parent === null ? [] : [parent],
      actions: input.actions,
      message: input.message,
      author,
    });
    await repository.moveRefs([{ ref: `refs/heads/${input.branch}`, before, after: record.id }]);
    await recordPush(ctx, { project, user, branch: input.branch, before, after: record.id });
    return record;
  });
}

export interface Push {
  project: Project;
  user: User;
  branch: string;
  /** null: the branch is new. */
  before: string | null;
  /** null: the branch is gone. */
  after: string | null;
}

/** What follows once a ref has moved, whoever moved it. Call it while the project is held. */
export async function recordPush(ctx: GitLabContext, push: Push): Promise<void> {
  const { project, user, branch, before, after } = push;
  if (after === null) project.branches.delete(branch);
  else project.branches.set(branch, after);
  project.lastActivityAt = ctx.clock();
  const commits = after === null ? [] : await newCommits(ctx, push, after);
  const listed = commits.slice(0, longestCommitList).reverse();
  ctx.emit({
    kind: 'push',
    project,
    user,
    branch,
    before: before ?? zeroSha,
    after: after ?? zeroSha,
    commits: await describeCommits(ctx, project, listed),
    commitCount: commits.length,
  });
  if (after === null) {
    closeWithoutBranch(ctx, project, branch, user);
    return;
  }
  for (const mergeRequest of ctx.index.openBySource.get(`${project.id}:${branch}`) ?? []) {
    await moveHead(ctx, mergeRequest, user, after, commits);
  }
  await absorbMergedByPush(ctx, project, user, branch, before, after);
  const commit = commits[0] ?? (await ctx.repository(project).commit(after));
  runPlannedPipeline(ctx, { project, user, ref: branch, sha: after, commit });
}

/** GitLab closes what is open when its source branch goes. */
function closeWithoutBranch(ctx: GitLabContext, project: Project, branch: string, user: User): void {
  for (const mergeRequest of [...(ctx.index.openBySource.get(`${project.id}:${branch}`) ?? [])]) {
    changeState(ctx, projectOf(ctx, mergeRequest.projectId), mergeRequest, user, 'close');
  }
}

async function newCommits(ctx: GitLabContext, push: Push, after: string): Promise<CommitRecord[]> {
  const { project, branch, before } = push;
  const base =
    before ?? (branch === project.defaultBranch ? null : (project.branches.get(project.defaultBranch) ?? null));
  return await ctx.repository(project).between(base, after, 1_000);
}

async function describeCommits(ctx: GitLabContext, project: Project, commits: CommitRecord[]): Promise<PushedCommit[]> {
  if (!ctx.hears(project, 'push_events')) return [];
  const changed = await ctx.repository(project).changedPaths(commits);
  return commits.map((commit, at) => ({ commit, added: [], modified: [], removed: [], ...changed[at] }));
}

/** The branch point that a merge request is compared with. */
export async function baseOf(ctx: GitLabContext, target: Project, branch: string, head: string): Promise<string> {
  const start = target.branches.get(branch);
  if (start === undefined) return head;
  return (await ctx.repository(target).mergeBase(start, head)) ?? start;
}

/** Brings the head into the target project, where `refs/merge-requests/<iid>/head` keeps it. */
async function keepHead(ctx: GitLabContext, mergeRequest: MergeRequest, head: string): Promise<void> {
  const target = projectOf(ctx, mergeRequest.projectId);
  if (mergeRequest.sourceProjectId !== null && mergeRequest.sourceProjectId !== target.id) {
    const source = projectOf(ctx, mergeRequest.sourceProjectId);
    await ctx.repository(target).fetchFrom(ctx.repository(source), head);
  }
  const ref = `refs/merge-requests/${mergeRequest.iid}/head`;
  await ctx.repository(target).moveRefs([{ ref, after: head }]);
}

/** Adds the version that the new head makes; gives what it replaced. */
export async function addVersion(ctx: GitLabContext, mergeRequest: MergeRequest, head: string): Promise<void> {
  const target = projectOf(ctx, mergeRequest.projectId);
  await keepHead(ctx, mergeRequest, head);
  const baseSha = await baseOf(ctx, target, mergeRequest.targetBranch, head);
  const commit = await ctx.repository(target).commit(head);
  mergeRequest.headSha = head;
  mergeRequest.lastCommit = commit;
  mergeRequest.versions.push({
    id: nextId(ctx.state, 'version'),
    headSha: head,
    baseSha,
    startSha: target.branches.get(mergeRequest.targetBranch) ?? baseSha,
    createdAt: ctx.clock(),
  });
}

async function moveHead(
  ctx: GitLabContext,
  mergeRequest: MergeRequest,
  user: User,
  head: string,
  commits: CommitRecord[],
): Promise<void> {
  const oldSha = mergeRequest.headSha;
  if (oldSha === head) return;
  const target = projectOf(ctx, mergeRequest.projectId);
  const previous = mergeRequest.updatedAt;
  await addVersion(ctx, mergeRequest, head);
  touchMergeRequest(target, mergeRequest, ctx.clock());
  mergeRequest.approvedBy = [];
  const lines = commits.slice(0, 10).map(({ id, message }) => `<li>${id.slice(0, 8)} - ${message.split('\n')[0]}</li>`);
  addSystemNote(
    ctx,
    mergeRequest,
    user,
    `added ${commits.length} commit${commits.length === 1 ? '' : 's'}\n\n<ul>${lines.join('')}</ul>`,
  );
  ctx.emit({
    kind: 'merge_request',
    project: target,
    mergeRequest,
    user,
    action: 'update',
    ...(oldSha === null ? {} : { oldSha }),
    changes: { updated_at: { previous, current: mergeRequest.updatedAt } },
  });
}
