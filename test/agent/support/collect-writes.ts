import { subscribe, unsubscribe } from 'node:diagnostics_channel';

/** Requests of this process that write to a server, while something is done; but for what the agent notes of itself. */
export async function collectWrites(server: string, act: () => Promise<void>): Promise<string[]> {
  const writes: string[] = [];
  const heard = (message: unknown) => {
    const { request } = message as { request: { origin: string; method: string; path: string } };
    // The lease keeps the simulated node alive: the test's own.
    const beside = request.path.includes('/leases/') || request.path.includes('-state');
    if (request.origin === server && request.method !== 'GET' && !beside)
      writes.push(`${request.method} ${request.path}`);
  };
  subscribe('undici:request:create', heard);
  try {
    await act();
  } finally {
    unsubscribe('undici:request:create', heard);
  }
  return writes;
}
