import { AppError } from '../error/app-error.js';
import type { Policy } from '../preview/policy.js';
import type { ManagerConfig, ProjectConfig } from './manager-config.js';

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
      labelsNone: project.follow.labels.none,
      targetBranches: project.follow.targetBranches,
      sourceBranches: project.follow.sourceBranches,
      authorsNone: project.follow.authors.none,
      drafts: project.follow.drafts,
      forks: project.follow.forks,
    },
    gatePipeline: project.gate.pipeline,
    ttlMs: project.lifetime.ttlMs,
    deployTimeoutMs: project.deployTimeoutMs,
    maxPreviews: project.limits.previews,
  };
}
