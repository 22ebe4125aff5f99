import { AppError, type Disposition } from '../error/app-error.js';

/** A request that GitLab did not carry out, or of which it is not known. */
export interface FailedRequest {
  /** What was asked, such as `merge-request.read`; never an address. */
  call: string;
  method: string;
  attempts: number;
}

/** Why no answer came. `unsent`: the request cannot have reached GitLab. */
export type Silence = 'timeout' | 'unsent' | 'broken';

interface Meaning {
  code: string;
  disposition: Disposition;
  sentence: string;
}

const meanings: Readonly<Record<number, Meaning>> = {
  400: { code: 'gitlab-invalid', disposition: 'stall', sentence: 'GitLab refused the request as invalid.' },
  // A token that was replaced, or a member who was added again, heals these: they are tried until then.
  401: {
    code: 'gitlab-unauthorized',
    disposition: 'wait',
    sentence: 'GitLab does not accept the token. Set `gitlab.token` to a valid one with the scope api.',
  },
  403: {
    code: 'gitlab-forbidden',
    disposition: 'wait',
    sentence: 'GitLab forbids this to the token. Its user needs the role Developer in the project.',
  },
  404: {
    code: 'gitlab-not-found',
    disposition: 'stall',
    sentence: 'GitLab does not show it to the token: it is gone, or the user was removed from the project.',
  },
  409: { code: 'gitlab-conflict', disposition: 'retry', sentence: 'GitLab was changing the same thing.' },
  422: { code: 'gitlab-invalid', disposition: 'stall', sentence: 'GitLab refused the request as invalid.' },
  429: { code: 'gitlab-rate-limited', disposition: 'retry', sentence: 'GitLab asks for fewer requests.' },
};

/**
 * The error of an answer that is not a success.
 * Codes: `gitlab-unauthorized|forbidden|not-found|conflict|invalid|rate-limited|moved|unavailable|unclear|refused`.
 * `unclear`: a creation that may have been done. `detail` is GitLab's own text, already without secrets.
 */
export function answerError(
  request: FailedRequest,
  answer: { status: number; detail: string; retryAfterMs: number | null },
): AppError {
  const meaning = meaningOf(request, answer.status);
  return new AppError({
    code: meaning.code,
    disposition: meaning.disposition,
    publicMessage: `${meaning.sentence} (${request.call}, status ${answer.status})`,
    data: {
      ...request,
      status: answer.status,
      detail: answer.detail.slice(0, 300),
      ...(answer.retryAfterMs === null ? {} : { retryAfterMs: answer.retryAfterMs }),
    },
  });
}

function meaningOf(request: FailedRequest, status: number): Meaning {
  const known = meanings[status];
  if (known !== undefined) return known;
  if (status >= 500) {
    return request.method === 'POST'
      ? unclear
      : { code: 'gitlab-unavailable', disposition: 'retry', sentence: 'GitLab is not available.' };
  }
  if (status >= 300 && status < 400) {
    return { code: 'gitlab-moved', disposition: 'stall', sentence: 'GitLab says that it moved. Use its new path.' };
  }
  return { code: 'gitlab-refused', disposition: 'stall', sentence: 'GitLab refused the request.' };
}

const unclear: Meaning = {
  code: 'gitlab-unclear',
  disposition: 'retry',
  sentence: 'GitLab may or may not have done it; it is looked up before it is done again.',
};

/** The error of a request without an answer: `gitlab-timeout`, `gitlab-unavailable` or, for a POST, `gitlab-unclear`. */
export function silenceError(request: FailedRequest, silence: Silence, cause: unknown): AppError {
  const meaning = silenceMeaning(request, silence);
  return new AppError({
    code: meaning.code,
    disposition: meaning.disposition,
    publicMessage: `${meaning.sentence} (${request.call})`,
    data: { ...request, silence },
    cause,
  });
}

function silenceMeaning(request: FailedRequest, silence: Silence): Meaning {
  if (silence !== 'unsent' && request.method === 'POST') return unclear;
  return silence === 'timeout'
    ? { code: 'gitlab-timeout', disposition: 'retry', sentence: 'GitLab did not answer in time.' }
    : { code: 'gitlab-unavailable', disposition: 'retry', sentence: 'GitLab cannot be reached.' };
}

/** An answer of success whose body is not what the API documents, such as a login page of a proxy. */
export function unexpectedAnswer(call: string, problem: string): AppError {
  return new AppError({
    code: 'gitlab-unexpected-answer',
    disposition: 'retry',
    publicMessage: `GitLab answered in a form that is not its API's. Is something in front of it? (${call})`,
    data: { call, problem },
  });
}

/** The wait was ended by the caller's signal. */
export function aborted(call: string, cause: unknown): AppError {
  return new AppError({
    code: 'gitlab-aborted',
    disposition: 'retry',
    publicMessage: `The request to GitLab was given up because Mayfly stops. (${call})`,
    data: { call },
    cause,
  });
}
