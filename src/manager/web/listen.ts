import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { AppError } from '../../error/app-error.js';

export interface Listening {
  host: string;
  /** The port in use, also when a free one was asked for. */
  port: number;
  /** Takes no new connection, ends the idle ones, and resolves when the busy ones are done or `graceMs` is over. */
  stop(graceMs?: number): Promise<void>;
}

/** Opens a server. Errors: `port-taken`, `listen-failed`. */
export async function listen(handler: RequestListener, options: { host: string; port: number }): Promise<Listening> {
  const server = createServer(handler);
  // Slow senders must not hold connections for ever; GitLab gives up after 10 s itself.
  server.requestTimeout = 30_000;
  server.headersTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, options)));
    server.listen({ host: options.host, port: options.port }, resolve);
  });
  return {
    host: options.host,
    port: (server.address() as AddressInfo).port,
    async stop(graceMs = 3_000) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function listenError(error: Error, options: { host: string; port: number }): AppError {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
  const where = `${options.host}:${options.port}`;
  const isTaken = code === 'EADDRINUSE';
  return new AppError({
    code: isTaken ? 'port-taken' : 'listen-failed',
    disposition: 'stall',
    publicMessage: isTaken
      ? `The address ${where} is in use by another program. Stop that program, or choose another port under \`listen\`.`
      : `The address ${where} cannot be listened on (${code}). Correct \`listen\` in the configuration.`,
    data: { ...options, reason: code },
    cause: error,
  });
}
