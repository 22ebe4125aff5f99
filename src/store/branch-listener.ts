import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';

export interface BranchListener {
  /** Calls `listener` with each new head until the answered function is called. */
  subscribe: (listener: (head: string) => void) => () => void;
  stop: () => Promise<void>;
}

/** Channel on which the branch writer tells each new head. */
const branchChannel = 'mayfly_branch';
const reconnectMs = 1_000;
/** A server that accepts and says nothing would otherwise be waited for without end. */
const connectTimeoutMs = 10_000;

/**
 * Hears every change of the branch's head, whichever manager made it, over a connection of its own that is opened
 * again when it is lost. What is told meanwhile is missed: hints cost latency, never correctness.
 */
export function listenToBranch(options: { url: string; log: Logger }): BranchListener {
  const listeners = new Set<(head: string) => void>();
  const ended = new AbortController();
  const work = listen(options, listeners, ended.signal);
  return {
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async stop() {
      ended.abort();
      await work;
    },
  };
}

async function listen(
  options: { url: string; log: Logger },
  listeners: ReadonlySet<(head: string) => void>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({
      connectionString: options.url,
      application_name: 'mayfly hints',
      connectionTimeoutMillis: connectTimeoutMs,
      keepAlive: true,
    });
    client.on('notification', (message) => {
      for (const listener of listeners) listener(message.payload ?? '');
    });
    try {
      const lost = new Promise<void>((resolve) => {
        client.once('end', resolve);
        client.on('error', (error) => options.log.warn({ reason: error.message }, 'database connection lost'));
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      await client.connect();
      await client.query(`listen ${branchChannel}`);
      await lost;
    } catch (error) {
      options.log.warn({ err: error }, 'the branch cannot be listened to');
    }
    await client.end();
    if (!signal.aborted) await pause(signal);
  }
}

/** A wait that a stop ends early. */
async function pause(signal: AbortSignal): Promise<void> {
  try {
    await delay(reconnectMs, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
