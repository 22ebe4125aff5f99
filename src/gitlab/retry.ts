/** How often and how patiently a request is repeated. Only idempotent ones ever are. */
export interface RetryPolicy {
  /** Attempts in all, the first included. Default 3. */
  maxAttempts: number;
  /** Longest pause before the second attempt; it doubles with each further one. Default 250. */
  baseDelayMs: number;
  /** Bound of the doubled pause. Default 5,000. */
  maxDelayMs: number;
  /** A longer `Retry-After` is not waited for here: the caller gets `gitlab-rate-limited` with it. Default 15,000. */
  maxRetryAfterMs: number;
}

export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 3,
  baseDelayMs: 250,
  maxDelayMs: 5_000,
  maxRetryAfterMs: 15_000,
};

/** What came of one attempt: an answer's status, or no answer at all. */
export interface AttemptOutcome {
  /** null: no answer. */
  status: number | null;
  /** From `Retry-After`; null when there was none. */
  retryAfterMs: number | null;
}

const idempotentMethods = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
const passingStatuses = new Set([429, 500, 502, 503, 504]);

/** Whether sending the same request twice leaves GitLab as one would. Creating is never that. */
function isIdempotent(method: string): boolean {
  return idempotentMethods.has(method);
}

/**
 * How long to wait before the next attempt, in milliseconds; null: do not try again.
 * `attempt` counts from 1; `random` is in [0, 1) and spreads those who failed together.
 */
export function nextDelayMs(
  policy: RetryPolicy,
  request: { method: string; attempt: number },
  outcome: AttemptOutcome,
  random: number,
): number | null {
  if (!isIdempotent(request.method) || request.attempt >= policy.maxAttempts) return null;
  if (outcome.status !== null && !passingStatuses.has(outcome.status)) return null;
  const ceilingMs = Math.min(policy.maxDelayMs, policy.baseDelayMs * 2 ** (request.attempt - 1));
  const backoffMs = ceilingMs * (0.5 + random / 2);
  if (outcome.retryAfterMs === null) return backoffMs;
  return outcome.retryAfterMs > policy.maxRetryAfterMs ? null : outcome.retryAfterMs + random * policy.baseDelayMs;
}

/** `Retry-After` in milliseconds: seconds or an HTTP date; null when it is absent or unreadable. */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | null {
  if (header === undefined) return null;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1_000;
  const at = Date.parse(text);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}
