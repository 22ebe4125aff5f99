import { AppError } from '../error/app-error.js';

const deepestCause = 5;

/**
 * An error as a log field. Only named properties are taken: errors of HTTP clients carry whole requests, with their
 * Authorization headers.
 */
export function serializeError(error: unknown): unknown {
  return serialize(error, 0);
}

function serialize(error: unknown, depth: number): unknown {
  if (!(error instanceof Error)) return typeof error === 'object' ? { type: 'object' } : error;
  const code: unknown = Reflect.get(error, 'code');
  return {
    type: error.name,
    message: error.message,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(error instanceof AppError ? { disposition: error.disposition, data: error.data } : {}),
    stack: error.stack,
    ...(error.cause === undefined || depth >= deepestCause ? {} : { cause: serialize(error.cause, depth + 1) }),
    ...(error instanceof AggregateError && depth < deepestCause
      ? { errors: error.errors.slice(0, 10).map((each) => serialize(each, depth + 1)) }
      : {}),
  };
}
