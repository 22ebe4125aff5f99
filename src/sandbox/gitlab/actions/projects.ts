import { mkdir, rename } from 'node:fs/promises';
import { badRequest, conflict } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { Label, Project, User, Visibility } from '../model.js';
import { createBareRepository } from '../repository/git-repository.js';
import type { FileAction } from '../repository/repository.js';
import { nextId } from '../state.js';
import { addMember } from './users.js';

export interface NewProject {
  /** Full path, `group/project`. */
  path: string;
  name?: string;
  description?: string;
  /** Default `private`. */
  visibility?: Visibility;
  /** Default `main`. */
  defaultBranch?: string;
  /** Real Git content; default: whether the stand-in has a folder for it. */
  git?: boolean;
  forkedFrom?: Project;
}

const validPath = /^[A-Za-z0-9_][\w.-]*(\/[A-Za-z0-9_][\w.-]*)+$/;

/** Makes the project with its groups, labels and empty repository; the creator becomes its owner. */
export async function createProject(
  ctx: GitLabContext,
  creator: User,
  input: NewProject,
  gitRoot: string | null,
): Promise<Project> {
  if (!validPath.test(input.path)) throw badRequest({ path: ['can contain only letters, digits and . _ -'] });
  if (ctx.index.projectIds.has(input.path)) throw badRequest({ path: ['has already been taken'] });
  const now = ctx.clock();
  const groupPath = input.path.slice(0, input.path.lastIndexOf('/'));
  createGroup(ctx, groupPath);
  const project = emptyProject(nextId(ctx.state, 'project'), creator.id, input, now);
  project.git = input.git ?? gitRoot !== null;
  if (project.git) {
    if (gitRoot === null) throw conflict('No folder for repositories');
    await createBareRepository(`${gitRoot}/${project.path}.git`, project.defaultBranch);
    project.branches = await ctx.repository(project).branches();
  }
  ctx.state.projects.set(project.id, project);
  ctx.index.projectIds.set(project.path, project.id);
  addMember(ctx, project, creator, 50);
  return project;
}

/** Gives it another full path. The folder of its repository goes with it. */
export async function moveProject(
  ctx: GitLabContext,
  project: Project,
  path: string,
  gitRoot: string | null,
): Promise<void> {
  if (!validPath.test(path)) throw badRequest({ path: ['can contain only letters, digits and . _ -'] });
  if (ctx.index.projectIds.has(path)) throw badRequest({ path: ['has already been taken'] });
  const group = path.slice(0, path.lastIndexOf('/'));
  createGroup(ctx, group);
  if (project.git && gitRoot !== null) {
    await mkdir(`${gitRoot}/${group}`, { recursive: true });
    await rename(`${gitRoot}/${project.path}.git`, `${gitRoot}/${path}.git`);
  }
  ctx.index.projectIds.delete(project.path);
  project.formerPaths = [...(project.formerPaths ?? []).filter((former) => former !== path), project.path];
  project.path = path;
  ctx.index.projectIds.set(path, project.id);
}

/** Deletes it without a webhook, as GitLab does. What came from it to other projects has no source any more. */
export function removeProject(ctx: GitLabContext, project: Project): void {
  ctx.state.projects.delete(project.id);
  ctx.index.projectIds.delete(project.path);
  for (const target of ctx.state.projects.values()) {
    for (const mergeRequest of target.mergeRequests.values()) {
      if (mergeRequest.sourceProjectId === project.id) mergeRequest.sourceProjectId = null;
    }
  }
}

function emptyProject(id: number, creatorId: number, input: NewProject, now: number): Project {
  return {
    id,
    path: input.path,
    name: input.name ?? input.path.slice(input.path.lastIndexOf('/') + 1),
    description: input.description ?? '',
    visibility: input.visibility ?? 'private',
    defaultBranch: input.defaultBranch ?? 'main',
    git: false,
    creatorId,
    forkedFromId: input.forkedFrom?.id ?? null,
    createdAt: now,
    lastActivityAt: now,
    members: new Map(),
    branches: new Map(),
    labels: new Map(),
    mergeRequests: new Map(),
    lastIid: 0,
    pipelines: new Map(),
    lastPipelineIid: 0,
    pipelinePlan: null,
    environments: new Map(),
    deployments: new Map(),
    lastDeploymentIid: 0,
    hooks: new Map(),
    registry: new Map(),
    inventedCommits: new Map(),
  };
}

export function createGroup(ctx: GitLabContext, path: string): void {
  if (ctx.state.groups.has(path)) return;
  const parent = path.lastIndexOf('/');
  if (parent > 0) createGroup(ctx, path.slice(0, parent));
  ctx.state.groups.set(path, { id: nextId(ctx.state, 'namespace'), path, name: path.slice(parent + 1) });
}

/** The label of that name; made when it is new, as GitLab does when a merge request names it. */
export function labelOf(ctx: GitLabContext, project: Project, title: string): Label {
  const found = project.labels.get(title);
  if (found !== undefined) return found;
  const now = ctx.clock();
  const label: Label = {
    id: nextId(ctx.state, 'label'),
    title,
    color: '#6699cc',
    description: null,
    createdAt: now,
    updatedAt: now,
  };
  project.labels.set(title, label);
  return label;
}

export function fileActions(files: Record<string, string | Uint8Array>): FileAction[] {
  return Object.entries(files).map(([path, content]) => ({ action: 'create', path, content }));
}
