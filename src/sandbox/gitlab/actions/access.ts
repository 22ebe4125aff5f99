import { forbidden, notFound } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { Project, User } from '../model.js';

export const developer = 30;
export const maintainer = 40;

/** The user's access level in the project, inherited ones included; an administrator is owner everywhere. */
export function accessLevel(project: Project, user: User | null): number {
  if (user === null) return 0;
  if (user.admin) return 50;
  return project.members.get(user.id)?.accessLevel ?? 0;
}

export function canRead(project: Project, user: User | null): boolean {
  if (accessLevel(project, user) > 0 || project.visibility === 'public') return true;
  return user !== null && project.visibility === 'internal';
}

/** 403 for someone who may see the project but not do this. */
export function requireLevel(project: Project, user: User, level: number): void {
  if (accessLevel(project, user) < level) throw forbidden();
}

export function userOf(ctx: GitLabContext, id: number): User {
  const user = ctx.state.users.get(id);
  if (user === undefined) throw notFound('User');
  return user;
}

export function projectOf(ctx: GitLabContext, id: number): Project {
  const project = ctx.state.projects.get(id);
  if (project === undefined) throw notFound('Project');
  return project;
}

/** By numeric id or by full path; null when there is none. */
export function findProject(ctx: GitLabContext, idOrPath: string | number): Project | null {
  const byPath = ctx.index.projectIds.get(String(idOrPath));
  const id = byPath ?? (/^\d+$/.test(String(idOrPath)) ? Number(idOrPath) : Number.NaN);
  return ctx.state.projects.get(id) ?? null;
}

/** The project that had this path before; null when there is none. */
export function findMovedProject(ctx: GitLabContext, path: string): Project | null {
  for (const project of ctx.state.projects.values()) if (project.formerPaths?.includes(path) === true) return project;
  return null;
}
