import { Agent, request } from 'undici';
import { AppError, isAppError } from '../error/app-error.js';
import { deniedError, tooLargeError, unreachableError } from './git-errors.js';

/** A token and the one place that it may be sent to. */
export interface GitAuth {
  /** Such as `https://gitlab.example.com`: scheme, host and port must all be equal. */
  origin: string;
  token: string;
  /** Default `oauth2`, which GitLab takes for every kind of token. */
  username?: string;
}

type GitService = 'git-upload-pack' | 'git-receive-pack';

interface GitCall {
  service: GitService;
  /** Absent: asks for the service's capabilities. */
  body?: Buffer;
  timeoutMs: number;
  /** Of the answer. */
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** Speaks HTTP to one repository. */
export interface Transport {
  /** Address without credentials: for logs and messages. */
  url: string;
  /** Sends one request and hands the answer's body, limited in time and size, to `read`. */
  call<T>(call: GitCall, read: (body: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/**
 * Opens a repository's address. The token is sent to `auth.origin` alone, over HTTPS (or to this machine), and no
 * redirect is followed. Throws `git-address` for an address that is not plain HTTP(S) or holds credentials.
 */
export function createTransport(options: { url: string; auth: GitAuth | null }): Transport {
  const base = repositoryAddress(options.url);
  const authorization = credentialFor(base, options.auth);
  const agent = new Agent({ connections: 16, keepAliveTimeout: 30_000 });

  async function call<T>(input: GitCall, read: (body: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    try {
      return await callOnce(input, read);
    } catch (error) {
      // A server closes idle connections when it likes. Asking again is harmless; pushing again is not.
      if (input.service !== 'git-upload-pack' || !isAppError(error) || error.data.why !== 'UND_ERR_SOCKET') throw error;
      return callOnce(input, read);
    }
  }

  async function callOnce<T>(input: GitCall, read: (body: AsyncIterable<Uint8Array>) => Promise<T>): Promise<T> {
    const timeout = AbortSignal.timeout(input.timeoutMs);
    const signal = input.signal === undefined ? timeout : AbortSignal.any([timeout, input.signal]);
    try {
      const answer = await send({ url: base.href, authorization, agent }, input, signal);
      if (answer.statusCode !== 200) {
        await answer.body.dump();
        throw statusError(base.href, answer.statusCode);
      }
      return await read(limited(answer.body, base.href, input.maxBytes));
    } catch (error) {
      if (input.signal?.aborted) throw input.signal.reason;
      if (error instanceof AppError) throw error;
      throw unreachableError(
        base.href,
        timeout.aborted ? `no answer within ${input.timeoutMs} ms` : reasonOf(error),
        error,
      );
    }
  }

  return { url: base.href, call, close: () => agent.destroy() };
}

function send(
  to: { url: string; authorization: string | null; agent: Agent },
  { service, body }: GitCall,
  signal: AbortSignal,
) {
  const headers: Record<string, string> = { 'user-agent': 'git/mayfly', accept: '*/*' };
  if (service === 'git-upload-pack') headers['git-protocol'] = 'version=2';
  if (to.authorization !== null) headers.authorization = to.authorization;
  const options = { headers, signal, dispatcher: to.agent };
  if (body === undefined) return request(`${to.url}/info/refs?service=${service}`, options);
  headers['content-type'] = `application/x-${service}-request`;
  return request(`${to.url}/${service}`, { ...options, method: 'POST', body });
}

async function* limited(body: AsyncIterable<Uint8Array>, url: string, maxBytes: number): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLargeError(url, maxBytes);
    yield chunk;
  }
}

function statusError(url: string, status: number): AppError {
  if (status === 429 || status >= 500) return unreachableError(url, `status ${status}`);
  return deniedError(url, status);
}

/** A network error by its code: its message may quote what must not be shown. */
function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : 'the connection broke';
}

function repositoryAddress(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const plain = url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === '';
  if (!plain || url.username !== '' || url.password !== '') {
    throw addressError('A Git repository is named by a plain http or https address without user name or password.');
  }
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

function credentialFor(url: URL, auth: GitAuth | null): string | null {
  if (auth === null || !URL.canParse(auth.origin) || new URL(auth.origin).origin !== url.origin) return null;
  if (url.protocol !== 'https:' && !loopback.test(url.hostname)) {
    throw addressError(`A token is not sent to ${url.origin} without HTTPS; use an https address.`);
  }
  return `Basic ${Buffer.from(`${auth.username ?? 'oauth2'}:${auth.token}`).toString('base64')}`;
}

function addressError(publicMessage: string): AppError {
  return new AppError({ code: 'git-address', disposition: 'stall', publicMessage });
}
