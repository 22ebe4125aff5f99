import type { ProjectConfig, SourceConfig } from './manager-config.js';
import type { ProjectInput, ProjectSettings } from './project-schema.js';
import { boundsOf } from './resources.js';

const hourMs = 3_600_000;

/** GitLab's numbers for its roles. */
const accessLevels = { guest: 10, planner: 15, reporter: 20, developer: 30, maintainer: 40, owner: 50 } as const;

/** A project with `defaults` below it and Mayfly's own defaults below those. Lists replace, `values` merge by key. */
export function completeProject(project: ProjectInput, defaults: ProjectSettings): ProjectConfig {
  function pick<T>(choose: (settings: ProjectSettings) => T | undefined, otherwise: T): T {
    return choose(project) ?? choose(defaults) ?? otherwise;
  }
  return {
    name: project.name,
    path: project.path,
    preview: {
      name: pick((s) => s.preview?.name, '{{project}}-{{iid}}'),
      template: pick((s) => s.preview?.template, 'application'),
      url: pick<string | null>((s) => s.preview?.url, null),
      source: sourceOf(project, defaults),
      values: mergeValues(defaults.preview?.values ?? {}, project.preview?.values ?? {}),
      cluster: pick((s) => s.preview?.cluster, 'default'),
    },
    follow: {
      labels: {
        any: pick((s) => s.follow?.labels?.any, []),
        all: pick((s) => s.follow?.labels?.all, []),
        none: pick((s) => s.follow?.labels?.none, ['no-preview']),
      },
      targetBranches: pick((s) => s.follow?.targetBranches, ['main', 'release/*']),
      sourceBranches: pick((s) => s.follow?.sourceBranches, ['*']),
      authors: { any: pick((s) => s.follow?.authors?.any, []), none: pick((s) => s.follow?.authors?.none, []) },
      drafts: pick((s) => s.follow?.drafts, true),
      forks: pick<'never' | 'approved' | 'always'>((s) => s.follow?.forks, 'approved'),
      forkRepositories: pick((s) => s.follow?.forkRepositories, []),
      optIn: pick((s) => s.follow?.optIn, false),
      optInLabel: pick((s) => s.follow?.optInLabel, 'preview'),
    },
    gate: {
      pipeline: pick<'none' | 'success' | { jobs: string[] }>((s) => s.gate?.pipeline, 'none'),
      image: pick((s) => s.gate?.image, []),
      approval: pick<'none' | 'member'>((s) => s.gate?.approval, 'none'),
    },
    lifetime: {
      ttlMs: pick((s) => s.lifetime?.ttl, 72 * hourMs),
      maxMs: pick((s) => s.lifetime?.max, 14 * 24 * hourMs),
      warnMs: pick((s) => s.lifetime?.warn, 12 * hourMs),
      keepAfterMergeMs: pick((s) => s.lifetime?.keepAfterMerge, 0),
      sleep: sleepOf(project.lifetime?.sleep ?? defaults.lifetime?.sleep),
    },
    limits: { previews: pick((s) => s.limits?.previews, 20), ...resourcesOf(project, defaults) },
    secrets: pick((s) => s.secrets, []).map(({ copy, forks }) => ({ copy, forks: forks ?? false })),
    feedback: {
      note: pick((s) => s.feedback?.note, true),
      commitStatus: {
        name: pick((s) => s.feedback?.commitStatus?.name, 'mayfly/preview'),
        blocking: pick((s) => s.feedback?.commitStatus?.blocking, false),
      },
      logs: pick<'auto' | 'note' | 'dashboard'>((s) => s.feedback?.logs, 'auto'),
    },
    probe: probeOf(project, defaults),
    commands: { level: accessLevels[pick((s) => s.commands?.level, 'developer')] },
    settable: pick((s) => s.settable, []),
    deployTimeoutMs: pick((s) => s.deployTimeout, hourMs / 6),
    webhookSecrets: pick((s) => s.webhookSecret, []),
  };
}

/** Both keys belong together: a project that sets one of them says all that there is to say. */
function sleepOf(sleep: NonNullable<ProjectInput['lifetime']>['sleep']): ProjectConfig['lifetime']['sleep'] {
  return { afterMs: sleep?.after ?? null, awake: sleep?.awake ?? null };
}

function probeOf({ probe: own }: ProjectInput, { probe: common }: ProjectSettings): ProjectConfig['probe'] {
  if (own === undefined && common === undefined) return null;
  return {
    path: own?.path ?? common?.path ?? '/healthz',
    expect: own?.expect ?? common?.expect ?? 200,
    withinMs: own?.within ?? common?.within ?? hourMs / 20,
  };
}

function sourceOf(project: ProjectInput, defaults: ProjectSettings): SourceConfig {
  const own = project.preview?.source ?? {};
  const common = defaults.preview?.source ?? {};
  // Repository, revision and chart belong together: they are never taken from two places. A folder of its own is no
  // place in a chart that the others use.
  const isOtherFolder = own.path !== undefined && common.chart !== undefined;
  const { repository, revision, chart } = own.repository !== undefined || isOtherFolder ? own : common;
  return {
    path: own.path ?? common.path ?? 'deploy/preview',
    recurse: own.recurse ?? common.recurse ?? true,
    chart: chart ?? null,
    fixed: repository === undefined || revision === undefined ? null : { repository, revision },
  };
}

/** Key by key: a project that asks for more pods keeps the memory of all. */
function resourcesOf(project: ProjectInput, defaults: ProjectSettings): Pick<ProjectConfig['limits'], 'resources'> {
  const common = boundsOf(defaults.limits?.resources ?? {});
  const resources = { ...common, ...boundsOf(project.limits?.resources ?? {}) };
  return Object.keys(resources).length === 0 ? {} : { resources };
}

/** Deep: groups of keys merge, everything else is replaced by what stands `over` it. */
function mergeValues(under: Record<string, unknown>, over: Record<string, unknown>): Record<string, unknown> {
  const merged = new Map(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isGroup(below) && isGroup(value) ? mergeValues(below, value) : value);
  }
  return Object.fromEntries(merged);
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
