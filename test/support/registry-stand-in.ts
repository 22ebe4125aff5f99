import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RegistryStandIn {
  /** `127.0.0.1:5000`. */
  host: string;
  /** `repository:tag` of all images that there are. */
  images: Set<string>;
  /** Such as `HEAD /v2/acme/shop/manifests/1a2b`, `GET /token?…`. */
  requests: { line: string; authorization: string | undefined; accept: string | undefined }[];
  /** How it wants to be asked. Default: by a token of its own, for `ada` with `secret`. */
  auth: 'token' | 'basic' | 'none';
  /** Where it sends for tokens; default: itself. */
  realm: string | null;
  /** Answers instead of the registry; answers true when it did. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean) | null;
  /** Seconds that a token lives, as it says. */
  tokenLife: number;
  close: () => Promise<void>;
}

export const credential = { username: 'ada', password: 'secret-of-ada' };

/** A registry on the loopback interface that speaks as much of the distribution API as the image gate asks for. */
export async function startRegistry(): Promise<RegistryStandIn> {
  const tokens = new Map<string, string>();
  const server = createServer((request, response) => {
    registry.requests.push({
      line: `${request.method} ${request.url}`,
      authorization: request.headers.authorization,
      accept: request.headers.accept,
    });
    if (registry.intercept?.(request, response) === true) return;
    const url = new URL(request.url ?? '/', `http://${registry.host}`);
    if (url.pathname === '/token') giveToken(url, request, response);
    else if (url.pathname === '/v2/' && mayRead('', request)) response.writeHead(200).end();
    else answerManifest(url, request, response);
  });

  function giveToken(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const scope = url.searchParams.get('scope') ?? '';
    if (!isSignedIn(request) || url.searchParams.get('service') !== 'stand-in') {
      response.writeHead(401).end();
      return;
    }
    const token = `token-of-${registry.host}-${tokens.size + 1}`;
    tokens.set(token, scope);
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ token, expires_in: registry.tokenLife }));
  }

  function answerManifest(url: URL, request: IncomingMessage, response: ServerResponse): void {
    const [, repository = '', tag = ''] = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(url.pathname) ?? [];
    if (!mayRead(repository, request)) {
      const realm = registry.realm ?? `http://${registry.host}/token`;
      const bearer = `Bearer realm="${realm}",service="stand-in",scope="repository:${repository}:pull,push"`;
      response.writeHead(401, { 'www-authenticate': registry.auth === 'basic' ? 'Basic realm="x"' : bearer }).end();
      return;
    }
    response.writeHead(registry.images.has(`${repository}:${tag}`) ? 200 : 404).end();
  }

  function mayRead(repository: string, request: IncomingMessage): boolean {
    if (registry.auth === 'none') return true;
    if (registry.auth === 'basic') return isSignedIn(request);
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    return repository === '' ? tokens.has(token) : tokens.get(token) === `repository:${repository}:pull`;
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const registry: RegistryStandIn = {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    images: new Set(),
    requests: [],
    auth: 'token',
    realm: null,
    intercept: null,
    tokenLife: 300,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

function isSignedIn(request: IncomingMessage): boolean {
  const { username, password } = credential;
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return request.headers.authorization === expected;
}
