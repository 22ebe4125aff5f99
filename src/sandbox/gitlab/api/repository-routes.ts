import { developer, requireLevel } from '../actions/access.js';
import { createBranch, deleteBranch } from '../actions/merge.js';
import { commitFiles, type NewCommit } from '../actions/push.js';
import { branchAnswer, commitAnswer } from '../answers/project-answer.js';
import { ApiError, badParameter, badRequest, notFound } from '../api-error.js';
import type { Project } from '../model.js';
import type { FileAction } from '../repository/repository.js';
import { type Api, created, gone, listed, ok, projectOfCall } from './api.js';
import { type Call, flag, integer, optional, param, required } from './call.js';

/** Branches and commits. */
export function repositoryRoutes(api: Api): void {
  branchRoutes(api);
  commitRoutes(api);
  compareRoutes(api);
}

function branchRoutes({ ctx, on }: Api): void {
  const write = async (project: Project, name: string) => {
    const commit = await ctx.repository(project).commit(project.branches.get(name) ?? '');
    return branchAnswer(ctx, project, name, commit);
  };
  const find = (project: Project, call: Call): string => {
    const name = param(call, 'branch');
    if (!project.branches.has(name)) throw notFound('Branch');
    return name;
  };
  on('get', '/projects/:id/repository/branches', async (call) => {
    const project = projectOfCall(ctx, call);
    const { search } = call.query;
    const names = [...project.branches.keys()].filter((name) => search === undefined || name.includes(search)).sort();
    const page = listed(ctx, call, names, (name) => name);
    const body = await Promise.all((page.body as string[]).map((name) => write(project, name)));
    return { ...page, body };
  });
  on('get', '/projects/:id/repository/branches/:branch', async (call) => {
    const project = projectOfCall(ctx, call);
    return ok(await write(project, find(project, call)));
  });
  on('post', '/projects/:id/repository/branches', async (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const { branch, ref } = required(call, 'branch', 'ref');
    if (project.branches.has(branch)) throw badRequest('Branch already exists');
    if ((await createBranch(ctx, project, call.user, branch, ref)) === null)
      throw badRequest(`Invalid reference name: ${ref}`);
    return created(await write(project, branch));
  });
  on('delete', '/projects/:id/repository/branches/:branch', async (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const name = find(project, call);
    if (name === project.defaultBranch) throw badRequest('Cannot remove HEAD branch');
    await deleteBranch(ctx, project, call.user, name);
    return gone;
  });
}

function commitRoutes({ ctx, on }: Api): void {
  on('get', '/projects/:id/repository/commits', async (call) => {
    const project = projectOfCall(ctx, call);
    const repository = ctx.repository(project);
    const name = optional(call, 'ref_name') ?? project.defaultBranch;
    const sha = project.branches.get(name) ?? (await repository.resolve(name));
    if (sha === null) throw notFound('Commit');
    const wanted = (integer(call, 'page') ?? 1) * Math.min(100, integer(call, 'per_page') ?? 20) + 1;
    const commits = await repository.log(sha, wanted, optional(call, 'path'));
    return listed(ctx, call, commits, (commit) => commitAnswer(ctx, project, commit));
  });
  on('get', '/projects/:id/repository/commits/:sha', async (call) => {
    const project = projectOfCall(ctx, call);
    const repository = ctx.repository(project);
    const sha = project.branches.get(param(call, 'sha')) ?? (await repository.resolve(param(call, 'sha')));
    const commit = sha === null ? null : await repository.commit(sha);
    if (commit === null) throw notFound('Commit');
    const status = ctx.index.pipelinesBySha.get(`${project.id}:${commit.id}`)?.at(-1)?.status ?? null;
    return ok({ ...commitAnswer(ctx, project, commit), status });
  });
  on('post', '/projects/:id/repository/commits', async (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const { branch, commit_message } = required(call, 'branch', 'commit_message');
    const input: NewCommit = { branch, message: commit_message, actions: actionsOf(call) };
    const start = optional(call, 'start_branch') ?? optional(call, 'start_sha');
    if (start !== undefined && project.branches.has(branch) && flag(call, 'force') !== true) {
      throw badRequest(`A branch called '${branch}' already exists. Switch to that branch in order to make changes`);
    }
    if (start === undefined && !project.branches.has(branch) && project.branches.size > 0) {
      throw badRequest('You can only create or edit files when you are on a branch');
    }
    const name = optional(call, 'author_name');
    const email = optional(call, 'author_email');
    const commit = await commitFiles(ctx, project, call.user, {
      ...input,
      ...(start === undefined ? {} : { start }),
      ...(name === undefined || email === undefined ? {} : { author: { name, email } }),
    });
    return created({
      ...commitAnswer(ctx, project, commit),
      stats: { additions: 0, deletions: 0, total: 0 },
      status: null,
    });
  });
}

const kinds = ['create', 'update', 'delete', 'move', 'chmod'] as const;

function actionsOf(call: Call): FileAction[] {
  const { actions } = call.body;
  if (!Array.isArray(actions)) throw badParameter('actions is missing');
  return actions.map((raw: unknown): FileAction => {
    const entry = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
    const action = kinds.find((kind) => kind === entry.action);
    if (action === undefined) throw badParameter('actions[action] does not have a valid value');
    if (typeof entry.file_path !== 'string') throw badParameter('actions[file_path] is missing');
    const { content, previous_path, execute_filemode } = entry;
    return {
      action,
      path: entry.file_path,
      ...(typeof content === 'string'
        ? { content: entry.encoding === 'base64' ? Buffer.from(content, 'base64') : content }
        : {}),
      ...(typeof previous_path === 'string' ? { previousPath: previous_path } : {}),
      ...(typeof execute_filemode === 'boolean' ? { executable: execute_filemode } : {}),
    };
  });
}

function compareRoutes({ ctx, on }: Api): void {
  on('get', '/projects/:id/repository/compare', async (call) => {
    const project = projectOfCall(ctx, call);
    const repository = ctx.repository(project);
    const { from, to } = required(call, 'from', 'to');
    const [a, b] = await Promise.all([repository.resolve(from), repository.resolve(to)]);
    if (a === null || b === null) throw notFound('Ref');
    const commits = (await repository.between(a, b, 1_000)).map((commit) => commitAnswer(ctx, project, commit));
    const same = a === b;
    return ok({
      commit: commits[0] ?? null,
      commits: commits.reverse(),
      diffs: [],
      compare_timeout: false,
      compare_same_ref: same,
    });
  });
  on('get', '/projects/:id/repository/merge_base', async (call) => {
    const project = projectOfCall(ctx, call);
    const refs = new URLSearchParams(call.rawQuery).getAll('refs[]');
    const repository = ctx.repository(project);
    const shas = await Promise.all(refs.map((ref) => repository.resolve(ref)));
    const [a, b] = shas;
    if (!a || !b) throw new ApiError(400, { message: 'refs are invalid' });
    const base = await repository.commit((await repository.mergeBase(a, b)) ?? '');
    if (base === null) throw notFound('Merge Base');
    return ok(commitAnswer(ctx, project, base));
  });
}
