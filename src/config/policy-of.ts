import { AppError } from '../error/app-error.js';
import type { Policy } from '../preview/policy.js';
import { settingTypeOf } from '../preview/setting.js';
import type { GroupConfig, ManagerConfig, ProjectConfig } from './manager-config.js';

/** What the rules of previews need of a project's configuration. */
export function policyOf(config: Pick<ManagerConfig, 'agents'>, project: ProjectConfig): Policy {
  const agent = config.agents.find((each) => each.name === project.preview.cluster);
  if (agent === undefined) {
    // A loaded configuration was checked for this; one made by hand was not.
    throw new AppError({
      code: 'config-no-agent',
      disposition: 'stall',
      publicMessage: `The project ${project.name} names the cluster ${project.preview.cluster}, and no agent is called so. Add it to \`agents\`.`,
    });
  }
  return {
    project: project.name,
    nameTemplate: project.preview.name,
    urlTemplate: project.preview.url,
    cluster: agent.name,
    namespacePrefix: agent.namespacePrefix,
    follow: {
      labelsAny: project.follow.labels.any,
      labelsAll: project.follow.labels.all,
      labelsNone: project.follow.labels.none,
      targetBranches: project.follow.targetBranches,
      sourceBranches: project.follow.sourceBranches,
      authorsAny: project.follow.authors.any,
      authorsNone: project.follow.authors.none,
      drafts: project.follow.drafts,
      forks: project.follow.forks,
      optInLabel: project.follow.optIn ? project.follow.optInLabel : null,
    },
    settable: settableOf(project),
    gatePipeline: project.gate.pipeline,
    gateImages: project.gate.image,
    gateApproval: project.gate.approval,
    ttlMs: project.lifetime.ttlMs,
    maxMs: project.lifetime.maxMs,
    // Whoever uses it is not warned at once that it will end.
    warnMs: Math.min(project.lifetime.warnMs, project.lifetime.ttlMs / 2),
    keepAfterMergeMs: project.lifetime.keepAfterMergeMs,
    deployTimeoutMs: project.deployTimeoutMs,
    sleep: project.lifetime.sleep,
    maxPreviews: project.limits.previews,
  };
}

/** What the rules of linked previews need of a group, and of a project in it: its filters, and the gates that hold. */
export function groupPolicyOf(config: Pick<ManagerConfig, 'agents'>, group: GroupConfig): Policy {
  return policyOf(config, group.settings);
}

export function policyInGroup(
  config: Pick<ManagerConfig, 'agents'>,
  group: GroupConfig,
  project: ProjectConfig,
): Policy {
  const { pipeline, image, approval } = group.gate;
  const own = policyOf(config, project);
  return {
    ...own,
    gatePipeline: pipeline ?? own.gatePipeline,
    gateImages: image ?? own.gateImages,
    gateApproval: approval ?? own.gateApproval,
  };
}

/** Each key that may be set, with the type of its configured value. */
function settableOf({ preview, settable }: ProjectConfig): Policy['settable'] {
  const types = settable.flatMap((key) => {
    const type = Object.hasOwn(preview.values, key) ? settingTypeOf(preview.values[key]) : null;
    return type === null ? [] : [[key, type] as const];
  });
  return Object.fromEntries(types);
}
