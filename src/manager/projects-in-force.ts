import type { GroupConfig, ManagerConfig, ProjectConfig } from '../config/manager-config.js';
import { groupPolicyOf, policyInGroup, policyOf } from '../config/policy-of.js';
import type { LinkedProject } from '../preview/linked.js';
import type { Policy } from '../preview/policy.js';
import type { RenderProject } from './render/context.js';

/** One project of the configuration and what GitLab says of it. */
interface ProjectInForce {
  projectId: number;
  config: ProjectConfig;
  policy: Policy;
  /** Address of its repository; null: GitLab has not said it since the start. */
  cloneUrl: string | null;
  /** Whether everybody may read it; null: GitLab has not said it since the start. */
  isPublic: boolean | null;
}

/** One group of the configuration with those of its projects whose ids are known. */
interface GroupInForce {
  config: GroupConfig;
  policy: Policy;
  projects: LinkedProject[];
  /** Names of the others: GitLab has never shown them. */
  missing: string[];
}

export interface ProjectsInForce {
  groups(): GroupInForce[];
  /** Names of projects and groups whose repository's address GitLab has told. */
  told(): string[];
  /** What previews are made by, of every project and every group. */
  named(): ProjectConfig[];
  /** The group that a project belongs to; null: none. */
  groupOf(projectId: number): GroupInForce | null;
  byId(projectId: number): ProjectInForce | null;
  all(): ProjectInForce[];
  /** null: no project has this id, so that its living previews are not followed any more. */
  policyFor(projectId: number): Policy | null;
  slotLimits(): { total: number; projects: ReadonlyMap<string, number> };
}

export interface ResolvedPath {
  path: string;
  /** null: GitLab cannot say and never did. */
  projectId: number | null;
  cloneUrl: string | null;
  isPublic?: boolean | null;
}

/** The projects of one configuration, by GitLab's numeric ids; those without one yet are left out. */
export function projectsInForce(config: ManagerConfig, resolved: readonly ResolvedPath[]): ProjectsInForce {
  const byPath = new Map(resolved.map((each) => [each.path, each]));
  const byId = new Map<number, ProjectInForce>();
  for (const project of config.projects) {
    const found = byPath.get(project.path);
    if (found?.projectId == null) continue;
    const policy = policyOf(config, project);
    byId.set(found.projectId, {
      projectId: found.projectId,
      config: project,
      policy,
      cloneUrl: found.cloneUrl,
      isPublic: found.isPublic ?? null,
    });
  }
  const groups = config.groups.map((group) => groupInForce(config, group, byId));
  const groupById = new Map(groups.flatMap((group) => group.projects.map(({ projectId }) => [projectId, group])));
  const named = [...config.projects, ...config.groups.map(({ settings }) => settings)];
  const limits = {
    total: config.limits.previews,
    projects: new Map(named.map((project) => [project.name, project.limits.previews])),
  };
  return {
    groups: () => groups,
    told: () => [
      ...[...byId.values()].filter(({ cloneUrl }) => cloneUrl !== null).map((project) => project.config.name),
      ...groups
        .filter(
          ({ projects, missing }) =>
            missing.length === 0 && projects.every(({ projectId }) => byId.get(projectId)?.cloneUrl != null),
        )
        .map((group) => group.config.name),
    ],
    named: () => [
      ...[...byId.values()].map((project) => project.config),
      ...groups.map((group) => group.config.settings),
    ],
    groupOf: (projectId) => groupById.get(projectId) ?? null,
    byId: (projectId) => byId.get(projectId) ?? null,
    all: () => [...byId.values()],
    policyFor: (projectId) => byId.get(projectId)?.policy ?? null,
    slotLimits: () => limits,
  };
}

function groupInForce(
  config: ManagerConfig,
  group: GroupConfig,
  byId: ReadonlyMap<number, ProjectInForce>,
): GroupInForce {
  const known = [...byId.values()];
  const missing = group.projects.filter((name) => !known.some((project) => project.config.name === name));
  const projects = group.projects.flatMap((name) => {
    const found = known.find((project) => project.config.name === name);
    return found === undefined
      ? []
      : [
          {
            projectId: found.projectId,
            policy: policyInGroup(config, group, found.config),
            forks: group.forks?.includes(name) === true,
          },
        ];
  });
  return { config: group, policy: groupPolicyOf(config, group), projects, missing };
}

/** What rendering needs of a group: what its first project has, and where each member is found. */
function renderGroupOf(projects: ProjectsInForce, name: string, gitlabUrl: string): RenderProject | null {
  const group = projects.groups().find(({ config }) => config.name === name);
  if (group === undefined) return null;
  const linked = group.projects.flatMap(({ projectId }) => {
    const found = projects.byId(projectId);
    return found === null ? [] : [{ projectId, name: found.config.name, path: found.config.path }];
  });
  const [first] = group.projects;
  const lead = first === undefined ? null : projects.byId(first.projectId);
  const path = lead?.config.path ?? group.config.settings.path;
  const cloneUrl = lead?.cloneUrl ?? `${gitlabUrl.replace(/\/+$/, '')}/${path}.git`;
  return { ...renderProjectFrom(group.config.settings, cloneUrl), linked };
}

/** What rendering needs of a project or a group, by its name in the configuration; null: none is called so. */
export function renderProjectOf(projects: ProjectsInForce, name: string, gitlabUrl: string): RenderProject | null {
  const found = projects.all().find(({ config }) => config.name === name);
  if (found === undefined) return renderGroupOf(projects, name, gitlabUrl);
  // Where GitLab has never been reachable since the start, its repository is where GitLab puts it.
  const cloneUrl = found.cloneUrl ?? `${gitlabUrl.replace(/\/+$/, '')}/${found.config.path}.git`;
  return renderProjectFrom(found.config, cloneUrl);
}

/** What rendering needs of a project's configuration and of its repository's address. */
export function renderProjectFrom(config: ProjectConfig, cloneUrl: string): RenderProject {
  const { name, path, preview, probe, secrets } = config;
  const { template, url, source, values } = preview;
  const { resources } = config.limits;
  return {
    name,
    path,
    cloneUrl,
    template,
    url,
    source,
    values,
    forkRepositories: config.follow.forkRepositories,
    ...(probe === null ? {} : { probe }),
    ...(resources === undefined ? {} : { resources }),
    ...(secrets === undefined ? {} : { secrets }),
  };
}
