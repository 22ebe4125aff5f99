import { createHash } from 'node:crypto';
import type { GitLabContext } from '../context.js';
import type { Project } from '../model.js';
import { nextId } from '../state.js';

/** Lets an image exist; `name` is the repository's within the project, empty for the project's own. */
export function addImage(ctx: GitLabContext, project: Project, name: string, tag: string): void {
  const known = [...project.registry.values()].find((one) => one.name === name);
  const repository = known ?? { id: nextId(ctx.state, 'registry'), name, createdAt: ctx.clock(), tags: new Map() };
  project.registry.set(repository.id, repository);
  const revision = createHash('sha256').update(`${project.path}/${name}:${tag}`).digest('hex');
  const digest = `sha256:${createHash('sha256').update(revision).digest('hex')}`;
  repository.tags.set(tag, { name: tag, digest, revision, totalSize: 1_000_000, createdAt: ctx.clock() });
}
