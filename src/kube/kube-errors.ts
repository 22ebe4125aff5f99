import { AppError, type Disposition } from '../error/app-error.js';

/** What this reads of a `Status`, the API server's form of an error. */
interface Status {
  kind?: unknown;
  reason?: unknown;
  message?: unknown;
  details?: unknown;
}

interface ErrorKind {
  code: string;
  disposition: Disposition;
}

/** By `Status.reason`, which is finer than the HTTP status. */
const byReason: Record<string, ErrorKind> = {
  NotFound: { code: 'kube-not-found', disposition: 'stall' },
  AlreadyExists: { code: 'kube-already-exists', disposition: 'stall' },
  Conflict: { code: 'kube-conflict', disposition: 'retry' },
  Invalid: { code: 'kube-invalid', disposition: 'stall' },
  BadRequest: { code: 'kube-invalid', disposition: 'stall' },
  Forbidden: { code: 'kube-forbidden', disposition: 'stall' },
  Unauthorized: { code: 'kube-unauthorized', disposition: 'stall' },
  Expired: { code: 'kube-gone', disposition: 'retry' },
  Gone: { code: 'kube-gone', disposition: 'retry' },
  TooManyRequests: { code: 'kube-throttled', disposition: 'retry' },
  MethodNotAllowed: { code: 'kube-invalid', disposition: 'stall' },
  UnsupportedMediaType: { code: 'kube-invalid', disposition: 'stall' },
};

const byStatus: Record<number, ErrorKind> = {
  400: { code: 'kube-invalid', disposition: 'stall' },
  401: { code: 'kube-unauthorized', disposition: 'stall' },
  403: { code: 'kube-forbidden', disposition: 'stall' },
  404: { code: 'kube-not-found', disposition: 'stall' },
  409: { code: 'kube-conflict', disposition: 'retry' },
  410: { code: 'kube-gone', disposition: 'retry' },
  422: { code: 'kube-invalid', disposition: 'stall' },
  429: { code: 'kube-throttled', disposition: 'retry' },
};

const unavailable: ErrorKind = { code: 'kube-unavailable', disposition: 'retry' };

/** Longest text of the API server that travels in an error. */
const maxWords = 2_000;
/** Above this a refused value is left out of its message: it is a whole object, and may hold a secret. */
const maxValue = 200;

/** What the API server names beside its message: which field, and why. */
interface Cause {
  reason: string;
  field: string;
  message: string;
}

/**
 * An answer of the API server that is not a success. `data.words` are the API server's own, `data.status` the HTTP
 * status, `data.reason` its reason, `data.causes` what it named beyond that.
 */
export function statusError(call: string, httpStatus: number, body: unknown): AppError {
  const status = isRecord(body) && body.kind === 'Status' ? (body as Status) : {};
  const reason = typeof status.reason === 'string' ? status.reason : '';
  const kind = byReason[reason] ?? byStatus[httpStatus] ?? unavailable;
  const causes = causesOf(status);
  const words = wordsOf(status, causes, httpStatus);
  return new AppError({
    code: kind.code,
    disposition: kind.disposition,
    publicMessage: `The cluster refused ${call}: ${words}`,
    data: { call, status: httpStatus, reason, words, causes },
  });
}

/** No usable answer: nobody listens, the connection broke, or it took too long. */
export function unavailableError(call: string, why: string, cause?: unknown): AppError {
  return new AppError({
    ...unavailable,
    publicMessage: `The cluster did not answer ${call} (${why}); it is tried again.`,
    data: { call, words: why },
    cause,
  });
}

/** A kind that the API server does not serve, also after its list of kinds was read again. */
export function unknownKindError(apiVersion: string, kind: string): AppError {
  return new AppError({
    code: 'kube-unknown-kind',
    disposition: 'stall',
    publicMessage: `The cluster has no kind ${kind} in ${apiVersion}; install what provides it, or correct the manifest.`,
    data: { apiVersion, kind, words: `no kind ${kind} in ${apiVersion}` },
  });
}

/** The message; where it quotes whole objects, what is wrong with each field instead. */
function wordsOf(status: Status, causes: readonly Cause[], httpStatus: number): string {
  const message = typeof status.message === 'string' ? status.message : `status ${httpStatus}`;
  const quotes = message.length > 2 * maxValue && causes.some(({ field }) => field !== '');
  const words = quotes ? causes.map((cause) => `${cause.field}: ${cause.message}`).join('; ') : message;
  return words.slice(0, maxWords);
}

function causesOf(status: Status): Cause[] {
  const causes = isRecord(status.details) ? status.details.causes : undefined;
  if (!Array.isArray(causes)) return [];
  return causes
    .filter(isRecord)
    .slice(0, 20)
    .map(({ reason, field, message }) => ({
      reason: text(reason),
      field: text(field),
      message: withoutValue(text(message)),
    }));
}

/** `Invalid value: <value>: <why>` with a long value left out. */
function withoutValue(message: string): string {
  const value = /^Invalid value: ([\s\S]*): ([^:]*)$/.exec(message);
  const [, quoted = '', why = ''] = value ?? [];
  return (quoted.length > maxValue ? `Invalid value: ${why}` : message).slice(0, maxWords);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
