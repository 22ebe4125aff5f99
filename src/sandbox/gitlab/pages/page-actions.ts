import { accessLevel, canRead, developer } from '../actions/access.js';
import { changeState } from '../actions/change-state.js';
import { mergeMergeRequest } from '../actions/merge.js';
import {
  isDraft,
  openMergeRequest,
  reopenMergeRequest,
  updateMergeRequest,
  withDraft,
} from '../actions/merge-requests.js';
import { createNote } from '../actions/notes.js';
import { commitFiles, lockOf } from '../actions/push.js';
import { badRequest, forbidden } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { MergeRequest, Project, User } from '../model.js';

export interface Form {
  ctx: GitLabContext;
  user: User;
  project: Project;
  /** A field of the form; empty when it is not there. */
  field: (name: string) => string;
}

/** Browsers send line ends as CRLF; files and comments keep the plain ones. */
function text(form: Form, name: string): string {
  return form.field(name).replace(/\r\n/g, '\n');
}

function requireWriter({ project, user }: Form): void {
  if (accessLevel(project, user) < developer) throw forbidden();
}

/** Opens a merge request from the page: a branch with one commit that changes one file. */
export async function openFromPage(form: Form): Promise<MergeRequest> {
  requireWriter(form);
  const { ctx, project, user } = form;
  const branch = form.field('branch').trim();
  if (!/^[\w][\w./-]*$/.test(branch)) throw badRequest('The branch needs a name of letters, digits and . _ / -');
  if (form.field('path') !== '' || !project.branches.has(branch)) await pushFromPage(form, branch);
  const title = form.field('title').trim() || branch;
  const description = text(form, 'description');
  return await ctx.exclusive(lockOf(project), () =>
    openMergeRequest(ctx, project, user, { sourceBranch: branch, title, description, removeSourceBranch: true }),
  );
}

async function pushFromPage(form: Form, branch: string): Promise<void> {
  const path = form.field('new_path').trim() || form.field('path');
  if (path === '' && form.project.git) throw badRequest('Choose a file, or name a new one');
  await commitFiles(form.ctx, form.project, form.user, {
    branch,
    message: form.field('message').trim() || `Update ${path}`,
    actions: path === '' ? [] : [{ action: 'put', path, content: text(form, 'content') }],
  });
}

type Act = (form: Form, mergeRequest: MergeRequest) => Promise<void> | void;

/** What the buttons of a merge request's page do, by the last part of the address. */
export const mergeRequestActions: Record<string, Act> = {
  comment: (form, mergeRequest) => {
    if (!canRead(form.project, form.user)) throw forbidden();
    createNote(form.ctx, form.project, mergeRequest, form.user, { body: text(form, 'body') });
  },
  push: async (form, mergeRequest) => {
    requireWriter(form);
    await pushFromPage(form, mergeRequest.sourceBranch);
  },
  close: (form, mergeRequest) => {
    requireWriter(form);
    changeState(form.ctx, form.project, mergeRequest, form.user, 'close');
  },
  reopen: async (form, mergeRequest) => {
    requireWriter(form);
    await reopenMergeRequest(form.ctx, form.project, mergeRequest, form.user);
  },
  merge: async (form, mergeRequest) => {
    requireWriter(form);
    await mergeMergeRequest(form.ctx, form.project, mergeRequest, form.user);
  },
  draft: async (form, mergeRequest) => {
    requireWriter(form);
    const title = withDraft(mergeRequest.title, !isDraft(mergeRequest.title));
    await updateMergeRequest(form.ctx, form.project, mergeRequest, form.user, { title });
  },
  labels: async (form, mergeRequest) => {
    requireWriter(form);
    const labels = form
      .field('labels')
      .split(',')
      .map((label) => label.trim())
      .filter((label) => label !== '');
    await updateMergeRequest(form.ctx, form.project, mergeRequest, form.user, { labels });
  },
};
