import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Fault =
  /** The server gets the request, the client no answer: the connection breaks. */
  | 'lose-answer'
  /** The same, and the client hears 502. */
  | 'bad-gateway'
  /** The server never hears of it. */
  | 'lose-request';

export interface GitProxy {
  url: string;
  /** Faults for the next pushes, one each. */
  faults: Fault[];
  /** Looks at each request for objects: `refuse` answers as a server does that may not give them. */
  judgeFetch: (body: string) => 'pass' | 'refuse' | 'hang';
  /** Called when the server has answered a push whose answer is lost. */
  beforeFault: () => Promise<unknown>;
  close(): Promise<void>;
}

/** Stands before a Git server and spoils pushes. */
export async function startGitProxy(target: string): Promise<GitProxy> {
  const server = createServer((incoming, outgoing) => {
    const isPush = incoming.method === 'POST' && incoming.url?.endsWith('/git-receive-pack');
    const fault = isPush ? proxy.faults.shift() : undefined;
    if (fault === 'lose-request') {
      incoming.resume();
      incoming.on('end', () => outgoing.destroy());
      return;
    }
    if (incoming.method === 'POST' && !isPush) {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const body = Buffer.concat(chunks);
        const verdict = proxy.judgeFetch(body.toString('latin1'));
        if (verdict === 'refuse') outgoing.end('0023ERR upload-pack: not our ref x\n');
        if (verdict === 'pass') pass(body);
      });
      return;
    }
    pass(null);

    function pass(body: Buffer | null): void {
      const forward = request(
        target + incoming.url,
        { method: incoming.method, headers: incoming.headers },
        (answer) => {
          if (fault === undefined) {
            outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(outgoing);
            return;
          }
          answer.resume();
          answer.on('end', async () => {
            await proxy.beforeFault();
            if (fault === 'bad-gateway') outgoing.writeHead(502).end('<html>Bad gateway</html>');
            else outgoing.destroy();
          });
        },
      );
      forward.on('error', () => outgoing.destroy());
      if (body === null) incoming.pipe(forward);
      else forward.end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const proxy: GitProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults: [],
    judgeFetch: () => 'pass',
    beforeFault: async () => undefined,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}
