import type pg from 'pg';
import type { Logger } from 'pino';

export interface KeptOwner {
  /** Rejects when the server ended by itself and cannot be started again; never resolves. */
  broken: Promise<never>;
  /** Ends the connection; answers whether there was one, and with it a server. */
  release(): Promise<boolean>;
}

/**
 * Watches the connection that owns the embedded server. One that ends before it is released means that the server
 * ended: `again` starts it where it was, and answers the new owner.
 */
export function keepOwner(first: pg.Client, again: () => Promise<pg.Client>, log: Logger): KeptOwner {
  let fail: (error: unknown) => void = () => undefined;
  const broken = new Promise<never>((_, reject) => {
    fail = reject;
  });
  broken.catch((error: unknown) => log.error({ err: error }, 'embedded database lost'));
  let isReleased = false;
  let owner: Promise<pg.Client | null> = Promise.resolve(first);
  async function revive(): Promise<pg.Client | null> {
    log.error('embedded database ended by itself, starting it again');
    try {
      const next = await again();
      watch(next);
      return next;
    } catch (error) {
      fail(error);
      return null;
    }
  }
  function watch(client: pg.Client): void {
    client.once('end', () => {
      if (!isReleased) owner = revive();
    });
  }
  watch(first);
  return {
    broken,
    async release() {
      isReleased = true;
      const last = await owner;
      await last?.end();
      return last !== null;
    },
  };
}
