import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { explainSchema } from '../../../src/protocol/explain.js';
import { type ObservationMessage, observationsSchema } from '../../../src/protocol/observations.js';
import { type Order, type Poll, pollSchema } from '../../../src/protocol/poll.js';

/** The agent's side of the protocol, checked by its schemas, with answers that a test decides. */
export interface FakeManager {
  url: string;
  token: string;
  /** All observations in the order of arrival. */
  observations: ObservationMessage[];
  polls: Poll[];
  /** Slugs that were asked about, and how often. */
  asked: Map<string, number>;
  /** The newest by `seq` of one incarnation. */
  newest(slug: string, incarnation?: number): ObservationMessage | null;
  /** What is answered to `explain`, by `slug#incarnation`. */
  explanations: Map<string, string>;
  /** What `explain` says is to go on, by `slug#incarnation`. */
  toGoOn: Set<string>;
  orders: Order[];
  /** Tells listening agents the branch's head. */
  hint(head: string): void;
  /** Answers 503 to everything, until it is back. */
  setAway(away: boolean): void;
  close(): Promise<void>;
}

export async function startFakeManager(): Promise<FakeManager> {
  const token = 'agent-token-of-the-test';
  const listeners = new Set<ServerResponse>();
  let away = false;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (away) return void response.writeHead(503).end();
    if (request.headers.authorization !== `Bearer ${token}`) return void response.writeHead(401).end();
    if (request.url === '/agent/v1/hints') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: head\ndata: {"branchCommit":null}\n\n');
      listeners.add(response);
      return void response.on('close', () => listeners.delete(response));
    }
    const body = JSON.parse(await textOf(request));
    response.setHeader('content-type', 'application/json');
    if (request.url === '/agent/v1/observations') {
      manager.observations.push(...observationsSchema.parse(body).observations);
      return void response.writeHead(204).end();
    }
    if (request.url === '/agent/v1/poll') {
      const poll = pollSchema.parse(body);
      manager.polls.push(poll);
      manager.orders = manager.orders.filter(({ id }) => !poll.acknowledged.includes(id));
      return void response.end(JSON.stringify({ orders: manager.orders }));
    }
    const { deletions } = explainSchema.parse(body);
    for (const { slug } of deletions) manager.asked.set(slug, (manager.asked.get(slug) ?? 0) + 1);
    const said = deletions.map((each) => ({
      ...each,
      explanation: manager.explanations.get(`${each.slug}#${each.incarnation}`) ?? null,
      lives: manager.toGoOn.has(`${each.slug}#${each.incarnation}`),
    }));
    response.end(JSON.stringify({ deletions: said }));
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const manager: FakeManager = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token,
    observations: [],
    polls: [],
    asked: new Map(),
    explanations: new Map(),
    toGoOn: new Set(),
    orders: [],
    newest(slug, incarnation) {
      const found = manager.observations.filter(
        (each) => each.slug === slug && (incarnation === undefined || each.incarnation === incarnation),
      );
      return found.sort((a, b) => a.seq[0] - b.seq[0] || a.seq[1] - b.seq[1]).at(-1) ?? null;
    },
    hint(head) {
      for (const each of listeners) each.write(`event: head\ndata: ${JSON.stringify({ branchCommit: head })}\n\n`);
    },
    setAway(next) {
      away = next;
      if (next) for (const each of listeners) each.destroy();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return manager;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
