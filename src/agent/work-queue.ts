import { isAppError } from '../error/app-error.js';

export interface WorkQueueOptions {
  /** Keys that are worked on at once. */
  concurrency: number;
  /** Does what is due for a key; returns after how long it wants to run again, or null. */
  run(key: string, signal: AbortSignal): Promise<number | null>;
  /** An error that `run` did not handle; the key is tried again after `retryMs`. */
  onError(key: string, error: unknown): void;
}

/** Runs work by key: one run at a time for each, several keys at once, in the order of arrival. */
export interface WorkQueue {
  /** Asks for a run of the key; a run under way is followed by another. `supersede` cancels it. */
  add(key: string, options?: { delayMs?: number; supersede?: boolean }): void;
  /** Whether the key is being worked on. */
  isRunning(key: string): boolean;
  /** Cancels everything; resolves when nothing runs any more. */
  stop(): Promise<void>;
}

const retryMs = 1_000;

export function createWorkQueue(options: WorkQueueOptions): WorkQueue {
  const waiting = new Set<string>();
  const active = new Map<string, { control: AbortController; done: Promise<void> }>();
  const again = new Set<string>();
  const timers = new Map<string, { at: number; timer: NodeJS.Timeout }>();
  let stopped = false;

  function schedule(key: string, delayMs: number): void {
    const at = Date.now() + delayMs;
    const known = timers.get(key);
    if (known !== undefined && known.at <= at) return;
    clearTimeout(known?.timer);
    const timer = setTimeout(() => {
      timers.delete(key);
      add(key);
    }, delayMs);
    timers.set(key, { at, timer });
  }

  async function work(key: string, control: AbortController): Promise<void> {
    try {
      const againMs = await options.run(key, control.signal);
      if (againMs !== null && !stopped) schedule(key, againMs);
    } catch (error) {
      // A superseded run has its successor waiting already.
      if (control.signal.aborted && !isAppError(error)) return;
      options.onError(key, error);
      if (!stopped) schedule(key, retryMs);
    }
  }

  function pump(): void {
    for (const key of waiting) {
      if (stopped || active.size >= options.concurrency) return;
      waiting.delete(key);
      const control = new AbortController();
      const done = work(key, control).then(() => {
        active.delete(key);
        if (again.delete(key) && !stopped) waiting.add(key);
        pump();
      });
      active.set(key, { control, done });
    }
  }

  function add(key: string, input: { delayMs?: number; supersede?: boolean } = {}): void {
    if (stopped) return;
    if (input.delayMs !== undefined && input.delayMs > 0) {
      schedule(key, input.delayMs);
      return;
    }
    const run = active.get(key);
    if (run === undefined) {
      waiting.add(key);
      pump();
      return;
    }
    again.add(key);
    if (input.supersede) run.control.abort(new DOMException('superseded', 'AbortError'));
  }

  return {
    add,
    isRunning: (key) => active.has(key),
    async stop() {
      stopped = true;
      waiting.clear();
      for (const { timer } of timers.values()) clearTimeout(timer);
      timers.clear();
      const runs = [...active.values()];
      for (const { control } of runs) control.abort(new DOMException('stopped', 'AbortError'));
      await Promise.all(runs.map(({ done }) => done));
    },
  };
}
