import type { Logger } from 'pino';
import { isAppError } from '../../error/app-error.js';

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
    const { id: projectId, cloneUrl, visibility } = await deps.getProject({ project: path, signal });
    await deps.remember({ projectId, path, cloneUrl });
    return { path, projectId, cloneUrl, isPublic: visibility === undefined ? null : visibility === 'public' };
  } catch (error) {
    if (!isAppError(error)) throw error;
    const known = await deps.recall({ path });
    const projectId = known?.projectId ?? null;
    deps.log.warn({ err: error, path, projectId }, 'project could not be looked up in GitLab');
    return { path, projectId, cloneUrl: known?.cloneUrl ?? null, isPublic: null };
  }
}
