import type { ManagerConfig, ProjectConfig } from '../config/manager-config.js';
import { policyOf } from '../config/policy-of.js';
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

export interface ProjectsInForce {
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
  const limits = {
    total: config.limits.previews,
    projects: new Map(config.projects.map((project) => [project.name, project.limits.previews])),
  };
  return {
    byId: (projectId) => byId.get(projectId) ?? null,
    all: () => [...byId.values()],
    policyFor: (projectId) => byId.get(projectId)?.policy ?? null,
    slotLimits: () => limits,
  };
}

/** What rendering needs of a project, by its name in the configuration; null: none is called so. */
export function renderProjectOf(projects: ProjectsInForce, name: string, gitlabUrl: string): RenderProject | null {
  const found = projects.all().find(({ config }) => config.name === name);
  if (found === undefined) return null;
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
