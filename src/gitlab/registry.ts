import { ContainerRegistry } from '@gitbeaker/rest';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import { type GitLab, parseAnswer } from './client.js';
import { pages } from './pages.js';
import { getProject } from './projects.js';

interface RepositoryKey {
  projectId: number;
  repositoryId: number;
}

const repositoriesSchema = z.array(z.object({ id: z.number(), path: z.string() }));

/** Where each image repository was last found; GitLab gives one that was deleted and made again another id. */
const knownRepositories = new WeakMap<GitLab, Map<string, RepositoryKey & { until: number }>>();
const rememberMs = 600_000;
const mostRemembered = 2_000;

/**
 * Whether GitLab's own registry has this tag, by its API. `repository`: with the path of its project, such as
 * `acme/shop/web`; it is looked for in `projectId` first, then in the project that its path names.
 * Errors: those of gitlab-error.ts, but for what is not there.
 */
export async function hasRegistryTag(
  gitlab: GitLab,
  input: { projectId: number; repository: string; tag: string; signal?: AbortSignal },
): Promise<boolean> {
  const found = await findRepository(gitlab, input);
  if (found === null) return false;
  const call = 'registry.tag';
  try {
    const resource = new ContainerRegistry(gitlab.at(call, input.signal));
    const shown = await resource.showTag(found.projectId, found.repositoryId, input.tag);
    return parseAnswer(call, z.object({ name: z.string() }), shown).name === input.tag;
  } catch (error) {
    return falseWhereAbsent(error);
  }
}

async function findRepository(
  gitlab: GitLab,
  input: { projectId: number; repository: string; signal?: AbortSignal },
): Promise<RepositoryKey | null> {
  const known = knownRepositories.get(gitlab) ?? new Map<string, RepositoryKey & { until: number }>();
  knownRepositories.set(gitlab, known);
  const remembered = known.get(input.repository);
  if (remembered !== undefined && remembered.until > gitlab.clock()) return remembered;
  const found = (await findIn(gitlab, input.projectId, input)) ?? (await findByPath(gitlab, input));
  if (known.size >= mostRemembered) known.clear();
  if (found !== null) known.set(input.repository, { ...found, until: gitlab.clock() + rememberMs });
  return found;
}

/** The project whose path the repository's begins with; the longest such path is the one. */
async function findByPath(
  gitlab: GitLab,
  input: { projectId: number; repository: string; signal?: AbortSignal },
): Promise<RepositoryKey | null> {
  const own = await getProject(gitlab, { project: input.projectId, ...signalOf(input) });
  // Most likely nothing was ever pushed to it.
  if (`${input.repository}/`.startsWith(`${own.path.toLowerCase()}/`)) return null;
  const parts = input.repository.split('/');
  for (let length = parts.length; length >= 2; length -= 1) {
    try {
      const project = await getProject(gitlab, { project: parts.slice(0, length).join('/'), ...signalOf(input) });
      return await findIn(gitlab, project.id, input);
    } catch (error) {
      falseWhereAbsent(error);
    }
  }
  return null;
}

async function findIn(
  gitlab: GitLab,
  projectId: number,
  input: { repository: string; signal?: AbortSignal },
): Promise<RepositoryKey | null> {
  const call = 'registry.repositories';
  const resource = new ContainerRegistry(gitlab.at(call, input.signal));
  const readPage = (page: number) =>
    resource.allRepositories({ projectId, ...{ perPage: 100, page }, showExpanded: true });
  try {
    for await (const page of pages(readPage)) {
      const found = parseAnswer(call, repositoriesSchema, page).find(({ path }) => path === input.repository);
      if (found !== undefined) return { projectId, repositoryId: found.id };
    }
  } catch (error) {
    falseWhereAbsent(error);
  }
  return null;
}

/** A project without a registry has no image. */
function falseWhereAbsent(error: unknown): false {
  if (isAppError(error, 'gitlab-not-found')) return false;
  throw error;
}

function signalOf({ signal }: { signal?: AbortSignal }): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
