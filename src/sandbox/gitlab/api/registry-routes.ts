import { ApiError, notFound } from '../api-error.js';
import type { Project } from '../model.js';
import type { RegistryRepository, RegistryTag } from '../registry-model.js';
import { apiTime } from '../time-format.js';
import { type Api, listed, ok, projectOfCall } from './api.js';
import { type Call, param } from './call.js';

/** The container registry's listing; images themselves are not served. */
export function registryRoutes({ ctx, on }: Api): void {
  const host = (): string => new URL(ctx.publicUrl()).host;
  const location = (project: Project, repository: RegistryRepository): string =>
    `${host()}/${project.path.toLowerCase()}${repository.name === '' ? '' : `/${repository.name}`}`;
  const find = (call: Call) => {
    const project = projectOfCall(ctx, call);
    const repository = project.registry.get(Number(param(call, 'repositoryId')));
    if (repository === undefined) throw new ApiError(404, { message: '404 Not found' });
    return { project, repository };
  };
  const brief = (project: Project, repository: RegistryRepository, tag: RegistryTag) => ({
    name: tag.name,
    path: `${location(project, repository).slice(host().length + 1)}:${tag.name}`,
    location: `${location(project, repository)}:${tag.name}`,
  });
  on('get', '/projects/:id/registry/repositories', (call) => {
    const project = projectOfCall(ctx, call);
    return listed(ctx, call, [...project.registry.values()], (repository) => ({
      id: repository.id,
      name: repository.name,
      path: location(project, repository).slice(host().length + 1),
      project_id: project.id,
      location: location(project, repository),
      created_at: apiTime(repository.createdAt),
      cleanup_policy_started_at: null,
      status: null,
    }));
  });
  on('get', '/projects/:id/registry/repositories/:repositoryId/tags', (call) => {
    const { project, repository } = find(call);
    return listed(ctx, call, [...repository.tags.values()], (tag) => brief(project, repository, tag));
  });
  on('get', '/projects/:id/registry/repositories/:repositoryId/tags/:tag', (call) => {
    const { project, repository } = find(call);
    const tag = repository.tags.get(param(call, 'tag'));
    if (tag === undefined) throw notFound('Tag');
    return ok({
      ...brief(project, repository, tag),
      revision: tag.revision,
      short_revision: tag.revision.slice(0, 9),
      digest: tag.digest,
      created_at: apiTime(tag.createdAt).replace('Z', '+00:00'),
      total_size: tag.totalSize,
    });
  });
}
