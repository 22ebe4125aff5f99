import type { Logger } from 'pino';
import { ApiError } from '../api-error.js';

/** Runs of work by key, each once however often it is asked for before its turn; and work for later. */
export interface WorkQueue {
  add(key: string, run: () => void): void;
  /** Runs once after a delay; another call with the same key replaces it. */
  later(key: string, delayMs: number, run: () => void): void;
  cancel(key: string): void;
  /** Nothing runs any more. */
  stop(): void;
}

/** How long work may run before requests get their turn. */
const sliceMs = 8;

/** The longest that a timer can wait. */
const longestMs = 2 ** 31 - 1;

export function createWorkQueue(log: Logger): WorkQueue {
  const waiting = new Map<string, () => void>();
  const timers = new Map<string, NodeJS.Timeout>();
  let scheduled: NodeJS.Immediate | undefined;
  let stopped = false;

  function drain(): void {
    scheduled = undefined;
    const until = performance.now() + sliceMs;
    for (const [key, run] of waiting) {
      waiting.delete(key);
      guarded(log, key, run);
      if (performance.now() > until) break;
    }
    if (waiting.size > 0) schedule();
  }
  function schedule(): void {
    if (!stopped) scheduled ??= setImmediate(drain);
  }
  function cancel(key: string): void {
    clearTimeout(timers.get(key));
    timers.delete(key);
  }
  return {
    add(key, run) {
      waiting.set(key, run);
      schedule();
    },
    later(key, delayMs, run) {
      cancel(key);
      if (stopped) return;
      const due = () => {
        timers.delete(key);
        guarded(log, key, run);
      };
      timers.set(key, setTimeout(due, Math.min(delayMs, longestMs)));
    },
    cancel,
    stop() {
      stopped = true;
      if (scheduled !== undefined) clearImmediate(scheduled);
      for (const key of [...timers.keys()]) cancel(key);
    },
  };
}

/** One reconcile that fails holds up no other. A write that the API refuses comes again with the next change. */
function guarded(log: Logger, key: string, run: () => void): void {
  try {
    run();
  } catch (error) {
    if (error instanceof ApiError)
      log.debug({ key, reason: error.reason, err: error }, 'a controller was refused a write');
    else log.error({ key, err: error }, 'a controller of the cluster stand-in failed');
  }
}
