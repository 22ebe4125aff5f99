import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AccessRule, openToAll, tokenOf } from './git/access.js';
import { runHttpBackend } from './git/http-backend.js';
import { openRepositories, type Repositories, repositoryPath } from './git/repositories.js';

export { byTokens } from './git/access.js';

export interface GitServerOptions {
  /** Folder of the repositories; made by the caller. */
  root: string;
  /** Default: anybody may read and push. */
  access?: AccessRule;
  /** Make a repository at the first request for it that may write. Default false. */
  createOnDemand?: boolean;
  /** Called after each request that may have changed a repository, such as `acme/shop.git`. */
  onPush?: (repository: string) => void;
  /** Port on 127.0.0.1; default: a free one. */
  port?: number;
}

export interface GitServer extends Repositories {
  /** Such as `http://127.0.0.1:40123`. */
  url: string;
  /** Address of a repository, for `git clone`. */
  repositoryUrl(path: string): string;
  /** Ends open connections, git's processes and their hooks. */
  close(): Promise<void>;
}

/** Processes of git at once; more requests wait their turn. */
const maxProcesses = 16;

/** A Git server over HTTP on 127.0.0.1, in front of the real `git http-backend`. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const repositories = openRepositories(options.root);
  const turns = createTurns(maxProcesses);
  const running = new Set<Promise<void>>();
  const end = new AbortController();
  // As many as requests run at once.
  setMaxListeners(0, end.signal);
  const server = createServer((request, response) => {
    const done = serve({ options, repositories, turns, signal: end.signal }, request, response).catch(
      (error: unknown) => {
        if (!response.headersSent) response.writeHead(500).end(`${error}\n`);
        else response.destroy();
      },
    );
    running.add(done);
    done.finally(() => running.delete(done));
  });
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', () => resolve());
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...repositories,
    url,
    repositoryUrl: (path) => `${url}/${repositoryPath(path)}`,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      end.abort();
      await Promise.all([closed, ...running]);
    },
  };
}

interface ServeDeps {
  options: GitServerOptions;
  repositories: Repositories;
  turns: Turns;
  signal: AbortSignal;
}

const route = /^(?<repository>\/.+?)(?<rest>\/(?:info\/refs|git-upload-pack|git-receive-pack))$/;

async function serve(deps: ServeDeps, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const match = route.exec(decodeURIComponent(url.pathname));
  const repository = repositoryPath(match?.groups?.repository ?? '');
  if (match === null || repository === null) return refuse(response, 404, 'no such repository\n');
  const rest = match.groups?.rest ?? '';
  const writes = rest === '/git-receive-pack' || url.searchParams.get('service') === 'git-receive-pack';
  const token = tokenOf(request.headers.authorization);
  const access = (deps.options.access ?? openToAll)({ repository, token });
  if (access === 'none') return refuse(response, 401, 'a token is needed\n');
  if (writes && access !== 'write') return refuse(response, 403, 'this token may only read\n');
  if (!(await deps.repositories.exists(repository))) {
    if (deps.options.createOnDemand !== true || access !== 'write')
      return refuse(response, 404, 'no such repository\n');
    await deps.repositories.create(repository);
  }
  await deps.turns.take();
  try {
    // Its client gave up while it waited, or the server closes.
    if (response.destroyed || deps.signal.aborted) return;
    const user = access === 'write' ? 'writer' : null;
    const query = url.search.slice(1);
    const path = `/${repository}${rest}`;
    await runHttpBackend(request, response, { root: deps.options.root, path, query, user, signal: deps.signal });
  } finally {
    deps.turns.giveBack();
  }
  if (rest === '/git-receive-pack') deps.options.onPush?.(repository);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  if (status === 401) response.setHeader('www-authenticate', 'Basic realm="git"');
  // The body was not read: the connection cannot be used again.
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(text);
}

interface Turns {
  take(): Promise<void>;
  giveBack(): void;
}

/** At most `count` at once, in order of arrival. */
function createTurns(count: number): Turns {
  let free = count;
  const line: Array<() => void> = [];
  return {
    take: () => {
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => line.push(resolve));
    },
    giveBack: () => {
      const next = line.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
