import type { Logger } from 'pino';
import { type AppError, isAppError } from '../../error/app-error.js';

export interface ResolveDeps {
  getProject: (input: {
    project: string;
    signal: AbortSignal;
  }) => Promise<{ id: number; cloneUrl: string; visibility?: string }>;
  /** Remembers what GitLab says of a configured path. */
  remember: (input: { projectId: number; path: string; cloneUrl: string }) => Promise<void>;
  /** What GitLab last said of it; null: it never said anything. */
  recall: (input: { path: string }) => Promise<{ projectId: number; cloneUrl: string | null } | null>;
  log: Logger;
}

export interface ResolvedProject {
  /** As the configuration writes it. */
  path: string;
  /** null: GitLab cannot say and never did; to be tried again. */
  projectId: number | null;
  /** Address of its repository over HTTP; null: not known. */
  cloneUrl: string | null;
  /** Whether everybody may read it; null: GitLab cannot say now. */
  isPublic: boolean | null;
}

/**
 * The numeric ids of configured projects. One that GitLab cannot show now (an outage, a renamed project, a bot that
 * was removed) keeps what is known of it, and never stands in the way of the others.
 */
export function resolveProjects(
  deps: ResolveDeps,
  input: { paths: readonly string[]; signal: AbortSignal },
): Promise<ResolvedProject[]> {
  return Promise.all(input.paths.map((path) => resolveProject(deps, path, input.signal)));
}

async function resolveProject(deps: ResolveDeps, path: string, signal: AbortSignal): Promise<ResolvedProject> {
  try {
    return await lookUp(deps, { path, project: path, signal });
  } catch (error) {
    if (!isAppError(error)) throw error;
    const known = await deps.recall({ path });
    const projectId = known?.projectId ?? null;
    const moved = projectId === null ? null : await lookUpMoved(deps, { path, projectId, signal }, error);
    if (moved !== null) return moved;
    deps.log.warn({ err: error, path, projectId }, 'project could not be looked up in GitLab');
    return { path, projectId, cloneUrl: known?.cloneUrl ?? null, isPublic: null };
  }
}

async function lookUp(
  deps: ResolveDeps,
  { path, project, signal }: { path: string; project: string; signal: AbortSignal },
): Promise<ResolvedProject> {
  const { id: projectId, cloneUrl, visibility } = await deps.getProject({ project, signal });
  await deps.remember({ projectId, path, cloneUrl });
  return { path, projectId, cloneUrl, isPublic: visibility === undefined ? null : visibility === 'public' };
}

/** A project that was renamed or moved keeps its id, and is found by it; null: it is not there either. */
async function lookUpMoved(
  deps: ResolveDeps,
  { path, projectId, signal }: { path: string; projectId: number; signal: AbortSignal },
  error: AppError,
): Promise<ResolvedProject | null> {
  if (error.code !== 'gitlab-moved' && error.code !== 'gitlab-not-found') return null;
  try {
    const found = await lookUp(deps, { path, project: String(projectId), signal });
    deps.log.warn(
      { path, projectId, cloneUrl: found.cloneUrl },
      'project has another path now, set it in the configuration',
    );
    return found;
  } catch (again) {
    if (!isAppError(again)) throw again;
    return null;
  }
}
