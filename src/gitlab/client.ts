import { createRequesterFn, type FormattedResponse, type ResponseBodyTypes } from '@gitbeaker/requester-utils';
import { Agent } from 'undici';
import type { z } from 'zod';
import type { Instant } from '../preview/preview.js';
import { unexpectedAnswer } from './gitlab-error.js';
import { defaultRetryPolicy, type RetryPolicy } from './retry.js';
import { type ObservedRequest, type ResourceRequest, sendRequest } from './send-request.js';

export interface GitLabOptions {
  /** Base address of GitLab, such as `https://gitlab.example.com`. */
  url: string;
  /** Access token of scope `api`; sent to `url` alone, never across a redirect. */
  token: string;
  observe?: (request: ObservedRequest) => void;
  /** How long an answer may take, each attempt. Default 10,000. */
  timeoutMs?: number;
  /** Requests under way at once. Default 32. */
  maxConcurrency?: number;
  retry?: Partial<RetryPolicy>;
  /** Ends every wait when it fires. */
  signal?: AbortSignal;
  /** Time of the fence of readings. Default: this machine's. */
  clock?: () => Instant;
}

/** The connection to one GitLab; first parameter of every function of this folder. */
export interface GitLab {
  /** Constructor options of a resource of @gitbeaker/rest whose one call is `call`. */
  at: (call: string, signal?: AbortSignal) => ResourceConfiguration;
  clock: () => Instant;
  /** Closes the kept-alive connections. */
  close: () => Promise<void>;
}

interface ResourceConfiguration {
  host: string;
  token: string;
  requesterFn: ReturnType<typeof createRequesterFn>;
  rateLimits: Record<string, never>;
  queryTimeout: null;
}

/** Opens no connection yet: the first request does. Call `close` at the end. */
export function createGitLab(options: GitLabOptions): GitLab {
  const host = options.url.replace(/\/+$/, '');
  const timeoutMs = options.timeoutMs ?? 10_000;
  const agent = new Agent({
    connections: options.maxConcurrency ?? 32,
    pipelining: 1,
    keepAliveTimeout: 30_000,
    connect: { timeout: timeoutMs },
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    // 100 notes of GitLab's greatest length, with room for escapes.
    maxResponseSize: 256 * 1024 * 1024,
  });
  const transport = {
    dispatcher: agent,
    token: options.token,
    retry: { ...defaultRetryPolicy, ...options.retry },
    observe: options.observe ?? (() => undefined),
  };
  return {
    at: (call, signal) => ({
      host,
      token: options.token,
      requesterFn: requesterFor((endpoint, request) =>
        sendRequest(transport, { ...request, endpoint, call, signals: [options.signal, signal] }),
      ),
      rateLimits: {},
      queryTimeout: null,
    }),
    clock: options.clock ?? Date.now,
    close: () => agent.destroy(),
  };
}

type Send = (endpoint: string, request: ResourceRequest) => Promise<FormattedResponse>;

/** gitbeaker's own requester repeats creations and ignores Retry-After: this one leaves both to `send`. */
function requesterFor(send: Send): ReturnType<typeof createRequesterFn> {
  return createRequesterFn(
    (_resource, request) => Promise.resolve(request),
    (endpoint, request = {}): Promise<FormattedResponse<ResponseBodyTypes>> =>
      send(endpoint, {
        method: typeof request.method === 'string' ? request.method : 'GET',
        prefixUrl: String(request.prefixUrl),
        searchParams: typeof request.searchParams === 'string' ? request.searchParams : '',
        headers: request.headers as Record<string, string>,
        body: typeof request.body === 'string' ? request.body : null,
      }),
  );
}

/** The needed fields of an answer. Error: `gitlab-unexpected-answer`. */
export function parseAnswer<T>(call: string, schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unexpectedAnswer(call, issue === undefined ? 'unknown' : `${issue.path.join('.')}: ${issue.message}`);
}
