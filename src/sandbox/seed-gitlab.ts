import { findProject } from './gitlab/actions/access.js';
import type { Project } from './gitlab/model.js';
import type { GitLab } from './gitlab/start-gitlab.js';
import { applicationDescription, applicationFiles, applicationProject, environmentsProject } from './seed-files.js';

const mayflyUser = 'mayfly';

/**
 * Projects, people and a pipeline; what a kept state has already is left as it is. Answers a token of Mayfly's own
 * user: comments of that user are never taken for commands, so people need another.
 */
export async function seedGitLab(gitlab: GitLab): Promise<string> {
  const shop = await project(gitlab, {
    path: applicationProject,
    description: applicationDescription,
    visibility: 'private',
    files: applicationFiles,
  });
  const environments = await project(gitlab, {
    path: environmentsProject,
    description: 'Its branch dynamic-envs holds one Application a preview.',
    visibility: 'private',
    files: { 'README.md': '# environments\n\nThe branch `dynamic-envs` holds one Application a preview.\n' },
  });
  gitlab.addUser({ username: 'ada', name: 'Ada', project: shop, accessLevel: 30 });
  // May look and comment, but not command: to see how that is answered.
  gitlab.addUser({ username: 'rob', name: 'Rob', project: shop, accessLevel: 20 });
  const mayfly = gitlab.addUser({ username: mayflyUser, name: 'Mayfly', bot: true, project: shop, accessLevel: 40 });
  gitlab.addUser({ username: mayflyUser, project: environments, accessLevel: 40 });
  gitlab.setPipelinePlan(shop, [{ name: 'build-image', outcome: 'success', durationMs: 2_000 }]);
  const kept = [...gitlab.ctx.state.tokens.values()].find(({ userId }) => userId === mayfly.id);
  return kept?.value ?? gitlab.tokenFor(mayfly);
}

/** The project as it was kept, or a new one. */
async function project(gitlab: GitLab, input: Parameters<GitLab['createProject']>[0]): Promise<Project> {
  return findProject(gitlab.ctx, input.path) ?? (await gitlab.createProject(input));
}

/** Points the webhooks of both projects at this start's address. */
export function hookProjects(gitlab: GitLab, hook: { url: string; token: string }): void {
  for (const path of [applicationProject, environmentsProject]) {
    const hooked = gitlab.project(path);
    hooked.hooks.clear();
    gitlab.addHook(hooked, hook);
  }
}
