import { accessLevel, canRead, developer } from '../actions/access.js';
import { isDraft } from '../actions/merge-requests.js';
import type { GitLabContext } from '../context.js';
import type { HookSender } from '../hooks/send-hooks.js';
import { avatarUrl, cloneUrl } from '../links.js';
import type { Job, MergeRequest, Note, Pipeline, Project, User } from '../model.js';

const emojiSigns: Partial<Record<string, string>> = {
  thumbsup: '👍',
  thumbsdown: '👎',
  eyes: '👀',
  rocket: '🚀',
  tada: '🎉',
  white_check_mark: '✅',
  x: '❌',
  hourglass: '⌛',
  heart: '❤️',
};

export interface Frame {
  ctx: GitLabContext;
  user: User;
}

const roles: Readonly<Record<number, string>> = {
  10: 'Guest',
  20: 'Reporter',
  30: 'Developer',
  40: 'Maintainer',
  50: 'Owner',
};

/** What the layout shows on every page. */
export function frameView({ ctx, user }: Frame, title: string, project: Project | null) {
  const people = [...ctx.state.users.values()].filter(({ bot }) => !bot);
  const role = (one: User): string => {
    if (one.admin) return 'administrator';
    return project === null ? '' : (roles[accessLevel(project, one)] ?? 'no member');
  };
  return {
    title,
    liveProject: project?.id ?? null,
    projectPath: project?.path ?? null,
    people: people.map((one) => ({
      id: one.id,
      username: one.username,
      role: role(one),
      chosen: one.id === user.id,
    })),
  };
}

export function homeView(frame: Frame) {
  const readable = [...frame.ctx.state.projects.values()].filter((project) => canRead(project, frame.user));
  const projects = readable.map((project) => ({
    path: project.path,
    description: project.description,
    visibility: project.visibility,
    open: [...project.mergeRequests.values()].filter(({ state }) => state === 'opened').length,
  }));
  return { ...frameView(frame, 'Projects', null), projects };
}

function briefView(ctx: GitLabContext, project: Project, mergeRequest: MergeRequest) {
  return {
    iid: mergeRequest.iid,
    title: mergeRequest.title,
    state: mergeRequest.state,
    href: `/${project.path}/-/merge_requests/${mergeRequest.iid}`,
    sourceBranch: mergeRequest.sourceBranch,
    targetBranch: mergeRequest.targetBranch,
    author: nameOf(ctx, mergeRequest.authorId),
    updatedAt: mergeRequest.updatedAt,
    labels: mergeRequest.labels,
  };
}

function nameOf(ctx: GitLabContext, id: number): string {
  return ctx.state.users.get(id)?.username ?? 'ghost';
}

const listedAtMost = 100;

export function projectView(frame: Frame, project: Project, sender: HookSender, files: FileList) {
  const { ctx, user } = frame;
  const mergeRequests = [...project.mergeRequests.values()].reverse().slice(0, listedAtMost);
  const hooks = [...project.hooks.values()].map(({ id, url }) => ({ id, url }));
  const deliveries = sender.deliveries
    .filter(({ projectId }) => projectId === project.id)
    .slice(-8)
    .reverse()
    .map(({ id, event, answers, lost }) => ({ id, event, answer: lost ? 'lost' : (answers.at(-1) ?? 'no answer') }));
  return {
    ...frameView(frame, project.path, project),
    project: { path: project.path, description: project.description, cloneUrl: cloneUrl(ctx, project) },
    mayWrite: accessLevel(project, user) >= developer,
    mergeRequests: mergeRequests.map((one) => briefView(ctx, project, one)),
    environments: environmentViews(project),
    branches: [...project.branches].map(([name, sha]) => ({ name, sha })).slice(0, listedAtMost),
    hooks,
    deliveries,
    files,
    isGit: project.git,
    suggestion: `change-${project.lastIid + 1}`,
  };
}

/** The files that may be edited, and one of them open. */
export interface FileList {
  paths: { path: string; chosen: boolean }[];
  content: string;
}

function environmentViews(project: Project) {
  return [...project.environments.values()].reverse().map((environment) => {
    const last = [...project.deployments.values()].findLast(({ environmentId }) => environmentId === environment.id);
    return {
      name: environment.name,
      state: environment.state,
      url: environment.externalUrl,
      isLink: /^https?:\/\//.test(environment.externalUrl ?? ''),
      deployment: last?.status ?? null,
      sha: last?.sha ?? null,
    };
  });
}

export function jobView(job: Job) {
  const isLink = /^https?:\/\//.test(job.targetUrl ?? '');
  return {
    name: job.name,
    stage: job.stage,
    status: job.status,
    description: job.description,
    url: isLink ? job.targetUrl : null,
  };
}

export function pipelineView(project: Project, pipeline: Pipeline) {
  return {
    id: pipeline.id,
    status: pipeline.status,
    source: pipeline.source,
    sha: pipeline.sha,
    href: `/${project.path}/-/pipelines/${pipeline.id}`,
    jobs: pipeline.jobs.filter(({ kind, retried }) => kind !== 'external' && !retried).map(jobView),
  };
}

function noteView(ctx: GitLabContext, note: Note) {
  const author = ctx.state.users.get(note.authorId);
  const counts = new Map<string, string[]>();
  for (const { name, userId } of note.awards) counts.set(name, [...(counts.get(name) ?? []), nameOf(ctx, userId)]);
  return {
    id: note.id,
    author: author?.username ?? 'ghost',
    avatar: author === undefined ? null : new URL(avatarUrl(ctx, author)).pathname,
    isBot: author?.bot ?? false,
    createdAt: note.createdAt,
    editedAt: note.updatedAt > note.createdAt ? note.updatedAt : null,
    body: note.body,
    awards: [...counts].map(([name, who]) => ({ sign: emojiSigns[name] ?? `:${name}:`, who: who.join(', ') })),
  };
}

export function mergeRequestView(frame: Frame, project: Project, mergeRequest: MergeRequest, files: FileList) {
  const { ctx, user } = frame;
  const notes = [...mergeRequest.notes.values()];
  const pipelines = mergeRequest.versions
    .flatMap(({ headSha }) => ctx.index.pipelinesBySha.get(`${project.id}:${headSha}`) ?? [])
    .filter((one, at, all) => all.indexOf(one) === at && one.ref === mergeRequest.sourceBranch);
  const statuses = pipelines
    .filter(({ sha }) => sha === mergeRequest.headSha)
    .flatMap(({ jobs }) => jobs.filter(({ kind, retried }) => kind === 'external' && !retried));
  const isOpen = mergeRequest.state === 'opened';
  const mayWrite = accessLevel(project, user) >= developer;
  return {
    ...frameView(frame, `${mergeRequest.title} (!${mergeRequest.iid})`, project),
    project: { path: project.path },
    mergeRequest: { ...briefView(ctx, project, mergeRequest), description: mergeRequest.description },
    head: mergeRequest.headSha,
    commit: mergeRequest.lastCommit?.message.split('\n')[0] ?? '',
    commitHref: `/${project.path}/-/commit/${mergeRequest.headSha}`,
    isOpen,
    isDraft: isDraft(mergeRequest.title),
    mayMerge: isOpen && mayWrite && !isDraft(mergeRequest.title),
    mayReopen: mergeRequest.state === 'closed' && mayWrite,
    mayWrite,
    mayPush: mayWrite && project.branches.has(mergeRequest.sourceBranch),
    notes: notes.map((note) => ({ ...noteView(ctx, note), system: note.system })),
    statuses: statuses.map(jobView),
    pipelines: pipelines
      .reverse()
      .slice(0, 5)
      .map((pipeline) => pipelineView(project, pipeline)),
    environments: environmentViews(project).slice(0, 20),
    files,
  };
}
