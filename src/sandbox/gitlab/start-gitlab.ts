import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { resumePipelines } from './actions/pipelines.js';
import { createToken, createUser } from './actions/users.js';
import { createApi } from './api/api.js';
import { applyFaults } from './api/apply-faults.js';
import { environmentRoutes } from './api/environment-routes.js';
import { createFaultRoutes } from './api/fault-routes.js';
import { fileRoutes } from './api/file-routes.js';
import { groupRoutes } from './api/group-routes.js';
import { hookRoutes } from './api/hook-routes.js';
import { mergeRequestRoutes } from './api/merge-request-routes.js';
import { noteRoutes } from './api/note-routes.js';
import { createOAuthRoutes } from './api/oauth-routes.js';
import { pipelineRoutes } from './api/pipeline-routes.js';
import { projectRoutes } from './api/project-routes.js';
import { registryRoutes } from './api/registry-routes.js';
import { repositoryRoutes } from './api/repository-routes.js';
import { userRoutes } from './api/user-routes.js';
import type { GitLabContext } from './context.js';
import type { GitLabEvent } from './event.js';
import { createFaultSwitch, type FaultSwitch } from './faults.js';
import { createHookSender, type HookSender } from './hooks/send-hooks.js';
import { createKeyedQueue } from './keyed-queue.js';
import {
  createMergeRequestProgram,
  createPipelineProgram,
  type MergeRequestProgram,
  type PipelineProgram,
} from './merge-request-program.js';
import type { User } from './model.js';
import { createPages } from './pages/page-routes.js';
import { refuseForeignOrigins } from './pages/refuse-foreign-origins.js';
import { createPageRenderer } from './pages/render-page.js';
import { createProjectProgram, type ProjectProgram } from './program.js';
import { createRepositories } from './repository/create-repositories.js';
import { indexState } from './state.js';
import { loadState, saveState } from './state-file.js';

export interface GitLabOptions {
  /** Default: a free one. */
  port?: number;
  /** Folder of bare repositories `<group>/<project>.git`; absent: projects have no content. */
  gitRoot?: string;
  /** Base of the Git HTTP server that serves `gitRoot`; default: the stand-in's own address. */
  gitUrl?: string;
  /** Base of all links; default: the address it listens on. */
  publicUrl?: string;
  /** Where the state is kept between starts; absent: it is lost. */
  dataFile?: string;
  log?: Logger;
  /** Epoch milliseconds; default: the machine's. */
  clock?: () => number;
  /** From 0 up to 1; decides which deliveries go astray. */
  random?: () => number;
}

export interface GitLab extends ProjectProgram, MergeRequestProgram, PipelineProgram {
  /** Where it listens. */
  url: string;
  /** A token of `root` with scope `api`. */
  token: string;
  root: User;
  hooks: HookSender;
  faults: FaultSwitch;
  ctx: GitLabContext;
  /** Hears of every change; gives what ends it. */
  onEvent: (listener: (event: GitLabEvent) => void) => () => void;
  close: () => Promise<void>;
}

const saveEveryMs = 500;

/** Starts a GitLab that is none: REST API, webhooks and pages over real HTTP on 127.0.0.1. */
export async function startGitLab(options: GitLabOptions = {}): Promise<GitLab> {
  const gitRoot = options.gitRoot ?? null;
  const app = express();
  const { server, url, open } = await listen(app, options.port ?? 0);
  const world = createWorld(options, url);
  const { ctx, hooks } = world;
  const root = rootUser(ctx);
  const projects = createProjectProgram(ctx, root, gitRoot);
  await projects.rescan();
  for (const project of ctx.state.projects.values()) resumePipelines(ctx, project);
  const faults = createFaultSwitch();
  mount(app, world, faults, gitRoot);
  open();
  return {
    ...projects,
    ...createMergeRequestProgram(ctx, root),
    ...createPipelineProgram(ctx, root),
    url,
    token: rootToken(ctx, root),
    root,
    hooks,
    faults,
    ctx,
    onEvent: world.onEvent,
    close: async () => {
      server.close();
      server.closeAllConnections();
      world.stop();
      await hooks.close();
    },
  };
}

/** Listens at once, so that the address is known, and answers from `open` on. */
async function listen(app: Express, port: number): Promise<{ server: Server; url: string; open: () => void }> {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const server = createServer((request, response) => {
    void opened.then(() => app(request, response));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, open };
}

interface World {
  ctx: GitLabContext;
  hooks: HookSender;
  onEvent: GitLab['onEvent'];
  /** Has the state written soon. */
  changed: () => void;
  stop: () => void;
}

function createWorld(options: GitLabOptions, url: string): World {
  const state = loadState(options.dataFile ?? null);
  const listeners = new Set<(event: GitLabEvent) => void>();
  const timers = createTimers();
  const saving = keepSaving(options.dataFile ?? null, () => saveState(options.dataFile ?? '', state));
  const ctx: GitLabContext = {
    state,
    index: indexState(state),
    clock: options.clock ?? Date.now,
    publicUrl: () => options.publicUrl ?? url,
    gitUrl: () => options.gitUrl ?? options.publicUrl ?? url,
    repository: createRepositories(state, options.gitRoot ?? null),
    hears: (project, event) => hooks.hears(project, event),
    exclusive: createKeyedQueue(),
    emit: (event) => {
      saving.changed();
      hooks.send(event);
      for (const listener of listeners) listener(event);
    },
    later: timers.later,
    log: options.log ?? null,
  };
  const hooks = createHookSender(ctx, options.random ?? Math.random);
  return {
    ctx,
    hooks,
    changed: saving.changed,
    onEvent: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    stop: () => {
      timers.stop();
      saving.stop();
    },
  };
}

function mount(app: Express, world: World, faults: FaultSwitch, gitRoot: string | null): void {
  const { ctx, hooks, onEvent } = world;
  const renderPage = createPageRenderer();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use((request, response, next) => {
    if (request.method !== 'GET') response.on('close', world.changed);
    next();
  });
  const routes = [
    userRoutes,
    projectRoutes(gitRoot),
    repositoryRoutes,
    mergeRequestRoutes,
    noteRoutes,
    hookRoutes(hooks),
    pipelineRoutes,
    environmentRoutes,
    fileRoutes,
    groupRoutes,
    registryRoutes,
  ];
  app.use('/api/v4', applyFaults(faults), createApi(ctx, routes));
  app.use('/-/sandbox/faults', refuseForeignOrigins(ctx.publicUrl), createFaultRoutes(faults));
  app.use(createOAuthRoutes(ctx, renderPage));
  app.use(createPages({ ctx, hooks, onEvent }, renderPage));
}

function createTimers(): { later: GitLabContext['later']; stop: () => void } {
  const timers = new Set<NodeJS.Timeout>();
  return {
    later: (delayMs, run) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        run();
      }, delayMs);
      timers.add(timer);
    },
    stop: () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

function rootUser(ctx: GitLabContext): User {
  const found = ctx.state.users.get(ctx.index.userIds.get('root') ?? -1);
  return found ?? createUser(ctx, { username: 'root', name: 'Administrator', email: 'admin@example.com', admin: true });
}

function rootToken(ctx: GitLabContext, root: User): string {
  const found = [...ctx.state.tokens.values()].find(({ userId, name }) => userId === root.id && name === 'stand-in');
  return (found ?? createToken(ctx, { user: root, name: 'stand-in' })).value;
}

/** Writes the state soon after it changed, while there is anywhere to write to, and once more at the end. */
function keepSaving(file: string | null, save: () => void): { changed: () => void; stop: () => void } {
  let timer: NodeJS.Timeout | null = null;
  const changed = (): void => {
    if (file === null || timer !== null) return;
    timer = setTimeout(() => {
      timer = null;
      save();
    }, saveEveryMs);
    timer.unref();
  };
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer);
    if (file !== null) save();
  };
  return { changed, stop };
}
