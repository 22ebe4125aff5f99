import { findProject } from './actions/access.js';
import { createHook, type NewHook } from './actions/hooks.js';
import { createOAuthApp, type NewOAuthApp } from './actions/oauth.js';
import { createProject, fileActions, moveProject, type NewProject, removeProject } from './actions/projects.js';
import { commitFiles, lockOf, recordPush } from './actions/push.js';
import { addImage } from './actions/registry.js';
import { addMember, createToken, createUser, type NewToken, type NewUser } from './actions/users.js';
import type { GitLabContext } from './context.js';
import { type Hook, type HookEvent, hookEvents } from './hooks/hook.js';
import type { AccessLevel, CommitRecord, OAuthApp, Project, User } from './model.js';

/** A project by record, path or id. */
export type ProjectRef = Project | string | number;

/** What tests and the sandbox do to projects without HTTP; webhooks follow all the same. */
export interface ProjectProgram {
  /** `files` become the first commit of the default branch. */
  createProject: (input: NewProject & { files?: Record<string, string>; owner?: User }) => Promise<Project>;
  project: (ref: ProjectRef) => Project;
  /** Makes the user when new, and a member of `project` with that level (default 30, Developer). */
  addUser: (input: NewUser & { project?: ProjectRef; accessLevel?: AccessLevel; inherited?: boolean }) => User;
  tokenFor: (user: User, options?: Omit<NewToken, 'user'>) => string;
  removeMember: (project: ProjectRef, user: User) => void;
  /** Renames it, or moves it to another group; its repository goes with it, and the old path sends to its id. */
  moveProject: (project: ProjectRef, path: string) => Promise<void>;
  /** Deletes it. Merge requests that came from it stay in their target project, without a source. */
  removeProject: (project: ProjectRef) => void;
  /** Default: it hears every event. */
  addHook: (project: ProjectRef, input: NewHook) => Hook;
  /** Commits files (null deletes one) to a branch, which is made from the default branch when it is new. */
  push: (
    project: ProjectRef,
    input: { branch: string; files?: Record<string, string | null>; message?: string; user?: User; start?: string },
  ) => Promise<CommitRecord>;
  /** Lets an image exist in the project's registry. */
  addImage: (project: ProjectRef, tag: string, name?: string) => void;
  /** A client that may sign people in. */
  addOAuthApp: (input: NewOAuthApp) => OAuthApp;
  /**
   * Looks at the branches of a project that a Git client has pushed to, and does what a push does. Takes the repository's
   * path too (`acme/shop.git`); one that belongs to no project is left alone.
   */
  noticePush: (project: ProjectRef, user?: User) => Promise<void>;
  /** The same for every project. */
  rescan: () => Promise<void>;
}

const everyEvent = Object.fromEntries(hookEvents.map((event) => [event, true])) as Record<HookEvent, boolean>;

export function projectFinder(ctx: GitLabContext): (ref: ProjectRef) => Project {
  return (ref) => {
    const project = typeof ref === 'object' ? ref : findProject(ctx, ref);
    if (project === null) throw new Error(`no project ${String(ref)}`);
    return project;
  };
}

export function createProjectProgram(ctx: GitLabContext, root: User, gitRoot: string | null): ProjectProgram {
  const find = projectFinder(ctx);
  return {
    createProject: (input) => seedProject(ctx, root, gitRoot, input),
    project: find,
    addUser: ({ project, accessLevel, inherited, ...input }) => {
      const known = ctx.state.users.get(ctx.index.userIds.get(input.username) ?? -1);
      const user = known ?? createUser(ctx, input);
      if (project !== undefined) addMember(ctx, find(project), user, accessLevel ?? 30, inherited);
      return user;
    },
    tokenFor: (user, options) => createToken(ctx, { ...options, user }).value,
    removeMember: (project, user) => {
      find(project).members.delete(user.id);
    },
    moveProject: (project, path) => moveProject(ctx, find(project), path, gitRoot),
    removeProject: (project) => removeProject(ctx, find(project)),
    addHook: (project, input) => createHook(ctx, find(project), { ...input, events: input.events ?? everyEvent }),
    push: createPush(ctx, root),
    addImage: (project, tag, name = '') => addImage(ctx, find(project), name, tag),
    addOAuthApp: (input) => createOAuthApp(ctx, input),
    noticePush: async (ref, user = root) => {
      const project = typeof ref === 'string' ? findProject(ctx, ref.replace(/\.git$/, '')) : find(ref);
      if (project !== null) await noticePush(ctx, project, user);
    },
    rescan: async () => {
      for (const project of ctx.state.projects.values()) await noticePush(ctx, project, root);
    },
  };
}

async function seedProject(
  ctx: GitLabContext,
  root: User,
  gitRoot: string | null,
  { files, owner = root, ...input }: Parameters<ProjectProgram['createProject']>[0],
): Promise<Project> {
  const project = await createProject(ctx, owner, input, gitRoot);
  if (project.branches.size > 0 || (files === undefined && project.git)) return project;
  const actions = fileActions(files ?? {});
  await commitFiles(ctx, project, owner, { branch: project.defaultBranch, message: 'Initial commit', actions });
  return project;
}

export function createPush(ctx: GitLabContext, root: User): ProjectProgram['push'] {
  const find = projectFinder(ctx);
  let pushes = 0;
  return (ref, input) => {
    pushes += 1;
    const files = input.files ?? { 'CHANGES.md': `change ${pushes} of ${input.branch}\n` };
    return commitFiles(ctx, find(ref), input.user ?? root, {
      branch: input.branch,
      message: input.message ?? `Change ${Object.keys(files).join(', ')}`,
      actions: Object.entries(files).map(([path, content]) =>
        content === null ? { action: 'delete', path } : { action: 'put', path, content },
      ),
      ...(input.start === undefined ? {} : { start: input.start }),
    });
  };
}

async function noticePush(ctx: GitLabContext, project: Project, user: User): Promise<void> {
  if (!project.git) return;
  await ctx.exclusive(lockOf(project), async () => {
    const now = await ctx.repository(project).branches();
    for (const branch of new Set([...project.branches.keys(), ...now.keys()])) {
      const before = project.branches.get(branch) ?? null;
      const after = now.get(branch) ?? null;
      if (before !== after) await recordPush(ctx, { project, user, branch, before, after });
    }
  });
}
