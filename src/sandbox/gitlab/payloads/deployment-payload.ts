import type { GitLabContext } from '../context.js';
import type { GitLabEvent } from '../event.js';
import { commitUrl, userUrl } from '../links.js';
import { projectPayload, userPayload } from './shared-payload.js';

/** The body of a `Deployment Hook`, for a deployment that was made through the API. */
export function deploymentPayload(ctx: GitLabContext, event: GitLabEvent & { kind: 'deployment' }) {
  const { project, deployment, environment, user } = event;
  return {
    object_kind: 'deployment',
    status: deployment.status,
    status_changed_at: `${new Date(deployment.updatedAt).toISOString().slice(0, 19).replace('T', ' ')} +0000`,
    deployment_id: deployment.id,
    deployable_id: null,
    deployable_url: null,
    environment: environment.name,
    environment_tier: environment.tier,
    environment_slug: environment.slug,
    environment_external_url: environment.externalUrl,
    project: projectPayload(ctx, project),
    short_sha: deployment.sha.slice(0, 8),
    user: userPayload(ctx, user),
    user_url: userUrl(ctx, user),
    commit_url: commitUrl(ctx, project, deployment.sha),
    commit_title: null,
  };
}
