import { createHash } from 'node:crypto';
import { ApiError, badRequest, notFound } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { Deployment, Environment, Project, User } from '../model.js';
import { nextId } from '../state.js';

export interface EnvironmentSettings {
  externalUrl?: string | null;
  description?: string | null;
  tier?: string;
  kubernetesNamespace?: string | null;
  fluxResourcePath?: string | null;
  autoStopSetting?: string;
}

/** `CI_ENVIRONMENT_SLUG`: at most 24 characters, with a part of the name's digest when the name did not fit. */
export function environmentSlug(name: string): string {
  let slug = name.toLowerCase().replace(/[^a-z0-9]/g, '-');
  if (!/^[a-z]/.test(slug)) slug = `env-${slug}`;
  slug = slug.replace(/-+/g, '-');
  if (slug.length <= 24 && slug === name) return slug.replace(/-$/, '');
  const digest = BigInt(`0x${createHash('sha256').update(name).digest('hex')}`).toString(36);
  const start = slug.slice(0, 17);
  return `${start.endsWith('-') ? start : `${start}-`}${digest.slice(-6)}`;
}

const tiers: [RegExp, string][] = [
  [/(dev|review|trunk)/i, 'development'],
  [/(test|tst|int|ac(ce|)pt|qa|qc|control|quality)/i, 'testing'],
  [/(st(a|)g|mod(e|)l|pre|demo|non)/i, 'staging'],
  [/(pr(o|)d|live)/i, 'production'],
];

function guessTier(name: string): string {
  return tiers.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
}

export function createEnvironment(
  ctx: GitLabContext,
  project: Project,
  name: string,
  settings: EnvironmentSettings,
): Environment {
  if ([...project.environments.values()].some((other) => other.name === name)) {
    throw badRequest({ name: ['has already been taken'], slug: ['has already been taken'] });
  }
  if (!/^[\w ./{}$-]{1,255}$/.test(name) || name.startsWith('/') || name.endsWith('/')) {
    throw badRequest({ name: ["can contain only letters, digits, '-', '_', '/', '$', '{', '}', '.', and spaces"] });
  }
  checkUrl(settings.externalUrl);
  const now = ctx.clock();
  const environment: Environment = {
    id: nextId(ctx.state, 'environment'),
    name,
    slug: environmentSlug(name),
    description: settings.description ?? null,
    externalUrl: settings.externalUrl ?? null,
    state: 'available',
    tier: settings.tier ?? guessTier(name),
    kubernetesNamespace: settings.kubernetesNamespace ?? null,
    fluxResourcePath: settings.fluxResourcePath ?? null,
    autoStopSetting: settings.autoStopSetting ?? 'always',
    createdAt: now,
    updatedAt: now,
  };
  project.environments.set(environment.id, environment);
  ctx.emit({ kind: 'environment', project });
  return environment;
}

function checkUrl(url: string | null | undefined): void {
  if (url !== undefined && url !== null && url !== '' && !/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) {
    throw badRequest({ external_url: ['URI is invalid'] });
  }
}

export function updateEnvironment(
  ctx: GitLabContext,
  project: Project,
  environment: Environment,
  settings: EnvironmentSettings,
): void {
  checkUrl(settings.externalUrl);
  if (settings.externalUrl !== undefined) environment.externalUrl = settings.externalUrl;
  if (settings.description !== undefined) environment.description = settings.description;
  if (settings.kubernetesNamespace !== undefined) environment.kubernetesNamespace = settings.kubernetesNamespace;
  if (settings.fluxResourcePath !== undefined) environment.fluxResourcePath = settings.fluxResourcePath;
  environment.tier = settings.tier ?? environment.tier;
  environment.autoStopSetting = settings.autoStopSetting ?? environment.autoStopSetting;
  environment.updatedAt = ctx.clock();
  ctx.emit({ kind: 'environment', project });
}

export function stopEnvironment(ctx: GitLabContext, project: Project, environment: Environment): void {
  environment.state = 'stopped';
  environment.updatedAt = ctx.clock();
  ctx.emit({ kind: 'environment', project });
}

/** Only what is stopped may be deleted. */
export function deleteEnvironment(ctx: GitLabContext, project: Project, environment: Environment): void {
  if (environment.state !== 'stopped') throw new ApiError(403, { message: '403 Forbidden' });
  project.environments.delete(environment.id);
  ctx.emit({ kind: 'environment', project });
}

export const deploymentStatuses = ['created', 'running', 'success', 'failed', 'canceled'] as const;

export interface NewDeployment {
  environment: string;
  sha: string;
  ref: string;
  tag: boolean;
  status: string;
}

/** A deployment as the API makes it; its environment is made when it is missing, and is available again. */
export async function createDeployment(
  ctx: GitLabContext,
  project: Project,
  user: User,
  input: NewDeployment,
): Promise<Deployment> {
  if ((await ctx.repository(project).commit(input.sha)) === null) throw notFound('Commit');
  const existing = [...project.environments.values()].find(({ name }) => name === input.environment);
  const environment = existing ?? createEnvironment(ctx, project, input.environment, {});
  environment.state = 'available';
  const now = ctx.clock();
  project.lastDeploymentIid += 1;
  const deployment: Deployment = {
    id: nextId(ctx.state, 'deployment'),
    iid: project.lastDeploymentIid,
    environmentId: environment.id,
    sha: input.sha,
    ref: input.ref,
    tag: input.tag,
    status: input.status,
    userId: user.id,
    createdAt: now,
    updatedAt: now,
  };
  project.deployments.set(deployment.id, deployment);
  ctx.emit({ kind: 'deployment', project, deployment, environment, user });
  return deployment;
}

export function updateDeployment(
  ctx: GitLabContext,
  project: Project,
  user: User,
  deployment: Deployment,
  status: string,
): void {
  if (status === 'running' && !['created', 'running'].includes(deployment.status)) {
    throw badRequest(`Cannot transition status via :run from :${deployment.status}`);
  }
  if (deployment.status === status) return;
  deployment.status = status;
  deployment.updatedAt = ctx.clock();
  const environment = project.environments.get(deployment.environmentId);
  if (environment !== undefined) ctx.emit({ kind: 'deployment', project, deployment, environment, user });
}
