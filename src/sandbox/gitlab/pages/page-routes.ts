import { fileURLToPath } from 'node:url';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { canRead, findProject } from '../actions/access.js';
import { ApiError, notFound } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { GitLabEvent } from '../event.js';
import type { HookSender } from '../hooks/send-hooks.js';
import type { MergeRequest, Project, User } from '../model.js';
import { RepositoryError } from '../repository/repository.js';
import { actingCookie, actingUser } from './acting-user.js';
import { editableFiles, readText } from './editable-files.js';
import { liveEvents } from './live-events.js';
import { type Form, mergeRequestActions, openFromPage } from './page-actions.js';
import { refuseForeignOrigins } from './refuse-foreign-origins.js';
import { type PageName, type RenderPage, templateFolder } from './render-page.js';
import { frameView, homeView, jobView, mergeRequestView, pipelineView, projectView } from './views.js';

export interface PageDeps {
  ctx: GitLabContext;
  hooks: HookSender;
  onEvent: (listener: (event: GitLabEvent) => void) => () => void;
}

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "script-src 'self'",
  "connect-src 'self'",
  "img-src 'self' http: https:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

type Render = (response: Response, name: PageName, view: Record<string, unknown>, status?: number) => void;

/** The pages where a person opens, pushes to, comments on, merges and closes merge requests. */
export function createPages(deps: PageDeps, renderPage: RenderPage): Router {
  const { ctx } = deps;
  const render: Render = (response, name, view, status = 200) => {
    response.status(status).type('html').send(renderPage(name, view));
  };
  const router = Router();
  router.use(refuseForeignOrigins(ctx.publicUrl), (_request, response, next) => {
    response.set({
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
    });
    next();
  });
  assetRoutes(router, deps);
  router.get('/', (request, response) => {
    render(response, 'home', homeView({ ctx, user: actingUser(ctx, request) }));
  });
  readRoutes(router, deps, render);
  projectRoutes(router, deps, render);
  writeRoutes(router, deps);
  router.use((error: unknown, request: Request, response: Response, next: NextFunction) => {
    const problem = problemOf(error);
    if (response.headersSent || problem === null) next(error);
    else {
      const frame = frameView({ ctx, user: actingUser(ctx, request) }, problem.title, null);
      const back = request.get('referer') ?? '/';
      render(response, 'message', { ...frame, message: problem.message, back }, problem.status);
    }
  });
  return router;
}

function problemOf(error: unknown): { status: number; title: string; message: string } | null {
  if (error instanceof RepositoryError) return { status: 409, title: 'Not done', message: error.message };
  if (!(error instanceof ApiError)) return null;
  const body = typeof error.body === 'object' && error.body !== null ? Object.values(error.body) : [];
  const title = error.status === 404 ? 'Not found' : 'Not done';
  return {
    status: error.status,
    title,
    message: body.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' '),
  };
}

function assetRoutes(router: Router, { ctx, onEvent }: PageDeps): void {
  for (const name of ['style.css', 'live.js']) {
    router.get(`/-/sandbox/${name}`, (_request, response) => {
      response.sendFile(name, { root: fileURLToPath(templateFolder) });
    });
  }
  router.get('/favicon.ico', (_request, response) => {
    response.status(204).end();
  });
  router.get('/-/sandbox/events', liveEvents(onEvent));
  router.get('/uploads/-/system/user/avatar/:userId/avatar.png', (request, response) => {
    const user = ctx.state.users.get(Number(request.params.userId));
    const letter = (user?.username ?? '?')
      .charAt(0)
      .toUpperCase()
      .replace(/[^A-Z0-9]/, '?');
    const hue = (Number(request.params.userId) * 67) % 360;
    const text = `<text x="16" y="22" font-family="sans-serif" font-size="17" text-anchor="middle" fill="#fff">${letter}</text>`;
    const shape = `<circle cx="16" cy="16" r="16" fill="hsl(${hue} 45% 42%)"/>`;
    response.type('image/svg+xml');
    response.send(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">${shape}${text}</svg>`);
  });
}

/** Everything under a project; its path may have any number of groups. */
const projectPaths = {
  mergeRequest: /^\/(.+?)\/-\/merge_requests\/(\d+)\/?$/,
  mergeRequestAction: /^\/(.+?)\/-\/merge_requests\/(\d+)\/([a-z]+)$/,
  mergeRequests: /^\/(.+?)\/-\/merge_requests\/?$/,
  pipeline: /^\/(.+?)\/-\/pipelines\/(\d+)$/,
  commit: /^\/(.+?)\/-\/commit\/([0-9a-f]{40})$/,
  file: /^\/(.+?)\/-\/sandbox-file$/,
  resend: /^\/(.+?)\/-\/deliveries\/(\d+)\/resend$/,
  project: /^\/([\w.-]+(?:\/[\w.-]+)+)\/?$/,
};

function projectAt(ctx: GitLabContext, user: User, path: string | undefined): Project {
  const project = findProject(ctx, path ?? '');
  if (project === null || !canRead(project, user)) throw notFound('Project');
  return project;
}

function mergeRequestAt(project: Project, iid: string | undefined): MergeRequest {
  const mergeRequest = project.mergeRequests.get(Number(iid));
  if (mergeRequest === undefined) throw notFound('Merge Request');
  return mergeRequest;
}

function parts(request: Request, pattern: RegExp): (string | undefined)[] {
  return pattern.exec(decodeURI(request.path))?.slice(1) ?? [];
}

function readRoutes(router: Router, { ctx }: PageDeps, render: Render): void {
  router.get(projectPaths.mergeRequest, async (request, response) => {
    const [path, iid] = parts(request, projectPaths.mergeRequest);
    const frame = { ctx, user: actingUser(ctx, request) };
    const project = projectAt(ctx, frame.user, path);
    const mergeRequest = mergeRequestAt(project, iid);
    const files = await editableFiles(ctx, project, mergeRequest.sourceBranch, null);
    render(response, 'merge-request', mergeRequestView(frame, project, mergeRequest, files));
  });
  router.get(projectPaths.pipeline, (request, response) => {
    const [path, id] = parts(request, projectPaths.pipeline);
    const frame = { ctx, user: actingUser(ctx, request) };
    const project = projectAt(ctx, frame.user, path);
    const pipeline = project.pipelines.get(Number(id));
    if (pipeline === undefined) throw notFound('Pipeline');
    const view = { ...pipelineView(project, pipeline), all: pipeline.jobs.map(jobView) };
    const title = `Pipeline #${pipeline.id}`;
    render(response, 'pipeline', {
      ...frameView(frame, title, project),
      pipeline: view,
      project: { path: project.path },
    });
  });
  router.get(projectPaths.commit, async (request, response) => {
    const [path, sha] = parts(request, projectPaths.commit);
    const frame = { ctx, user: actingUser(ctx, request) };
    const project = projectAt(ctx, frame.user, path);
    const commit = await ctx.repository(project).commit(sha ?? '');
    if (commit === null) throw notFound('Commit');
    const [changed] = await ctx.repository(project).changedPaths([commit]);
    const title = `Commit ${commit.id.slice(0, 8)}`;
    render(response, 'commit', {
      ...frameView(frame, title, project),
      commit,
      changed,
      project: { path: project.path },
    });
  });
}

function projectRoutes(router: Router, { ctx, hooks }: PageDeps, render: Render): void {
  router.get(projectPaths.file, async (request, response) => {
    const project = projectAt(ctx, actingUser(ctx, request), parts(request, projectPaths.file)[0]);
    const sha = project.branches.get(String(request.query.branch)) ?? project.branches.get(project.defaultBranch);
    const content = sha === undefined ? null : await readText(ctx, project, sha, String(request.query.path));
    if (content === null) throw notFound('File');
    response.type('text/plain').send(content);
  });
  router.get([projectPaths.mergeRequests, projectPaths.project], async (request, response) => {
    const path = parts(request, projectPaths.mergeRequests)[0] ?? parts(request, projectPaths.project)[0];
    const frame = { ctx, user: actingUser(ctx, request) };
    const project = projectAt(ctx, frame.user, path);
    const files = await editableFiles(ctx, project, project.defaultBranch, null);
    render(response, 'project', projectView(frame, project, hooks, files));
  });
}

function writeRoutes(router: Router, { ctx, hooks }: PageDeps): void {
  router.use(express.urlencoded({ extended: false, limit: '2mb' }));
  const formOf = (request: Request, path: string | undefined): Form => {
    const user = actingUser(ctx, request);
    const body: Record<string, unknown> = typeof request.body === 'object' && request.body !== null ? request.body : {};
    const field = (name: string): string => (typeof body[name] === 'string' ? body[name] : '');
    return { ctx, user, project: projectAt(ctx, user, path), field };
  };
  router.post('/-/sandbox/act-as', (request, response) => {
    response.set('set-cookie', actingCookie(Number(request.body?.user)));
    response.redirect(303, request.get('referer') ?? '/');
  });
  router.post(projectPaths.mergeRequestAction, async (request, response) => {
    const [path, iid, name] = parts(request, projectPaths.mergeRequestAction);
    const form = formOf(request, path);
    const act = mergeRequestActions[name ?? ''];
    if (act === undefined) throw notFound('Page');
    await act(form, mergeRequestAt(form.project, iid));
    response.redirect(303, `/${form.project.path}/-/merge_requests/${iid}`);
  });
  router.post(projectPaths.mergeRequests, async (request, response) => {
    const form = formOf(request, parts(request, projectPaths.mergeRequests)[0]);
    const mergeRequest = await openFromPage(form);
    response.redirect(303, `/${form.project.path}/-/merge_requests/${mergeRequest.iid}`);
  });
  router.post(projectPaths.resend, async (request, response) => {
    const [path, id] = parts(request, projectPaths.resend);
    const form = formOf(request, path);
    await hooks.resend(Number(id));
    response.redirect(303, `/${form.project.path}`);
  });
}
