import { setTimeout as delay } from 'node:timers/promises';
import type { FormattedResponse } from '@gitbeaker/requester-utils';
import { type Dispatcher, errors, request as httpRequest } from 'undici';
import { aborted, answerError, type FailedRequest, type Silence, silenceError } from './gitlab-error.js';
import { nextDelayMs, parseRetryAfter, type RetryPolicy } from './retry.js';

/** One request as it went out, for metrics. */
export interface ObservedRequest {
  /** What was asked, such as `merge-request.read`. */
  call: string;
  /** The answer's status; 0 when there was none. */
  status: number;
  /** Why there was no answer; null when there was one. */
  silence: Silence | 'aborted' | null;
  durationMs: number;
}

/** A request as gitbeaker's resources make it. */
export interface ResourceRequest {
  method: string;
  prefixUrl: string;
  searchParams: string;
  headers: Record<string, string>;
  body: string | null;
}

export interface Transport {
  dispatcher: Dispatcher;
  /** Masked wherever an answer repeats it. */
  token: string;
  retry: RetryPolicy;
  observe: (request: ObservedRequest) => void;
}

export interface OutgoingRequest extends ResourceRequest {
  endpoint: string;
  call: string;
  signals: (AbortSignal | undefined)[];
}

type Attempt =
  | { kind: 'answer'; status: number; headers: Record<string, string>; text: string }
  | { kind: 'silence'; silence: Silence; cause: unknown };

/**
 * Sends a request until it is answered, repeating only what is idempotent.
 * Errors: those of gitlab-error.ts.
 */
export async function sendRequest(transport: Transport, request: OutgoingRequest): Promise<FormattedResponse> {
  const { call, method } = request;
  const signal = AbortSignal.any(request.signals.filter((one) => one !== undefined));
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(transport, request, signal);
    if (outcome.kind === 'answer' && outcome.status >= 200 && outcome.status < 300) return toResponse(outcome);
    const retryAfterMs = outcome.kind === 'answer' ? parseRetryAfter(outcome.headers['retry-after'], Date.now()) : null;
    const status = outcome.kind === 'answer' ? outcome.status : null;
    const delayMs = nextDelayMs(transport.retry, { method, attempt }, { status, retryAfterMs }, Math.random());
    if (delayMs === null) throw failure(transport, { call, method, attempts: attempt }, outcome, retryAfterMs);
    await pause(delayMs, call, signal);
  }
}

async function pause(delayMs: number, call: string, signal: AbortSignal): Promise<void> {
  try {
    await delay(delayMs, undefined, { signal });
  } catch (error) {
    throw aborted(call, error);
  }
}

async function attemptOnce(transport: Transport, request: OutgoingRequest, signal: AbortSignal): Promise<Attempt> {
  const startedAt = performance.now();
  const observe = (status: number, silence: ObservedRequest['silence']) =>
    transport.observe({ call: request.call, status, silence, durationMs: performance.now() - startedAt });
  try {
    const response = await httpRequest(addressOf(request), {
      method: request.method as Dispatcher.HttpMethod,
      headers: { accept: 'application/json', 'user-agent': 'mayfly', ...request.headers },
      body: request.body,
      dispatcher: transport.dispatcher,
      signal,
    });
    const text = await response.body.text();
    observe(response.statusCode, null);
    return { kind: 'answer', status: response.statusCode, headers: flatHeaders(response.headers), text };
  } catch (error) {
    if (signal.aborted) {
      observe(0, 'aborted');
      throw aborted(request.call, error);
    }
    const silence = silenceOf(error);
    observe(0, silence);
    return { kind: 'silence', silence, cause: error };
  }
}

function addressOf(request: OutgoingRequest): URL {
  const base = request.prefixUrl.endsWith('/') ? request.prefixUrl : `${request.prefixUrl}/`;
  const url = new URL(request.endpoint, base);
  url.search = request.searchParams;
  return url;
}

const unsentCodes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

function silenceOf(error: unknown): Silence {
  if (error instanceof errors.HeadersTimeoutError || error instanceof errors.BodyTimeoutError) return 'timeout';
  if (error instanceof errors.ConnectTimeoutError) return 'unsent';
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return unsentCodes.has(code) ? 'unsent' : 'broken';
}

function failure(transport: Transport, request: FailedRequest, outcome: Attempt, retryAfterMs: number | null) {
  if (outcome.kind === 'silence') return silenceError(request, outcome.silence, outcome.cause);
  const detail = outcome.text.replaceAll(transport.token, '[masked]');
  return answerError(request, { status: outcome.status, detail, retryAfterMs });
}

function flatHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  // Pages are read one by one by number; the Link header is what GitLab always sends.
  const next = /<[^>]*[?&]page=(\d+)[^>]*>;\s*rel="next"/.exec(flat.link ?? '');
  if (flat['x-next-page'] === undefined && next?.[1] !== undefined) flat['x-next-page'] = next[1];
  return flat;
}

function toResponse(answer: { status: number; headers: Record<string, string>; text: string }): FormattedResponse {
  const { status, headers, text } = answer;
  const isJson = (headers['content-type'] ?? '').startsWith('application/json');
  if (text === '') return { status, headers, body: null };
  // Whatever is not JSON is no answer of the API: the schema at the edge refuses the plain text.
  return { status, headers, body: isJson ? parseJson(text) : text };
}

function parseJson(text: string): FormattedResponse['body'] {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}
