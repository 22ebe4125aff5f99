import { setTimeout as delay } from 'node:timers/promises';

/**
 * A function that runs `work`, one run at a time and not more often than every `pauseMs` milliseconds: calls that come
 * during a run or its pause make one more run together. `onError` hears of a run that failed; nothing is tried again.
 */
export function asOne(work: () => Promise<void>, pauseMs: number, onError: (error: unknown) => void): () => void {
  let isAsked = false;
  let isRunning = false;
  async function run(): Promise<void> {
    isRunning = true;
    while (isAsked) {
      isAsked = false;
      await work().catch(onError);
      await delay(pauseMs, undefined, { ref: false });
    }
    isRunning = false;
  }
  return () => {
    isAsked = true;
    if (!isRunning) void run();
  };
}
