import { describe, expect, it } from 'vitest';
import { defaultRetryPolicy, nextDelayMs, parseRetryAfter } from '../../src/gitlab/retry.js';

const policy = { ...defaultRetryPolicy, maxAttempts: 4, baseDelayMs: 100, maxDelayMs: 300, maxRetryAfterMs: 5_000 };
const delayOf = (method: string, status: number | null, retryAfterMs: number | null = null, attempt = 1, random = 0) =>
  nextDelayMs(policy, { method, attempt }, { status, retryAfterMs }, random);

describe('the retry policy', () => {
  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('repeats %s after a passing fault', (method) => {
    for (const status of [429, 500, 502, 503, 504, null]) expect(delayOf(method, status)).toBeGreaterThan(0);
  });

  it.each(['POST', 'PATCH'])('never repeats %s', (method) => {
    for (const status of [429, 500, 502, 503, 504, null]) expect(delayOf(method, status, 1_000)).toBeNull();
  });

  it('repeats no answer that would be the same again', () => {
    for (const status of [301, 400, 401, 403, 404, 409, 422]) expect(delayOf('GET', status)).toBeNull();
  });

  it('waits longer each time, up to a bound, and spreads the waiting', () => {
    expect([1, 2, 3].map((attempt) => delayOf('GET', 502, null, attempt))).toEqual([50, 100, 150]);
    expect(delayOf('GET', 502, null, 1, 0.5)).toBe(75);
  });

  it('stops after the last attempt', () => {
    expect(delayOf('GET', 502, null, 4)).toBeNull();
  });

  it('waits at least as long as GitLab asks, or leaves it to the caller', () => {
    expect(delayOf('GET', 429, 2_000)).toBe(2_000);
    expect(delayOf('GET', 503, 2_000, 1, 0.5)).toBe(2_050);
    expect(delayOf('GET', 429, 60_000)).toBeNull();
  });
});

describe('Retry-After', () => {
  const now = Date.UTC(2026, 2, 4, 10);

  it.each([
    ['7', 7_000],
    [' 0 ', 0],
    ['Wed, 04 Mar 2026 10:00:30 GMT', 30_000],
    ['Wed, 04 Mar 2026 09:00:00 GMT', 0],
    ['soon', null],
    [undefined, null],
  ])('%j is %j', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});
