import { type Dispatcher, request } from 'undici';
import { isAppError } from '../error/app-error.js';
import { originOf, type Registries, type RegistryEntry } from './registries.js';
import { aborted, refused, unavailable } from './registry-error.js';

export interface RegistryAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

export interface RegistryQuestion {
  entry: RegistryEntry;
  method: 'GET' | 'HEAD';
  /** With its query; within the entry's own origin. */
  path: string;
  accept: string;
  authorization: string | null;
  signal: AbortSignal;
}

const longestPauseMs = 600_000;

/**
 * Asks one listed host. No redirect is followed: it would lead to a host that nobody listed.
 * Errors: those of registry-error.ts and `registry-address-refused`.
 */
export async function ask(registries: Registries, question: RegistryQuestion): Promise<RegistryAnswer> {
  const { entry } = question;
  const answer = await send(registries, question);
  const { status } = answer;
  if (status >= 300 && status < 400) {
    throw refused(entry.host, `The registry ${entry.host} answers with a redirect, and none is followed.`);
  }
  if (status === 429 || status >= 500) {
    const retryAfterMs = retryAfter(answer.headers['retry-after'], registries.clock());
    const pauseMs = retryAfterMs ?? (status === 429 ? 30_000 : null);
    if (pauseMs !== null) registries.pausedUntil.set(entry.host, registries.clock() + pauseMs);
    const what = status === 429 ? 'has had too many questions' : `is out of order (HTTP ${status})`;
    throw unavailable(entry.host, `The registry ${entry.host} ${what}.`, pauseMs);
  }
  return answer;
}

async function send(registries: Registries, question: RegistryQuestion): Promise<RegistryAnswer> {
  const { entry, authorization, signal } = question;
  // A host that answers a byte at a time must not hold up the others either.
  const deadline = AbortSignal.timeout(registries.timeoutMs + registries.timeoutMs / 2);
  try {
    // Put together, not resolved: a path that begins with two slashes would name another host.
    const response: Dispatcher.ResponseData = await request(new URL(`${originOf(entry)}${question.path}`), {
      method: question.method,
      headers: {
        accept: question.accept,
        'user-agent': 'mayfly',
        ...(authorization === null ? {} : { authorization }),
      },
      dispatcher: registries.agentOf(entry),
      signal: AbortSignal.any([signal, deadline]),
    });
    return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
  } catch (error) {
    if (signal.aborted) throw aborted(entry.host, error);
    throw meaning(entry.host, error);
  }
}

const certificateCodes = /^(CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|ERR_SSL_|EPROTO)/;

function meaning(host: string, error: unknown): Error {
  if (isAppError(error)) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (certificateCodes.test(code)) {
    return refused(host, `The registry ${host} has no certificate that can be trusted.`, error);
  }
  return unavailable(host, `The registry ${host} does not answer.`, null, error);
}

function retryAfter(header: string | string[] | undefined, now: number): number | null {
  const text = [header ?? []].flat()[0]?.trim() ?? '';
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(waitMs) ? null : Math.min(longestPauseMs, Math.max(0, waitMs));
}
