import { accessLevel } from '../actions/access.js';
import type { GitLabContext } from '../context.js';
import { cloneUrl, commitUrl, projectUrl, sshUrl } from '../links.js';
import type { CommitRecord, Group, Project, User } from '../model.js';
import { apiTime } from '../time-format.js';

function groupOf(ctx: GitLabContext, project: Project): Group | undefined {
  return ctx.state.groups.get(project.path.slice(0, project.path.lastIndexOf('/')));
}

export function groupAnswer(ctx: GitLabContext, group: Group) {
  return {
    id: group.id,
    name: group.name,
    path: group.name,
    kind: 'group',
    full_path: group.path,
    full_name: group.path.split('/').join(' / '),
    parent_id: ctx.state.groups.get(group.path.slice(0, Math.max(0, group.path.lastIndexOf('/'))))?.id ?? null,
    avatar_url: null,
    web_url: `${ctx.publicUrl()}/groups/${group.path}`,
  };
}

/** What every project here has alike. */
const fixedSettings = {
  issues_enabled: true,
  merge_requests_enabled: true,
  environments_access_level: 'enabled',
  container_registry_enabled: true,
  open_issues_count: 0,
  ci_config_path: null,
  public_jobs: true,
  shared_with_groups: [],
  only_allow_merge_if_pipeline_succeeds: false,
  remove_source_branch_after_merge: true,
  merge_method: 'merge',
  squash_option: 'default_off',
};

function linksOf(api: string) {
  return {
    self: api,
    merge_requests: `${api}/merge_requests`,
    repo_branches: `${api}/repository/branches`,
    labels: `${api}/labels`,
    events: `${api}/events`,
    members: `${api}/members`,
  };
}

export function projectAnswer(ctx: GitLabContext, project: Project, user: User | null) {
  const group = groupOf(ctx, project);
  const webUrl = projectUrl(ctx, project);
  const api = `${ctx.publicUrl()}/api/v4/projects/${project.id}`;
  const path = project.path.slice(project.path.lastIndexOf('/') + 1);
  const level = accessLevel(project, user);
  const forkedFrom = ctx.state.projects.get(project.forkedFromId ?? -1);
  return {
    id: project.id,
    description: project.description,
    name: project.name,
    name_with_namespace: `${group?.name ?? ''} / ${project.name}`,
    path,
    path_with_namespace: project.path,
    created_at: apiTime(project.createdAt),
    default_branch: project.branches.size === 0 ? null : project.defaultBranch,
    tag_list: [],
    topics: [],
    ssh_url_to_repo: sshUrl(ctx, project),
    http_url_to_repo: cloneUrl(ctx, project),
    web_url: webUrl,
    readme_url: null,
    forks_count: 0,
    avatar_url: null,
    star_count: 0,
    last_activity_at: apiTime(project.lastActivityAt),
    namespace: group === undefined ? null : groupAnswer(ctx, group),
    _links: linksOf(api),
    empty_repo: project.branches.size === 0,
    archived: false,
    visibility: project.visibility,
    resolve_outdated_diff_discussions: false,
    jobs_enabled: project.pipelinePlan !== null,
    ...fixedSettings,
    creator_id: project.creatorId,
    ...(forkedFrom === undefined
      ? {}
      : {
          forked_from_project: {
            id: forkedFrom.id,
            path_with_namespace: forkedFrom.path,
            web_url: projectUrl(ctx, forkedFrom),
          },
        }),
    permissions: {
      project_access: level === 0 ? null : { access_level: level, notification_level: 3 },
      group_access: null,
    },
  };
}

export function commitAnswer(ctx: GitLabContext, project: Project, commit: CommitRecord) {
  return {
    id: commit.id,
    short_id: commit.id.slice(0, 8),
    created_at: apiTime(commit.committedAt),
    parent_ids: commit.parents,
    title: commit.message.split('\n')[0] ?? '',
    message: commit.message,
    author_name: commit.authorName,
    author_email: commit.authorEmail,
    authored_date: apiTime(commit.authoredAt),
    committer_name: commit.committerName,
    committer_email: commit.committerEmail,
    committed_date: apiTime(commit.committedAt),
    trailers: {},
    extended_trailers: {},
    web_url: commitUrl(ctx, project, commit.id),
  };
}

export function branchAnswer(ctx: GitLabContext, project: Project, name: string, commit: CommitRecord | null) {
  return {
    name,
    commit: commit === null ? null : commitAnswer(ctx, project, commit),
    merged: false,
    protected: name === project.defaultBranch,
    developers_can_push: false,
    developers_can_merge: false,
    can_push: true,
    default: name === project.defaultBranch,
    web_url: `${projectUrl(ctx, project)}/-/tree/${encodeURIComponent(name)}`,
  };
}
