import type { GitLabContext } from '../context.js';
import type { Deployment, Environment, Project } from '../model.js';
import { apiTime } from '../time-format.js';
import { basicUserById } from './user-answer.js';

export function environmentAnswer(environment: Environment) {
  return {
    id: environment.id,
    name: environment.name,
    slug: environment.slug,
    description: environment.description,
    external_url: environment.externalUrl,
    state: environment.state,
    tier: environment.tier,
    created_at: apiTime(environment.createdAt),
    updated_at: apiTime(environment.updatedAt),
    kubernetes_namespace: environment.kubernetesNamespace,
    flux_resource_path: environment.fluxResourcePath,
    auto_stop_setting: environment.autoStopSetting,
  };
}

export function deploymentAnswer(ctx: GitLabContext, project: Project, deployment: Deployment) {
  const environment = project.environments.get(deployment.environmentId);
  return {
    id: deployment.id,
    iid: deployment.iid,
    ref: deployment.ref,
    sha: deployment.sha,
    created_at: apiTime(deployment.createdAt),
    updated_at: apiTime(deployment.updatedAt),
    status: deployment.status,
    user: basicUserById(ctx, deployment.userId),
    environment:
      environment === undefined
        ? null
        : { id: environment.id, name: environment.name, external_url: environment.externalUrl },
    deployable: null,
  };
}
