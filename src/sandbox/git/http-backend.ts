import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

export interface BackendRequest {
  /** Folder that holds all repositories. */
  root: string;
  /** Such as `/acme/shop.git/info/refs`. */
  path: string;
  query: string;
  /** Whose push it is; null: anonymous, which git refuses to let push. */
  user: string | null;
  /** Ends git and its hooks at once. */
  signal: AbortSignal;
}

/** Bytes of a CGI header; git writes a few lines. */
const maxHeaderBytes = 16 * 1024;

/** What every repository of the server allows, whatever its own configuration says. */
const configuration: Record<string, string> = {
  'http.receivepack': 'true',
  'uploadpack.allowAnySHA1InWant': 'true',
  'uploadpack.allowFilter': 'true',
  'receive.autogc': 'false',
  'gc.auto': '0',
  'safe.directory': '*',
};

/**
 * Serves one request by a process of `git http-backend`, the program that real Git servers use. The body is passed
 * on as it arrives, gzip included (git unpacks it). The promise ends when the answer was sent; it never rejects for
 * a client that went away.
 */
export async function runHttpBackend(
  request: IncomingMessage,
  response: ServerResponse,
  backend: BackendRequest,
): Promise<void> {
  // A process group of its own, so that a hook that hangs can be ended together with git.
  const child = spawn('git', ['http-backend'], {
    env: environment(request, backend),
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const kill = () => killGroup(child.pid);
  backend.signal.addEventListener('abort', kill, { once: true });
  feed(request, child.stdin);
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => {
    errors = (errors + chunk.toString('utf8')).slice(-4096);
  });
  child.once('error', (error) => answer(response, 500, `git http-backend cannot be started: ${error.message}\n`));
  await passOn(child.stdout, response);
  await exited;
  backend.signal.removeEventListener('abort', kill);
  if (!response.headersSent) answer(response, 500, `git http-backend said nothing: ${errors}\n`);
  if (!response.writableEnded) response.end();
  if (!response.closed) await finished(response, { error: false }).catch(ignoreClosedClient);
}

/** Hands on the body. A client that went away, even before, ends it: git must not wait for the rest. */
function feed(request: IncomingMessage, input: Writable): void {
  const abandon = () => {
    if (!request.complete) input.destroy();
  };
  input.on('error', () => request.unpipe(input));
  request.once('close', abandon);
  request.pipe(input);
  if (request.destroyed) abandon();
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // It ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Reads the CGI header, then streams the rest, waiting for a slow client. */
async function passOn(output: NodeJS.ReadableStream, response: ServerResponse): Promise<void> {
  let head: Buffer | null = Buffer.alloc(0);
  for await (const chunk of output as AsyncIterable<Buffer>) {
    let body = chunk;
    if (head !== null) {
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0 && head.length < maxHeaderBytes) continue;
      if (end < 0) return answer(response, 500, 'git http-backend sent no header\n');
      writeHead(response, head.subarray(0, end).toString('latin1'));
      body = head.subarray(end + 4);
      head = null;
    }
    if (response.destroyed) return;
    if (body.length > 0 && !response.write(body)) await drained(response);
  }
}

function writeHead(response: ServerResponse, header: string): void {
  let status = 200;
  for (const line of header.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1).trim();
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
    else response.setHeader(name, value);
  }
  response.writeHead(status);
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (!response.headersSent) response.writeHead(status, { 'content-type': 'text/plain' }).end(text);
}

function ignoreClosedClient(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET') throw error;
}

function environment(request: IncomingMessage, backend: BackendRequest): NodeJS.ProcessEnv {
  const header = (name: string) => request.headers[name]?.toString() ?? '';
  const variables: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: backend.root,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_PROJECT_ROOT: backend.root,
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: backend.path,
    QUERY_STRING: backend.query,
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: header('content-type'),
    CONTENT_LENGTH: header('content-length'),
    HTTP_CONTENT_ENCODING: header('content-encoding'),
    GIT_PROTOCOL: header('git-protocol'),
    REMOTE_ADDR: '127.0.0.1',
    GIT_CONFIG_COUNT: String(Object.keys(configuration).length),
  };
  if (backend.user !== null) variables.REMOTE_USER = backend.user;
  for (const [index, [key, value]] of Object.entries(configuration).entries()) {
    variables[`GIT_CONFIG_KEY_${index}`] = key;
    variables[`GIT_CONFIG_VALUE_${index}`] = value;
  }
  return variables;
}
