import { developer, requireLevel } from '../actions/access.js';
import {
  createDeployment,
  createEnvironment,
  deleteEnvironment,
  deploymentStatuses,
  type EnvironmentSettings,
  stopEnvironment,
  updateDeployment,
  updateEnvironment,
} from '../actions/environments.js';
import { deploymentAnswer, environmentAnswer } from '../answers/environment-answer.js';
import { badParameter, notFound } from '../api-error.js';
import type { Deployment, Environment, Project } from '../model.js';
import { type Api, created, gone, listed, ok, projectOfCall } from './api.js';
import { type Call, flag, oneOf, optional, param, required } from './call.js';

/** Environments and what was deployed to them. */
export function environmentRoutes(api: Api): void {
  environmentCrud(api);
  deploymentRoutes(api);
}

const tierNames = ['production', 'staging', 'testing', 'development', 'other'] as const;
const autoStopSettings = ['always', 'with_action'] as const;

function settingsOf(call: Call): EnvironmentSettings {
  const settings = {
    externalUrl: optional(call, 'external_url'),
    description: optional(call, 'description'),
    tier: oneOf(call, 'tier', tierNames),
    kubernetesNamespace: optional(call, 'kubernetes_namespace'),
    fluxResourcePath: optional(call, 'flux_resource_path'),
    autoStopSetting: oneOf(call, 'auto_stop_setting', autoStopSettings),
  };
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}

function isWanted(environment: Environment, call: Call): boolean {
  const { name, search, states } = call.query;
  if (name !== undefined && environment.name !== name) return false;
  if (search !== undefined && !environment.name.includes(search)) return false;
  return states === undefined || environment.state === states;
}

function environmentCrud({ ctx, on }: Api): void {
  const mine = (call: Call): Project => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    return project;
  };
  const find = (project: Project, call: Call): Environment => {
    const environment = project.environments.get(Number(param(call, 'environmentId')));
    if (environment === undefined) throw notFound('Environment');
    return environment;
  };
  on('get', '/projects/:id/environments', (call) => {
    const found = [...projectOfCall(ctx, call).environments.values()].filter((one) => isWanted(one, call));
    return listed(ctx, call, found, environmentAnswer);
  });
  on('get', '/projects/:id/environments/:environmentId', (call) => {
    const project = projectOfCall(ctx, call);
    const environment = find(project, call);
    const last = [...project.deployments.values()].findLast(({ environmentId }) => environmentId === environment.id);
    const deployment = last === undefined ? null : deploymentAnswer(ctx, project, last);
    return ok({ ...environmentAnswer(environment), last_deployment: deployment });
  });
  on('post', '/projects/:id/environments', (call) => {
    const project = mine(call);
    const { name } = required(call, 'name');
    return created(environmentAnswer(createEnvironment(ctx, project, name, settingsOf(call))));
  });
  on('put', '/projects/:id/environments/:environmentId', (call) => {
    const project = mine(call);
    const environment = find(project, call);
    updateEnvironment(ctx, project, environment, settingsOf(call));
    return ok(environmentAnswer(environment));
  });
  on('post', '/projects/:id/environments/:environmentId/stop', (call) => {
    const project = mine(call);
    const environment = find(project, call);
    stopEnvironment(ctx, project, environment);
    return ok(environmentAnswer(environment));
  });
  on('delete', '/projects/:id/environments/:environmentId', (call) => {
    const project = mine(call);
    deleteEnvironment(ctx, project, find(project, call));
    return gone;
  });
}

function deploymentRoutes({ ctx, on }: Api): void {
  const find = (project: Project, call: Call): Deployment => {
    const deployment = project.deployments.get(Number(param(call, 'deploymentId')));
    if (deployment === undefined) throw notFound('Deployment');
    return deployment;
  };
  on('get', '/projects/:id/deployments', (call) => {
    const project = projectOfCall(ctx, call);
    const { environment, status } = call.query;
    const found = [...project.deployments.values()].filter(
      (one) =>
        (status === undefined || one.status === status) &&
        (environment === undefined || project.environments.get(one.environmentId)?.name === environment),
    );
    if (oneOf(call, 'sort', ['asc', 'desc'] as const) === 'desc') found.reverse();
    return listed(ctx, call, found, (deployment) => deploymentAnswer(ctx, project, deployment));
  });
  on('get', '/projects/:id/deployments/:deploymentId', (call) => {
    const project = projectOfCall(ctx, call);
    return ok(deploymentAnswer(ctx, project, find(project, call)));
  });
  on('post', '/projects/:id/deployments', async (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const { environment, sha, ref } = required(call, 'environment', 'sha', 'ref', 'tag', 'status');
    const tag = flag(call, 'tag') ?? false;
    const status = oneOf(call, 'status', deploymentStatuses) ?? 'running';
    const input = { environment, sha, ref, tag, status };
    return created(deploymentAnswer(ctx, project, await createDeployment(ctx, project, call.user, input)));
  });
  on('put', '/projects/:id/deployments/:deploymentId', (call) => {
    const project = projectOfCall(ctx, call);
    requireLevel(project, call.user, developer);
    const deployment = find(project, call);
    const status = oneOf(call, 'status', deploymentStatuses);
    if (status === undefined) throw badParameter('status is missing');
    updateDeployment(ctx, project, call.user, deployment, status);
    return ok(deploymentAnswer(ctx, project, deployment));
  });
}
