/** How fast deliveries come in at the moment, and whether one is waited for right now. */
export interface IntakePressure {
  /** Stores one that was received; it counts as waited for until this is done. */
  during<T>(store: () => Promise<T>): Promise<T>;
  /** They come faster than about 100 a second: what follows from them gives way to answering them. */
  isHigh(): boolean;
  /**
   * Resolves once none is waited for, at the latest after a while: with more of them than can ever be stored in time,
   * what follows would otherwise never be done.
   */
  quiet(): Promise<void>;
}

const spanMs = 250;
const highCount = 25;
const longestQuietMs = 25;

/** Counts the deliveries of this moment and of the one before; forgets them after half a second. */
export function intakePressure(clock: () => number = () => performance.now()): IntakePressure {
  let span = 0;
  let count = 0;
  let before = 0;
  let storing = 0;
  let waiting: (() => void)[] = [];
  function moveOn(): void {
    const now = Math.floor(clock() / spanMs);
    if (now === span) return;
    before = now === span + 1 ? count : 0;
    count = 0;
    span = now;
  }
  function done(): void {
    storing -= 1;
    if (storing > 0) return;
    const woken = waiting;
    waiting = [];
    for (const wake of woken) wake();
  }
  return {
    async during(store) {
      moveOn();
      count += 1;
      storing += 1;
      try {
        return await store();
      } finally {
        done();
      }
    },
    isHigh() {
      moveOn();
      return Math.max(count, before) >= highCount;
    },
    async quiet() {
      if (storing === 0) return;
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        timer = setTimeout(resolve, longestQuietMs);
      });
      clearTimeout(timer);
    },
  };
}
