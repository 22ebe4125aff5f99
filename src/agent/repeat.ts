export interface Repeated {
  /** Asks for a run now; one under way is followed by another. */
  poke(): void;
  /** Resolves when the signal has aborted and the last run is over. */
  done: Promise<void>;
}

/**
 * Runs something at once, then at each interval and whenever it is poked, one run at a time, until the signal aborts.
 * `run` handles its own errors: one that it throws ends the repetition and rejects `done`.
 */
export function repeat(
  options: { intervalMs: number; minGapMs?: number; run(): Promise<void> },
  signal: AbortSignal,
): Repeated {
  let poked = true;
  let wake: () => void = () => undefined;
  signal.addEventListener('abort', () => wake(), { once: true });

  /** Ends at the interval, at a poke (unless `deaf`), or with the signal. */
  function pause(ms: number, deaf: boolean): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        wake = () => undefined;
        resolve();
      };
      const timer = setTimeout(end, ms);
      wake = () => {
        if (!deaf || signal.aborted) end();
      };
    });
  }

  async function loop(): Promise<void> {
    while (!signal.aborted) {
      poked = false;
      await options.run();
      if (signal.aborted) return;
      if (options.minGapMs !== undefined) await pause(options.minGapMs, true);
      if (!poked && !signal.aborted) await pause(options.intervalMs, false);
    }
  }

  return {
    poke() {
      poked = true;
      wake();
    },
    done: loop(),
  };
}
