import { createHash } from 'node:crypto';
import { developer, requireLevel } from '../actions/access.js';
import { commitFiles } from '../actions/push.js';
import { badRequest, notFound } from '../api-error.js';
import type { Project } from '../model.js';
import { type FileAction, RepositoryError } from '../repository/repository.js';
import { type Api, created, gone, listed, ok, projectOfCall } from './api.js';
import { type Call, flag, optional, param, required } from './call.js';

/** Files and folders of a repository, one commit for each change. */
export function fileRoutes(api: Api): void {
  readRoutes(api);
  writeRoutes(api);
}

function readRoutes({ ctx, on }: Api): void {
  const resolve = async (project: Project, ref: string): Promise<string> => {
    const name = ref === 'HEAD' ? project.defaultBranch : ref;
    const sha = project.branches.get(name) ?? (await ctx.repository(project).resolve(name));
    if (sha === null) throw notFound('Commit');
    return sha;
  };
  const read = async (call: Call) => {
    const project = projectOfCall(ctx, call);
    const ref = optional(call, 'ref') ?? 'HEAD';
    const sha = await resolve(project, ref);
    const path = param(call, 'path');
    const file = await ctx.repository(project).file(sha, path);
    if (file === null) throw notFound('File');
    return { ...file, path, ref, sha };
  };
  on('get', '/projects/:id/repository/tree', async (call) => {
    const project = projectOfCall(ctx, call);
    const sha = await resolve(project, optional(call, 'ref') ?? 'HEAD');
    const path = optional(call, 'path') ?? '';
    const entries = await ctx.repository(project).tree(sha, path, flag(call, 'recursive') ?? false);
    if (entries === null) throw notFound('invalid revision or path');
    return listed(ctx, call, entries, (entry) => entry);
  });
  on('get', '/projects/:id/repository/files/:path', async (call) => {
    const { id, content, executable, path, ref, sha } = await read(call);
    return ok({
      file_name: path.slice(path.lastIndexOf('/') + 1),
      file_path: path,
      size: content.length,
      encoding: 'base64',
      content: Buffer.from(content).toString('base64'),
      content_sha256: createHash('sha256').update(content).digest('hex'),
      ref,
      blob_id: id,
      commit_id: sha,
      last_commit_id: sha,
      execute_filemode: executable,
    });
  });
  on('get', '/projects/:id/repository/files/:path/raw', async (call) => {
    const { content } = await read(call);
    return { status: 200, body: Buffer.from(content), headers: { 'content-type': 'text/plain; charset=utf-8' } };
  });
}

function writeRoutes({ ctx, on }: Api): void {
  const change = async (call: Call, action: 'create' | 'update' | 'delete') => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const path = param(call, 'path');
    const needed = action === 'delete' ? ['branch', 'commit_message'] : ['branch', 'commit_message', 'content'];
    const { branch, commit_message, content } = required(call, ...needed);
    const bytes = optional(call, 'encoding') === 'base64' ? Buffer.from(content ?? '', 'base64') : (content ?? '');
    const one: FileAction = action === 'delete' ? { action, path } : { action, path, content: bytes };
    const start = optional(call, 'start_branch');
    try {
      await commitFiles(ctx, project, call.user, {
        branch: branch ?? '',
        message: commit_message ?? '',
        actions: [one],
        ...(start === undefined ? {} : { start }),
      });
    } catch (error) {
      if (error instanceof RepositoryError && error.reason !== 'moved') throw badRequest(error.message);
      throw error;
    }
    return { file_path: path, branch };
  };
  const path = '/projects/:id/repository/files/:path';
  on('post', path, async (call) => created(await change(call, 'create')));
  on('put', path, async (call) => ok(await change(call, 'update')));
  on('delete', path, async (call) => {
    await change(call, 'delete');
    return gone;
  });
}
