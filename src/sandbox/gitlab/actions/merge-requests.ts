import { ApiError, badRequest, conflict } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { ChangedValue } from '../event.js';
import type { Label, MergeRequest, Project, User } from '../model.js';
import { indexMergeRequest, nextId, touchMergeRequest } from '../state.js';
import { changeState } from './change-state.js';
import { addSystemNote } from './notes.js';
import { runPlannedPipeline } from './pipelines.js';
import { labelOf } from './projects.js';
import { addVersion, baseOf } from './push.js';

export interface NewMergeRequest {
  sourceBranch: string;
  /** Default: the default branch. */
  targetBranch?: string;
  /** Default: the branch's name. */
  title?: string;
  description?: string;
  labels?: string[];
  /** Default: the same project; a fork's branch otherwise. */
  sourceProject?: Project;
  removeSourceBranch?: boolean;
  squash?: boolean;
  assigneeIds?: number[];
  reviewerIds?: number[];
}

const draftPrefix = /^\s*(\[draft\]|\(draft\)|draft:)\s*/i;

export function isDraft(title: string): boolean {
  return draftPrefix.test(title);
}

export function withDraft(title: string, draft: boolean): string {
  const plain = title.replace(draftPrefix, '');
  return draft ? `Draft: ${plain}` : plain;
}

export async function openMergeRequest(
  ctx: GitLabContext,
  project: Project,
  author: User,
  input: NewMergeRequest,
): Promise<MergeRequest> {
  const source = input.sourceProject ?? project;
  const targetBranch = input.targetBranch ?? project.defaultBranch;
  const head = checkNew(ctx, project, source, input.sourceBranch, targetBranch);
  const mergeRequest = emptyMergeRequest(ctx, project, author, { ...input, targetBranch, sourceProject: source });
  mergeRequest.headSha = head;
  project.mergeRequests.set(mergeRequest.iid, mergeRequest);
  indexMergeRequest(ctx.index, mergeRequest);
  for (const title of mergeRequest.labels) labelOf(ctx, project, title);
  await addVersion(ctx, mergeRequest, head);
  ctx.emit({ kind: 'merge_request', project, mergeRequest, user: author, action: 'open', changes: {} });
  const commit = mergeRequest.lastCommit;
  runPlannedPipeline(ctx, { project, user: author, ref: input.sourceBranch, sha: head, commit, mergeRequest });
  return mergeRequest;
}

function checkNew(ctx: GitLabContext, project: Project, source: Project, from: string, to: string): string {
  if (source.id === project.id && from === to) {
    throw new ApiError(422, { message: ["You can't use same project/branch for source and target"] });
  }
  const head = source.branches.get(from);
  if (head === undefined) throw badRequest([`Source branch "${from}" does not exist`]);
  if (!project.branches.has(to)) throw badRequest([`Target branch "${to}" does not exist`]);
  for (const other of ctx.index.openBySource.get(`${source.id}:${from}`) ?? []) {
    if (other.projectId === project.id && other.targetBranch === to) {
      throw conflict([`Another open merge request already exists for this source branch: !${other.iid}`]);
    }
  }
  return head;
}

function emptyMergeRequest(
  ctx: GitLabContext,
  project: Project,
  author: User,
  input: NewMergeRequest & { targetBranch: string; sourceProject: Project },
): MergeRequest {
  const now = ctx.clock();
  project.lastIid += 1;
  return {
    id: nextId(ctx.state, 'merge-request'),
    iid: project.lastIid,
    projectId: project.id,
    sourceProjectId: input.sourceProject.id,
    sourceBranch: input.sourceBranch,
    targetBranch: input.targetBranch,
    title: input.title ?? input.sourceBranch,
    description: input.description ?? '',
    state: 'opened',
    authorId: author.id,
    assigneeIds: input.assigneeIds ?? [],
    reviewerIds: input.reviewerIds ?? [],
    labels: [...new Set(input.labels ?? [])].sort(),
    approvedBy: [],
    removeSourceBranch: input.removeSourceBranch ?? false,
    squash: input.squash ?? false,
    createdAt: now,
    updatedAt: now,
    preparedAt: now,
    lastEditedAt: null,
    lastEditedById: null,
    closedAt: null,
    closedById: null,
    mergedAt: null,
    mergedById: null,
    mergeCommitSha: null,
    headSha: null,
    lastCommit: null,
    versions: [],
    stateEvents: [],
    labelEvents: [],
    notes: new Map(),
    awards: [],
  };
}

/**
 * Reopens one that is closed. Its diff is made anew, as in GitLab: the head that its branch has by now makes a version
 * even when it is the old one.
 */
export async function reopenMergeRequest(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  user: User,
): Promise<void> {
  if (mergeRequest.state !== 'closed') return;
  const source = ctx.state.projects.get(mergeRequest.sourceProjectId ?? -1);
  const head = source?.branches.get(mergeRequest.sourceBranch);
  if (head === undefined) throw badRequest(['Source branch does not exist']);
  await addVersion(ctx, mergeRequest, head);
  changeState(ctx, project, mergeRequest, user, 'reopen');
}

export interface MergeRequestChange {
  title?: string;
  description?: string;
  targetBranch?: string;
  labels?: string[];
  assigneeIds?: number[];
  reviewerIds?: number[];
  removeSourceBranch?: boolean;
  squash?: boolean;
}

/** Makes the changes and sends one webhook with all of them; none when nothing differs. */
export async function updateMergeRequest(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  user: User,
  change: MergeRequestChange,
): Promise<void> {
  const changes: Record<string, ChangedValue> = {};
  changeTitle(ctx, mergeRequest, user, change.title, changes);
  if (change.description !== undefined && change.description !== mergeRequest.description) {
    changes.description = { previous: mergeRequest.description, current: change.description };
    mergeRequest.description = change.description;
  }
  if (change.targetBranch !== undefined && change.targetBranch !== mergeRequest.targetBranch) {
    if (!project.branches.has(change.targetBranch)) {
      throw badRequest([`Target branch "${change.targetBranch}" does not exist`]);
    }
    changes.target_branch = { previous: mergeRequest.targetBranch, current: change.targetBranch };
    mergeRequest.targetBranch = change.targetBranch;
    await rebaseVersion(ctx, project, mergeRequest);
  }
  if (change.labels !== undefined) changeLabels(ctx, project, mergeRequest, user, change.labels, changes);
  if (change.assigneeIds !== undefined) mergeRequest.assigneeIds = change.assigneeIds;
  if (change.reviewerIds !== undefined) mergeRequest.reviewerIds = change.reviewerIds;
  mergeRequest.removeSourceBranch = change.removeSourceBranch ?? mergeRequest.removeSourceBranch;
  mergeRequest.squash = change.squash ?? mergeRequest.squash;
  if (Object.keys(changes).length === 0) return;
  const now = ctx.clock();
  changes.updated_at = { previous: mergeRequest.updatedAt, current: now };
  touchMergeRequest(project, mergeRequest, now);
  ctx.emit({ kind: 'merge_request', project, mergeRequest, user, action: 'update', changes });
}

function changeTitle(
  ctx: GitLabContext,
  mergeRequest: MergeRequest,
  user: User,
  title: string | undefined,
  changes: Record<string, ChangedValue>,
): void {
  if (title === undefined || title === mergeRequest.title) return;
  if (title.trim() === '') throw badRequest({ title: ["can't be blank"] });
  const draft = { previous: isDraft(mergeRequest.title), current: isDraft(title) };
  changes.title = { previous: mergeRequest.title, current: title };
  if (draft.previous !== draft.current) changes.draft = draft;
  addSystemNote(ctx, mergeRequest, user, `changed title from **${mergeRequest.title}** to **${title}**`);
  mergeRequest.title = title;
  mergeRequest.lastEditedAt = ctx.clock();
  mergeRequest.lastEditedById = user.id;
}

function changeLabels(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  user: User,
  titles: string[],
  changes: Record<string, ChangedValue>,
): void {
  const wanted = [...new Set(titles)].sort();
  const old = mergeRequest.labels;
  if (wanted.join('\n') === old.join('\n')) return;
  const labels = (names: string[]): Label[] => names.map((title) => labelOf(ctx, project, title));
  changes.labels = { previous: labels(old), current: labels(wanted) };
  const createdAt = ctx.clock();
  const event = (action: 'add' | 'remove', label: string) => ({
    id: nextId(ctx.state, 'label-event'),
    userId: user.id,
    action,
    label,
    createdAt,
  });
  for (const label of wanted) if (!old.includes(label)) mergeRequest.labelEvents.push(event('add', label));
  for (const label of old) if (!wanted.includes(label)) mergeRequest.labelEvents.push(event('remove', label));
  mergeRequest.labels = wanted;
}

async function rebaseVersion(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest): Promise<void> {
  const newest = mergeRequest.versions.at(-1);
  if (newest === undefined || mergeRequest.headSha === null) return;
  const baseSha = await baseOf(ctx, project, mergeRequest.targetBranch, mergeRequest.headSha);
  mergeRequest.versions.push({ ...newest, id: nextId(ctx.state, 'version'), baseSha, createdAt: ctx.clock() });
}

/** Approves once for each user, and tells it. */
export function approveMergeRequest(
  ctx: GitLabContext,
  project: Project,
  mergeRequest: MergeRequest,
  user: User,
): void {
  if (mergeRequest.approvedBy.includes(user.id)) throw new ApiError(401, { message: '401 Unauthorized' });
  mergeRequest.approvedBy.push(user.id);
  touchMergeRequest(project, mergeRequest, ctx.clock());
  ctx.emit({ kind: 'merge_request', project, mergeRequest, user, action: 'approved', changes: {} });
}
