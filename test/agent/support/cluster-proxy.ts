import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { stringify } from 'yaml';
import type { KubeCall, KubeConnection } from '../../../src/kube/connection.js';

/** An API server's front that breaks watches as networks and API servers do. */
export interface ClusterProxy {
  /** Writes a kubeconfig that leads through it. */
  writeKubeconfig(path: string): Promise<void>;
  /** Watches that are open now. */
  open(): number;
  /** Resets every open watch, in the middle of its stream. */
  cut(): void;
  /** Until `heal`: no watch is let through; each is reset at once. */
  block(): void;
  /** From now on watches pass; those of before `gone` are answered that their version is too old. */
  heal(gone: 'never' | 'as-status' | 'as-event'): void;
  /** Watches that were not let through since the last `block`. */
  blocked(): number;
  /** Watches that were answered with 410. */
  refused(): number;
  close(): Promise<void>;
}

const tooOld = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  message: 'too old resource version',
  reason: 'Expired',
  code: 410,
};

/** Hears each request that is no watch; what it resolves to `false` goes no further. */
interface Gate {
  /** Before the API server has it. */
  before?(call: KubeCall): boolean;
  /** The API server has answered, and its client has not heard. */
  after?(call: KubeCall): boolean;
}

export async function startClusterProxy(connection: KubeConnection, gate: Gate = {}): Promise<ClusterProxy> {
  const watches = new Set<ServerResponse>();
  let isBlocked = false;
  let gone: 'never' | 'as-status' | 'as-event' = 'never';
  /** Versions that watches began from before they were refused: a list made since gives another. */
  const old = new Set<string>();
  let refusals = 0;
  let blocked = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '/';
    const query = new URL(path, 'http://proxy').searchParams;
    const isWatch = query.get('watch') === 'true';
    const version = query.get('resourceVersion') ?? '';
    if (isWatch && isBlocked) {
      old.add(version);
      blocked += 1;
      return void request.socket.destroy();
    }
    if (isWatch && gone !== 'never' && old.has(version)) return refuse(response);
    const body = await textOf(request);
    const call: KubeCall = {
      method: request.method as KubeCall['method'],
      path,
      timeoutMs: 30_000,
      stream: isWatch,
      ...(body === '' ? {} : { body: JSON.parse(body), contentType: request.headers['content-type'] ?? '' }),
    };
    if (!isWatch && gate.before?.(call) === false) return void request.socket.destroy();
    const given = await connection.send(call);
    if (!isWatch && gate.after?.(call) === false) {
      await given.body.dump();
      return void request.socket.destroy();
    }
    response.writeHead(given.statusCode, { 'content-type': 'application/json' });
    response.flushHeaders();
    if (isWatch) {
      watches.add(response);
      response.once('close', () => watches.delete(response));
    }
    await pipeline(given.body, response);
  }

  function refuse(response: ServerResponse): void {
    refusals += 1;
    if (gone === 'as-status') response.writeHead(410).end(JSON.stringify(tooOld));
    else response.writeHead(200).end(`${JSON.stringify({ type: 'ERROR', object: tooOld })}\n`);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = () => {
    for (const watch of watches) watch.destroy();
  };
  return {
    writeKubeconfig: (path) =>
      writeFile(
        path,
        stringify({
          apiVersion: 'v1',
          kind: 'Config',
          clusters: [{ name: 'c', cluster: { server: address } }],
          users: [{ name: 'u', user: {} }],
          contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
          'current-context': 'x',
        }),
        { mode: 0o600 },
      ),
    open: () => watches.size,
    cut,
    block() {
      isBlocked = true;
      blocked = 0;
      cut();
    },
    heal(next) {
      gone = next;
      isBlocked = false;
    },
    blocked: () => blocked,
    refused: () => refusals,
    async close() {
      cut();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
