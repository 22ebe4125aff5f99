import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { addressProblem, guardedLookup, refusal } from './guard-address.js';
import type { ProbeRequest } from './probe-request.js';

export interface ProbeSettings {
  /** Whether addresses of the agent's own machine may be contacted. */
  allowLoopback: boolean;
  /** For the whole of one attempt, milliseconds. Default: 10 s. */
  attemptMs?: number;
}

/** null: it answered as expected. Otherwise what happened instead, as the end of 'it …'. */
export type ProbeProblem = string | null;

const defaultAttemptMs = 10_000;
const maxHeaderBytes = 16 * 1024;

/** Asks once: no redirect is followed, no credential sent, and nothing read beyond the answer's head. */
export async function sendProbe(
  settings: ProbeSettings,
  { url, expect }: ProbeRequest,
  signal: AbortSignal,
): Promise<ProbeProblem> {
  const { attemptMs = defaultAttemptMs } = settings;
  const timeout = AbortSignal.timeout(attemptMs);
  try {
    const status = await statusOf(settings, url, AbortSignal.any([signal, timeout]));
    if (status === expect) return null;
    const redirect = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
    return `answered ${status}${redirect}; ${expect} is expected`;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (timeout.aborted) return `did not answer within ${attemptMs / 1_000} s`;
    return problemOf(error, url);
  }
}

function statusOf(settings: ProbeSettings, url: URL, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    // A literal address is connected to without a lookup.
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    const problem = isIP(literal) === 0 ? null : addressProblem(literal, settings.allowLoopback);
    if (problem !== null) {
      reject(refusal(problem));
      return;
    }
    const send = url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, {
      // A connection of its own, closed with the answer.
      agent: false,
      lookup: guardedLookup(settings.allowLoopback),
      headers: { 'user-agent': 'mayfly-agent', accept: '*/*' },
      maxHeaderSize: maxHeaderBytes,
      signal,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.on('error', () => undefined);
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    request.end();
  });
}

/** By Node's and OpenSSL's codes. */
const words: Readonly<Record<string, string>> = {
  ENOTFOUND: 'has a name that DNS does not know',
  EAI_AGAIN: 'has a name that DNS cannot look up now',
  ECONNREFUSED: 'refuses connections',
  ECONNRESET: 'broke off the connection',
  EHOSTUNREACH: 'cannot be reached',
  ENETUNREACH: 'cannot be reached',
  ETIMEDOUT: 'does not take connections',
  HPE_HEADER_OVERFLOW: `answered with a head of more than ${maxHeaderBytes / 1_024} KiB`,
  ERR_TLS_CERT_ALTNAME_INVALID: 'has a TLS certificate of another host',
  CERT_HAS_EXPIRED: 'has a TLS certificate that has expired',
};

function problemOf(error: unknown, url: URL): string {
  if (!(error instanceof Error)) throw error;
  const code = codeOf(error);
  if (code === 'EADDRREFUSED') return `has an address that may not be contacted: ${error.message}`;
  const known = words[code];
  if (known !== undefined) return `${known} (${code})`;
  if (code.startsWith('HPE_')) return `answered what is not HTTP (${code})`;
  if (url.protocol === 'https:' && /CERT|TLS|SSL|EPROTO|SIGNED|VERIFY/.test(code)) {
    return `has no TLS certificate that is trusted (${code})`;
  }
  return `could not be asked (${code || error.name})`;
}

/** Of several addresses that were all tried, the last one's. */
function codeOf(error: Error): string {
  const cause = error instanceof AggregateError ? error.errors.at(-1) : error;
  const { code } = (cause ?? error) as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : '';
}
