import { AppError } from '../error/app-error.js';

/** A chart that a person must look after; `what` completes the sentence. */
export function chartError(code: string, what: string, cause?: unknown): AppError {
  return new AppError({
    code,
    disposition: 'stall',
    publicMessage: `The preview's chart cannot be used: ${what}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A server that may answer soon. */
export function unreachable(host: string, reason: string, cause?: unknown): AppError {
  return new AppError({
    code: 'source-unreachable',
    disposition: 'retry',
    publicMessage: `${host}, where the preview's chart is, did not answer as it should (${reason}); it is tried again.`,
    data: { host, reason },
    ...(cause === undefined ? {} : { cause }),
  });
}
