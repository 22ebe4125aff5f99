import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { ApiError } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import { aggregated, aggregatedType, coreVersions, group, groupList, resourceList, version } from './discovery.js';
import { openapiDocument, openapiIndex } from './openapi.js';
import { serveResource } from './resources.js';
import { acceptItems, sendError, sendJson, sendText } from './respond.js';
import { isUnknownRoot, parseRoute } from './route.js';

export interface ApiServer {
  port: number;
  close(): Promise<void>;
}

export interface ServerOptions {
  port: number;
  token: string;
  certificate: { key: string; cert: string };
  log: Logger;
}

/** Serves the API over HTTPS on loopback; every request but the probes needs the bearer token. */
export async function startServer(state: ClusterState, options: ServerOptions): Promise<ApiServer> {
  const { key, cert } = options.certificate;
  const server = createServer(
    { key, cert, keepAliveTimeout: 120_000, requestTimeout: 0, noDelay: true },
    (request, response) => {
      serve(state, options, request, response).catch((error: unknown) => fail(options.log, response, error));
    },
  );
  server.maxRequestsPerSocket = 0;
  const sockets = new Set<Duplex>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await listen(server, options.port);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      // Watches never end by themselves.
      server.closeAllConnections();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function serve(
  state: ClusterState,
  options: ServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'https://localhost');
  const path = url.pathname.replace(/\/+$/, '');
  if (/^\/(healthz|readyz|livez)(\/.*)?$/.test(path)) return sendText(response, 200, 'ok');
  if (!isAuthorised(request, options.token)) throw new ApiError(401, 'Unauthorized', 'Unauthorized');
  const described = describe(state, request, path);
  if (described !== undefined) return sendJson(response, 200, described.body, described.contentType);
  if (isUnknownRoot(path)) return sendText(response, 404, '404 page not found\n');
  await serveResource(state, { request, response, query: url.searchParams, route: parseRoute(state.kinds, path) });
}

function isAuthorised(request: IncomingMessage, token: string): boolean {
  const given = Buffer.from(request.headers.authorization ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

interface Description {
  body: unknown;
  contentType?: string;
}

/** The pages by which a client learns what the server has: version, discovery, OpenAPI. */
function describe(state: ClusterState, request: IncomingMessage, path: string): Description | undefined {
  const { kinds } = state;
  if (path === '/version') return { body: version };
  if (path === '/openapi/v3') return { body: openapiIndex(kinds) };
  if (path.startsWith('/openapi/v3/')) return found(openapiDocument(kinds, path.slice('/openapi/v3/'.length)));
  if (path === '/api' || path === '/apis') {
    const core = path === '/api';
    if (acceptItems(request).some((item) => item.includes('g=apidiscovery.k8s.io') && item.includes('v=v2;'))) {
      return { body: aggregated(kinds, core), contentType: aggregatedType };
    }
    return { body: core ? coreVersions(request.headers.host ?? '') : groupList(kinds) };
  }
  const versioned = /^\/(?:api|apis\/([^/]+))\/([^/]+)$/.exec(path);
  if (versioned !== null) {
    const [, name, each = ''] = versioned;
    return found(resourceList(kinds, name === undefined ? each : `${name}/${each}`));
  }
  const named = /^\/apis\/([^/]+)$/.exec(path);
  return named === null ? undefined : found(group(kinds, named[1] ?? ''));
}

function found(body: unknown): Description {
  if (body === undefined) throw new ApiError(404, '', '404 page not found');
  return { body };
}

function fail(log: Logger, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.end();
    return;
  }
  if (error instanceof ApiError) {
    sendError(response, error);
    return;
  }
  log.error({ err: error }, 'the cluster stand-in failed to answer a request');
  const message = error instanceof Error ? error.message : String(error);
  sendError(response, new ApiError(500, 'InternalError', `Internal error occurred: ${message}`));
}
