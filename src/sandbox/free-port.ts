import { type AddressInfo, createServer } from 'node:net';

/** The preferred port of 127.0.0.1 when nobody has it, otherwise a free one. */
export async function freePort(preferred: number): Promise<number> {
  return (await listens(preferred)) ?? (await listens(0)) ?? 0;
}

function listens(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(null));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const bound = (server.address() as AddressInfo).port;
      server.close(() => resolve(bound));
    });
  });
}
