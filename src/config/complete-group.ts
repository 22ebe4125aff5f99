import { completeProject } from './complete-project.js';
import type { GroupInput } from './group-schema.js';
import type { GroupConfig } from './manager-config.js';
import type { ProjectInput, ProjectSettings } from './project-schema.js';

/**
 * A group with `defaults` below it. Its previews are made as those of a project of its name are; what a group cannot
 * set is as `defaults` say, and its secrets are those that each of its projects gives to its previews, too.
 */
export function completeGroup(
  { name, projects, forks, link, gate, ...group }: GroupInput,
  { defaults, all }: { defaults: ProjectSettings; all: readonly ProjectInput[] },
): GroupConfig {
  const members = projects.flatMap((member) => all.find((project) => project.name === member) ?? []);
  const preview = { ...group.preview, name: group.preview?.name ?? '{{group}}-{{branchSlug}}' };
  // The repository that is deployed where no other is named.
  const path = members[0]?.path ?? '';
  const settings = completeProject({ name, path, ...group, preview }, withoutNames(defaults));
  const secrets = (settings.secrets ?? []).filter(({ copy }) =>
    members.every((member) => (member.secrets ?? defaults.secrets ?? []).some((each) => each.copy === copy)),
  );
  return { name, projects, forks, link, gate: gate ?? {}, settings: { ...settings, secrets } };
}

/** The URL that others share may use what a group has not: its merge requests have no common iid. */
function withoutNames(defaults: ProjectSettings): ProjectSettings {
  const { url, ...preview } = defaults.preview ?? {};
  const fits = url !== undefined && !/\{\{\s*(?:iid|project)\s*\}\}/.test(url);
  return { ...defaults, preview: fits ? { ...preview, url } : preview };
}
