import type { ErrorRequestHandler, RequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { AppError, type Disposition, isAppError } from '../../error/app-error.js';

/** An answer that is a refusal, as a problem document of RFC 9457. */
export interface Problem {
  status: number;
  /** Stable, kebab-case; what callers match on. */
  code: string;
  /** What happened, to which preview, and what to do. */
  detail: string;
  /** Shown beside it, such as the errors of single fields. */
  extra?: Record<string, unknown>;
}

const titles: Record<number, string> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  422: 'Cannot be done as it is',
  500: 'Internal error',
  503: 'Not available',
};

function sendProblem(response: Response, problem: Problem): void {
  const { status, code, detail, extra } = problem;
  const title = titles[status] ?? 'Error';
  response
    .status(status)
    .type('application/problem+json')
    .send(JSON.stringify({ ...extra, type: 'about:blank', title, status, detail, code }));
}

/** Thrown inside a handler: becomes the answer. */
export function refuse(problem: Omit<Problem, 'extra'>): AppError {
  const { status, code, detail } = problem;
  return new AppError({ code, disposition: 'stall', publicMessage: detail, data: { status } });
}

/** For paths that nothing answers. */
export const notFound: RequestHandler = (request, response) => {
  const detail = `There is nothing at ${request.method} ${request.baseUrl}${request.path}.`;
  sendProblem(response, { status: 404, code: 'no-such-route', detail });
};

const statusOf: Record<Disposition, number> = { retry: 503, wait: 409, stall: 500 };

/** Every error as a problem document. What was not meant for people is logged and told as an internal error. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    if (isAppError(error)) {
      const given = error.data.status;
      const status = typeof given === 'number' ? given : statusOf[error.disposition];
      if (status >= 500) log.error({ err: error, path: request.path }, 'request failed');
      if (status === 503) response.setHeader('Retry-After', '10');
      return sendProblem(response, { status, code: error.code, detail: error.publicMessage });
    }
    const status = bodyErrorStatus(error);
    if (status !== null) {
      const detail = status === 413 ? 'The body is too large.' : 'The body is not the JSON that is expected here.';
      return sendProblem(response, { status, code: 'bad-body', detail });
    }
    log.error({ err: error, path: request.path }, 'request failed unexpectedly');
    const detail = 'Something went wrong inside Mayfly. Its log has the details; try again later.';
    return sendProblem(response, { status: 500, code: 'internal', detail });
  };
}

/** The body parser's own errors have a status below 500. */
function bodyErrorStatus(error: unknown): number | null {
  if (!(error instanceof Error) || !('type' in error) || !('status' in error)) return null;
  return typeof error.status === 'number' && error.status >= 400 && error.status < 500 ? error.status : null;
}
