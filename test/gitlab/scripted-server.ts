import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ScriptedServer {
  url: string;
  requests: { method: string; path: string; token: string | undefined; body: string }[];
  /** Connections that were opened. */
  connections: () => number;
  close: () => Promise<void>;
}

/** Answers the n-th request (from 0) as `answer` says; for faults that a working GitLab does not have. */
export async function startScriptedServer(
  answer: (n: number, response: ServerResponse, request: IncomingMessage) => void,
): Promise<ScriptedServer> {
  const requests: ScriptedServer['requests'] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      const token = request.headers['private-token'];
      requests.push({
        method: request.method ?? '',
        path: request.url ?? '',
        token: Array.isArray(token) ? token[0] : token,
        body,
      });
      answer(requests.length - 1, response, request);
    });
  });
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    connections: () => connections,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
