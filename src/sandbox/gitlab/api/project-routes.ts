import { canRead, maintainer, requireLevel } from '../actions/access.js';
import { createProject } from '../actions/projects.js';
import { commitFiles } from '../actions/push.js';
import { projectAnswer } from '../answers/project-answer.js';
import { badParameter } from '../api-error.js';
import type { Visibility } from '../model.js';
import { type Api, created, listed, ok, projectOfCall } from './api.js';
import { flag, integer, oneOf, optional } from './call.js';

const visibilities: readonly Visibility[] = ['private', 'internal', 'public'];

/** Projects: list, one, create, change. */
export function projectRoutes(gitRoot: string | null) {
  return ({ ctx, on }: Api): void => {
    on('get', '/projects', (call) => {
      const { search } = call.query;
      const membership = flag(call, 'membership') ?? false;
      const wanted = [...ctx.state.projects.values()].filter(
        (project) =>
          canRead(project, call.user) &&
          (!membership || project.members.has(call.user.id)) &&
          (search === undefined || project.path.includes(search)),
      );
      return listed(ctx, call, wanted.reverse(), (project) => projectAnswer(ctx, project, call.user));
    });
    on('get', '/projects/:id', (call) => ok(projectAnswer(ctx, projectOfCall(ctx, call), call.user)));
    on('post', '/projects', async (call) => {
      const path = optional(call, 'path') ?? optional(call, 'name');
      if (path === undefined) throw badParameter('name, path are missing, at least one parameter must be provided');
      const namespaceId = integer(call, 'namespace_id');
      const group = [...ctx.state.groups.values()].find(({ id }) => id === namespaceId);
      const input = {
        path: `${group?.path ?? call.user.username}/${path}`,
        name: optional(call, 'name') ?? path,
        description: optional(call, 'description') ?? '',
        visibility: oneOf(call, 'visibility', visibilities) ?? 'private',
        defaultBranch: optional(call, 'default_branch') ?? 'main',
      };
      const project = await createProject(ctx, call.user, input, gitRoot);
      if (flag(call, 'initialize_with_readme') === true) {
        await commitFiles(ctx, project, call.user, {
          branch: project.defaultBranch,
          message: 'Initial commit',
          actions: [{ action: 'create', path: 'README.md', content: `# ${project.name}\n` }],
        });
      }
      return created(projectAnswer(ctx, project, call.user));
    });
    on('put', '/projects/:id', (call) => {
      const project = projectOfCall(ctx, call);
      requireLevel(project, call.user, maintainer);
      project.name = optional(call, 'name') ?? project.name;
      project.description = optional(call, 'description') ?? project.description;
      project.visibility = oneOf(call, 'visibility', visibilities) ?? project.visibility;
      project.defaultBranch = optional(call, 'default_branch') ?? project.defaultBranch;
      return ok(projectAnswer(ctx, project, call.user));
    });
  };
}
