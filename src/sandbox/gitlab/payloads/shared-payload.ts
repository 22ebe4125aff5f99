import type { GitLabContext } from '../context.js';
import { avatarUrl, cloneUrl, commitUrl, projectUrl, sshUrl } from '../links.js';
import type { CommitRecord, Label, Project, User } from '../model.js';
import { apiTime, hookTime } from '../time-format.js';

export const visibilityLevels = { private: 0, internal: 10, public: 20 } as const;

export function userPayload(ctx: GitLabContext, user: User) {
  return {
    id: user.id,
    name: user.name,
    username: user.username,
    avatar_url: avatarUrl(ctx, user),
    email: user.email,
  };
}

/** As assignees and reviewers appear: without the address. */
export function personPayload(ctx: GitLabContext, user: User) {
  const { email: _email, ...person } = userPayload(ctx, user);
  return person;
}

export function projectPayload(ctx: GitLabContext, project: Project) {
  const short = shortProjectPayload(ctx, project);
  return {
    ...short,
    ci_config_path: null,
    homepage: short.web_url,
    url: short.git_http_url,
    ssh_url: short.git_ssh_url,
    http_url: short.git_http_url,
  };
}

/** As pipelines and jobs show it: without the addresses that are there twice. */
export function shortProjectPayload(ctx: GitLabContext, project: Project) {
  return {
    id: project.id,
    name: project.name,
    description: project.description,
    web_url: projectUrl(ctx, project),
    avatar_url: null,
    git_ssh_url: sshUrl(ctx, project),
    git_http_url: cloneUrl(ctx, project),
    namespace: namespaceName(ctx, project),
    visibility_level: visibilityLevels[project.visibility],
    path_with_namespace: project.path,
    default_branch: project.defaultBranch,
    ci_config_path: null,
  };
}

/** As a merge request shows its two sides: without a number or CI configuration. */
export function sidePayload(ctx: GitLabContext, project: Project) {
  const { id: _id, ci_config_path: _path, ...side } = projectPayload(ctx, project);
  return side;
}

function namespaceName(ctx: GitLabContext, project: Project): string {
  const path = project.path.slice(0, project.path.lastIndexOf('/'));
  return ctx.state.groups.get(path)?.name ?? path;
}

export function repositoryPayload(ctx: GitLabContext, project: Project) {
  return {
    name: project.name,
    url: cloneUrl(ctx, project),
    description: project.description,
    homepage: projectUrl(ctx, project),
  };
}

export function commitPayload(ctx: GitLabContext, project: Project, commit: CommitRecord) {
  return {
    id: commit.id,
    message: commit.message,
    title: commit.message.split('\n')[0] ?? '',
    timestamp: hookTime(commit.authoredAt).replace('Z', '+00:00'),
    url: commitUrl(ctx, project, commit.id),
    author: { name: commit.authorName, email: commit.authorEmail },
  };
}

export function labelPayload(project: Project, label: Label) {
  return {
    id: label.id,
    title: label.title,
    color: label.color,
    project_id: project.id,
    created_at: apiTime(label.createdAt),
    updated_at: apiTime(label.updatedAt),
    template: false,
    description: label.description,
    type: 'ProjectLabel',
    group_id: null,
  };
}

export function labelPayloads(project: Project, titles: string[]) {
  return titles.flatMap((title) => {
    const label = project.labels.get(title);
    return label === undefined ? [] : [labelPayload(project, label)];
  });
}
