import type { GitLabContext } from '../context.js';
import { type GitLabEvent, zeroSha } from '../event.js';
import { avatarUrl, cloneUrl, projectUrl, sshUrl } from '../links.js';
import { commitPayload, projectPayload, visibilityLevels } from './shared-payload.js';

/** The body of a `Push Hook`. */
export function pushPayload(ctx: GitLabContext, event: GitLabEvent & { kind: 'push' }) {
  const { project, user, branch, before, after } = event;
  return {
    object_kind: 'push',
    event_name: 'push',
    before,
    after,
    ref: `refs/heads/${branch}`,
    ref_protected: branch === project.defaultBranch,
    checkout_sha: after === zeroSha ? null : after,
    message: null,
    user_id: user.id,
    user_name: user.name,
    user_username: user.username,
    user_email: user.email,
    user_avatar: avatarUrl(ctx, user),
    project_id: project.id,
    project: { ...projectPayload(ctx, project), url: sshUrl(ctx, project) },
    commits: event.commits.map(({ commit, added, modified, removed }) => ({
      ...commitPayload(ctx, project, commit),
      added,
      modified,
      removed,
    })),
    total_commits_count: event.commitCount,
    push_options: {},
    repository: {
      name: project.name,
      url: sshUrl(ctx, project),
      description: project.description,
      homepage: projectUrl(ctx, project),
      git_http_url: cloneUrl(ctx, project),
      git_ssh_url: sshUrl(ctx, project),
      visibility_level: visibilityLevels[project.visibility],
    },
  };
}
