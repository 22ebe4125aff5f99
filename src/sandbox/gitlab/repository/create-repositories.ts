import type { Project } from '../model.js';
import { type GitLabState, nextId } from '../state.js';
import { createGitRepository } from './git-repository.js';
import { createMemoryRepository } from './memory-repository.js';
import type { Repository } from './repository.js';

/** Gives the repository of a project, made once for each path that it has. */
export function createRepositories(state: GitLabState, gitRoot: string | null): (project: Project) => Repository {
  const known = new Map<string, Repository>();
  return (project) => {
    const key = `${project.id}:${project.path}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const made =
      project.git && gitRoot !== null
        ? createGitRepository(`${gitRoot}/${project.path}.git`)
        : createMemoryRepository(project, () => nextId(state, 'invented-commit'));
    known.set(key, made);
    return made;
  };
}
