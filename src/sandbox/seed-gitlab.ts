import type { GitLab } from './gitlab/start-gitlab.js';
import { applicationDescription, applicationFiles, applicationProject, environmentsProject } from './seed-files.js';

const mayflyUser = 'mayfly';

/**
 * Projects, people and a pipeline; what a kept state has already is left as it is. Answers a token of Mayfly's own
 * user: comments of that user are never taken for commands, so people need another.
 */
export async function seedGitLab(gitlab: GitLab): Promise<string> {
  const shop = await gitlab.createProject({
    path: applicationProject,
    description: applicationDescription,
    visibility: 'private',
    files: applicationFiles,
  });
  const environments = await gitlab.createProject({
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
  return gitlab.tokenFor(mayfly);
}

/** Points the webhooks of both projects at this start's address. */
export function hookProjects(gitlab: GitLab, hook: { url: string; token: string }): void {
  for (const path of [applicationProject, environmentsProject]) {
    const project = gitlab.project(path);
    project.hooks.clear();
    gitlab.addHook(project, hook);
  }
}
