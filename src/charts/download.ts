import { type Dispatcher, request } from 'undici';
import { AppError } from '../error/app-error.js';
import { chartError, unreachable } from './chart-error.js';

export interface Download {
  url: URL;
  accept?: string;
  /** Sent to `url` itself, never to where it leads. */
  authorization: string | null;
  maxBytes: number;
  /**
   * Whether the server may send us elsewhere. Only for what is checked against a digest: then it does not matter who
   * answers. Followed without credentials, and to HTTPS alone.
   */
  follow: boolean;
  signal: AbortSignal;
}

interface Answer {
  status: number;
  /** Empty unless the status is 200. */
  body: Buffer;
  authenticate: string | null;
}

const maxRedirects = 4;
const redirects = new Set([301, 302, 303, 307, 308]);
const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

export function isLoopback(url: URL): boolean {
  return loopback.test(url.hostname);
}

/** GETs an address, limited in size. Answers 200, 401, 403 and 404; throws `source-unreachable` for anything else. */
export async function download(dispatcher: Dispatcher, input: Download): Promise<Answer> {
  let { url, authorization } = input;
  if (authorization !== null && url.protocol !== 'https:' && !isLoopback(url)) {
    throw chartError('source-refused', `a credential is not sent to ${url.origin} without HTTPS`);
  }
  for (let hops = 0; ; hops += 1) {
    const answer = await getOnce(dispatcher, { ...input, url, authorization });
    if (answer.location === null) return answer;
    const next = input.follow && hops < maxRedirects ? redirectTarget(answer.location, url) : null;
    if (next === null) {
      throw chartError('source-refused', `${url.host} sends the agent elsewhere, which is not followed`);
    }
    url = next;
    authorization = null;
  }
}

function redirectTarget(location: string, from: URL): URL | null {
  if (!URL.canParse(location, from.href)) return null;
  const url = new URL(location, from.href);
  const clear = url.protocol === 'http:' && isLoopback(url) && isLoopback(from);
  if (url.username !== '' || url.password !== '' || !(url.protocol === 'https:' || clear)) return null;
  return url;
}

async function getOnce(
  dispatcher: Dispatcher,
  { url, accept, authorization, maxBytes, signal }: Download,
): Promise<Answer & { location: string | null }> {
  const headers: Record<string, string> = { 'user-agent': 'mayfly', accept: accept ?? '*/*' };
  if (authorization !== null) headers.authorization = authorization;
  try {
    const { statusCode: status, headers: got, body } = await request(url, { headers, dispatcher, signal });
    if (redirects.has(status)) {
      await body.dump();
      return { status, body: Buffer.alloc(0), authenticate: null, location: single(got.location) ?? '' };
    }
    if (status !== 200) {
      await body.dump();
      if (![401, 403, 404].includes(status)) throw unreachable(url.host, `status ${status}`);
      return { status, body: Buffer.alloc(0), authenticate: single(got['www-authenticate']), location: null };
    }
    return { status, body: await readAll(body, url, maxBytes), authenticate: null, location: null };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof AppError) throw error;
    const { code } = error as { code?: unknown };
    throw unreachable(url.host, typeof code === 'string' ? code : 'the connection broke', error);
  }
}

async function readAll(body: AsyncIterable<Uint8Array>, url: URL, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      throw chartError('source-too-large', `${url.host} sends more than ${Math.round(maxBytes / 1024 / 1024)} MiB`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function single(value: string | string[] | undefined): string | null {
  return (Array.isArray(value) ? value[0] : value) ?? null;
}
