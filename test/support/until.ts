import { setTimeout as delay } from 'node:timers/promises';

/**
 * Waits until `probe` gives something other than undefined or false. Rejects after the deadline with `what` and
 * what `explain` says then.
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  { deadlineMs = 60_000, everyMs = 20, explain = () => '' }: UntilOptions = {},
): Promise<T> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await probe();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      // A server that is just starting, or was just killed, refuses: that is one of the things waited for.
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`gave up waiting for ${what}\n${last === undefined ? '' : String(last)}\n${explain()}`);
    }
    await delay(everyMs);
  }
}

interface UntilOptions {
  deadlineMs?: number;
  everyMs?: number;
  explain?: () => string;
}
