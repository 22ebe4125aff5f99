import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';

export interface Answer {
  code: number;
  headers: Record<string, string | string[] | undefined>;
  // Answers of an API are what is tested here: they are read freely and compared.
  body: Json;
  text: string;
}

/** A JSON value that can be read at any depth; what is not there is undefined. */
export interface Json {
  [key: string]: Json;
}

export interface ApiClient {
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Server-side apply. */
  apply(path: string, object: unknown, manager?: string): Promise<Answer>;
  /** Opens a watch; `events` grows until the signal ends it. */
  watch(path: string, signal: AbortSignal, accept?: string): { events: Json[]; ended: Promise<void> };
  /** Waits until a GET's answer passes; fails with the last answer after the deadline. */
  until(path: string, passes: (answer: Answer) => boolean, deadlineMs?: number): Promise<Answer>;
  close(): void;
}

interface Access {
  url: string;
  token: string;
  authorityPem: string;
}

export function connect(access: Access): ApiClient {
  const agent = new Agent({ keepAlive: true, ca: access.authorityPem });
  const authorization = `Bearer ${access.token}`;

  function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const content = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      const sent = body === undefined ? {} : { 'content-type': 'application/json' };
      // Node sends the length of a DELETE's body only when it is told to.
      const all = { authorization, 'content-length': Buffer.byteLength(content), ...sent, ...headers };
      const outgoing = request(`${access.url}${path}`, { method, agent, headers: all }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const isJson = (incoming.headers['content-type'] ?? '').includes('json');
          const parsed = (isJson ? JSON.parse(text) : {}) as Json;
          resolve({ code: incoming.statusCode ?? 0, headers: incoming.headers, body: parsed, text });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(content);
    });
  }

  function watch(path: string, signal: AbortSignal, accept = 'application/json') {
    const events: Json[] = [];
    const ended = new Promise<void>((resolve, reject) => {
      const outgoing = request(
        `${access.url}${path}`,
        { agent, signal, headers: { authorization, accept } },
        (incoming) => {
          let rest = '';
          incoming.on('data', (chunk: Buffer) => {
            const lines = (rest + chunk.toString()).split('\n');
            rest = lines.pop() ?? '';
            for (const line of lines) events.push(JSON.parse(line) as Json);
          });
          incoming.on('end', resolve);
          incoming.on('error', (error) => (signal.aborted ? resolve() : reject(error)));
        },
      );
      outgoing.on('error', (error) => (signal.aborted ? resolve() : reject(error)));
      outgoing.end();
    });
    return { events, ended };
  }

  async function until(path: string, passes: (answer: Answer) => boolean, deadlineMs = 60_000): Promise<Answer> {
    const deadline = Date.now() + deadlineMs;
    for (;;) {
      const answer = await call('GET', path);
      if (passes(answer)) return answer;
      if (Date.now() > deadline) throw new Error(`GET ${path} did not get there: ${answer.code} ${answer.text}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  return {
    call,
    apply: (path, object, manager = 'test') =>
      call('PATCH', `${path}?fieldManager=${manager}&force=true`, object, {
        'content-type': 'application/apply-patch+yaml',
      }),
    watch,
    until,
    close: () => agent.destroy(),
  };
}

/** Access to the cluster of a kubeconfig with inline credentials. */
export async function accessOf(kubeconfig: string): Promise<Access> {
  const config = parse(await readFile(kubeconfig, 'utf8')) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
    users: { user: { token: string } }[];
  };
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user;
  if (cluster === undefined || user === undefined) throw new Error(`${kubeconfig} names no cluster or no user`);
  const authorityPem = Buffer.from(cluster['certificate-authority-data'], 'base64').toString();
  return { url: cluster.server, token: user.token, authorityPem };
}

/** Waits for a condition on something in memory. */
export async function eventually(passes: () => boolean, what: string, deadlineMs = 60_000): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!passes()) {
    if (Date.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
