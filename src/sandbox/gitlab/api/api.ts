import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { canRead, findMovedProject, findProject } from '../actions/access.js';
import { ApiError, notFound, unauthorized } from '../api-error.js';
import type { GitLabContext } from '../context.js';
import type { MergeRequest, Project, Token, User } from '../model.js';
import { RepositoryError } from '../repository/repository.js';
import type { Answer, Call } from './call.js';
import { paginate } from './paginate.js';

type Handler = (call: Call) => Answer | Promise<Answer>;
type Method = 'get' | 'post' | 'put' | 'delete';

/** What a file of routes registers with. */
export interface Api {
  ctx: GitLabContext;
  on: (method: Method, path: string, handler: Handler) => void;
}

const requestsPerMinute = 2_000;

/** The router of `/api/v4`: credentials, errors and rate-limit headers are its business, the rest the routes'. */
export function createApi(ctx: GitLabContext, register: ((api: Api) => void)[]): Router {
  const router = Router();
  router.use(express.json({ limit: '30mb' }), express.urlencoded({ extended: false, limit: '30mb' }));
  const api: Api = {
    ctx,
    on: (method, path, handler) => {
      router[method](path, async (request, response) => {
        const { user, token } = authenticate(ctx, request);
        send(ctx, response, await handler(callOf(request, user, token)));
      });
    },
  };
  for (const routes of register) routes(api);
  router.use(() => {
    throw new ApiError(404, { error: '404 Not Found' });
  });
  router.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) next(error);
    else sendError(ctx, response, error);
  });
  return router;
}

function callOf(request: Request, user: User, token: Token): Call {
  const [path = '', rawQuery = ''] = request.originalUrl.split('?');
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.params)) {
    params[name] = Array.isArray(value) ? value.join('/') : value;
  }
  const body: Record<string, unknown> = typeof request.body === 'object' && request.body !== null ? request.body : {};
  return { user, token, path, params, query: Object.fromEntries(new URLSearchParams(rawQuery)), rawQuery, body };
}

/** Whom the token in `PRIVATE-TOKEN`, `JOB-TOKEN`-less `Authorization: Bearer` or `private_token` belongs to. */
function authenticate(ctx: GitLabContext, request: Request): { user: User; token: Token } {
  const bearer = /^Bearer (.+)$/i.exec(request.get('authorization') ?? '')?.[1];
  const value = request.get('private-token') ?? bearer;
  const token = ctx.state.tokens.get(value ?? '');
  const user = ctx.state.users.get(token?.userId ?? -1);
  if (token === undefined || user === undefined) throw unauthorized();
  const description = tokenProblem(token, ctx.clock());
  if (description !== null) throw new ApiError(401, { error: 'invalid_token', error_description: description });
  const reads = request.method === 'GET' || request.method === 'HEAD';
  if (!token.scopes.includes('api') && !(reads && token.scopes.includes('read_api'))) {
    const self = request.path === '/user' && token.scopes.some((scope) => ['read_user', 'openid'].includes(scope));
    if (!self) {
      throw new ApiError(403, {
        error: 'insufficient_scope',
        error_description: 'The request requires higher privileges than provided by the access token.',
        scope: 'api',
      });
    }
  }
  return { user, token };
}

function tokenProblem(token: Token, now: number): string | null {
  if (token.revoked) return 'Token was revoked. You have to re-authorize from the user.';
  if (token.expiresAt !== null && token.expiresAt <= now) {
    return 'Token is expired. You can either do re-authorization or token refresh.';
  }
  return null;
}

function limitHeaders(ctx: GitLabContext): Record<string, string> {
  const seconds = Math.ceil(ctx.clock() / 60_000) * 60;
  return {
    'ratelimit-limit': String(requestsPerMinute),
    'ratelimit-name': 'throttle_authenticated_api',
    'ratelimit-observed': '1',
    'ratelimit-remaining': String(requestsPerMinute - 1),
    'ratelimit-reset': String(seconds),
  };
}

function send(ctx: GitLabContext, response: Response, answer: Answer): void {
  response.status(answer.status).set({ ...limitHeaders(ctx), ...answer.headers });
  if (answer.status === 204) response.end();
  else if (Buffer.isBuffer(answer.body)) response.send(answer.body);
  else response.json(answer.body);
}

const repositoryStatus = { missing: 400, exists: 400, conflict: 400, moved: 409 } as const;

function sendError(ctx: GitLabContext, response: Response, error: unknown): void {
  response.set(limitHeaders(ctx));
  if (error instanceof ApiError) response.status(error.status).set(error.headers).json(error.body);
  else if (error instanceof RepositoryError) {
    response.status(repositoryStatus[error.reason]).json({ message: error.message });
  } else if (isHttpError(error)) response.status(error.status).json({ error: error.message });
  else {
    ctx.log?.error({ err: error }, 'the GitLab stand-in failed to answer');
    response.status(500).json({ message: '500 Internal Server Error' });
  }
}

/** What express refuses before a route sees it: a body that is too large or no JSON, a path that cannot be decoded. */
function isHttpError(error: unknown): error is Error & { status: number } {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && error.status < 500;
}

export function ok(body: unknown): Answer {
  return { status: 200, body };
}

export function created(body: unknown): Answer {
  return { status: 201, body };
}

export const gone: Answer = { status: 204, body: null };

/** One page of a list, each item written only when it is on the page. */
export function listed<T>(ctx: GitLabContext, call: Call, all: T[], write: (item: T) => unknown): Answer {
  const { items, headers } = paginate(ctx, call, all);
  return { status: 200, body: items.map(write), headers };
}

/** The project of the path; 404 also when the user may not see it, 301 to its id by a path that it had before. */
export function projectOfCall(ctx: GitLabContext, call: Call): Project {
  const named = call.params.id ?? '';
  const project = findProject(ctx, named);
  const moved = project === null ? findMovedProject(ctx, named) : null;
  if (moved !== null && canRead(moved, call.user)) {
    const location = `${ctx.publicUrl()}/api/v4/projects/${moved.id}`;
    throw new ApiError(301, { message: '301 Moved Permanently' }, { location });
  }
  if (project === null || !canRead(project, call.user)) throw notFound('Project');
  return project;
}

export function mergeRequestOfCall(project: Project, call: Call): MergeRequest {
  const mergeRequest = project.mergeRequests.get(Number(call.params.iid));
  if (mergeRequest === undefined) throw new ApiError(404, { message: '404 Not found' });
  return mergeRequest;
}
