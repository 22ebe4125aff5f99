import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sha256 } from './chart-package.js';

interface Heard {
  path: string;
  authorization: string | null;
}

export interface TestServer {
  /** Such as `127.0.0.1:40123`. */
  host: string;
  url: string;
  heard: Heard[];
  close(): Promise<void>;
}

/** What a path answers; a function decides by the request. */
type Answer = { status?: number; headers?: Record<string, string>; body?: Buffer | string };
export type Answers = Record<string, Answer | ((request: IncomingMessage) => Answer)>;

/** A web server that knows these paths and remembers who asked with what. */
export async function startServer(answers: Answers): Promise<TestServer> {
  const heard: Heard[] = [];
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    heard.push({ path: request.url ?? '', authorization: request.headers.authorization ?? null });
    const known = answers[path];
    const {
      status = 200,
      headers = {},
      body = '',
    } = known === undefined ? { status: 404 } : typeof known === 'function' ? known(request) : known;
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    heard,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** `Basic` of a user and a password. */
export function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

export interface RegistryOptions {
  /** Such as `charts/shop`. */
  name: string;
  tag: string;
  content: Buffer;
  /** Only who has a token may read; tokens are issued for `user` and `password`. Absent: everybody may. */
  login?: { user: string; password: string; realm: string };
  /** Where a blob is had instead. */
  redirectTo?: string;
  mediaType?: string;
  /** Bytes that the blob really has. */
  served?: Buffer;
}

const token = 'issued-token';

/** What a registry answers for one chart; `/token` issues tokens. */
export function registryAnswers(options: RegistryOptions): Answers {
  const { name, tag, content, login, mediaType } = options;
  const digest = `sha256:${sha256(content)}`;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    layers: [
      {
        mediaType: mediaType ?? 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
        digest,
        size: content.length,
      },
    ],
  });
  const guarded = (answer: Answer) => (request: IncomingMessage) =>
    login === undefined || request.headers.authorization === `Bearer ${token}`
      ? answer
      : {
          status: 401,
          headers: {
            'www-authenticate': `Bearer realm="${login.realm}",service="registry",scope="repository:${name}:pull"`,
          },
        };
  const blob: Answer =
    options.redirectTo === undefined
      ? { body: options.served ?? content }
      : { status: 307, headers: { location: options.redirectTo } };
  return {
    [`/v2/${name}/manifests/${tag}`]: guarded({ body: manifest }),
    [`/v2/${name}/blobs/${digest}`]: guarded(blob),
    ...(login === undefined ? {} : { '/token': tokenAnswer(login) }),
  };
}

export function tokenAnswer({ user, password }: { user: string; password: string }) {
  return (request: IncomingMessage): Answer =>
    request.headers.authorization === basic(user, password) ? { body: JSON.stringify({ token }) } : { status: 401 };
}
