import { AppError } from '../error/app-error.js';

/**
 * A registry that will not say until somebody acts: `registry-refused` (its answer, or what it asks for) and
 * `registry-address-refused` (see address.ts).
 */
export function refused(host: string, sentence: string, cause?: unknown): AppError {
  return new AppError({
    code: 'registry-refused',
    disposition: 'stall',
    publicMessage: sentence,
    data: { host },
    cause,
  });
}

/** A registry that cannot say now. `retryAfterMs` null: it does not say for how long. */
export function unavailable(host: string, sentence: string, retryAfterMs: number | null, cause?: unknown): AppError {
  return new AppError({
    code: 'registry-unavailable',
    disposition: 'retry',
    publicMessage: sentence,
    data: { host, ...(retryAfterMs === null ? {} : { retryAfterMs }) },
    cause,
  });
}

export function aborted(host: string, cause: unknown): AppError {
  return new AppError({
    code: 'registry-aborted',
    disposition: 'retry',
    publicMessage: `The question to the registry ${host} was interrupted.`,
    data: { host },
    cause,
  });
}
