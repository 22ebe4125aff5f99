import { AppError } from '../error/app-error.js';

/** Nobody answered, or not in time, or with 429 or 5xx: the same call may succeed soon. */
export function unreachableError(url: string, why: string, cause?: unknown): AppError {
  return new AppError({
    code: 'git-unreachable',
    disposition: 'retry',
    publicMessage: `The Git server of ${url} did not answer as it should (${why}); it is tried again.`,
    data: { url, why },
    cause,
  });
}

/** The server answered in a way that no repetition mends. */
export function deniedError(url: string, status: number): AppError {
  const unauthorized = status === 401 || status === 403;
  return new AppError({
    code: unauthorized ? 'git-unauthorized' : status === 404 ? 'git-not-found' : 'git-protocol',
    disposition: 'stall',
    publicMessage: unauthorized
      ? `The Git server refuses the token for ${url} (status ${status}); give it one that may do this.`
      : `The Git server answers ${status} for ${url}; check the address of the repository and the rights of the token.`,
    data: { url, status },
  });
}

/** The answer is not what Git's protocol, version 2, allows. */
export function protocolError(why: string): AppError {
  return new AppError({
    code: 'git-protocol',
    disposition: 'stall',
    publicMessage: `The Git server's answer cannot be read: ${why}. Git 2.18 or newer is needed there.`,
    data: { why },
  });
}

/** The server said in Git's own words that it will not serve this. `words` are the server's, one clean line. */
export function refusedError(words: string): AppError {
  return new AppError({
    code: 'git-refused',
    disposition: 'stall',
    publicMessage: `The Git server refused: ${words}`,
    data: { words },
  });
}

/** More bytes than allowed. */
export function tooLargeError(url: string, maxBytes: number): AppError {
  return new AppError({
    code: 'git-too-large',
    disposition: 'stall',
    publicMessage: `What ${url} sends is larger than the allowed ${maxBytes} bytes; raise the limit or make it smaller.`,
    data: { url, maxBytes },
  });
}

/** An object that should be here is not: it is fetched again with the next try. */
export function missingObjectError(oid: string): AppError {
  return new AppError({
    code: 'git-object-missing',
    disposition: 'retry',
    publicMessage: `Git object ${oid} is not in the local copy; it is fetched again.`,
    data: { oid },
  });
}
