/** How fast deliveries come in at the moment. */
export interface IntakePressure {
  /** One was received. */
  note(): void;
  /** They come faster than about 100 a second: what follows from them gives way to answering them. */
  isHigh(): boolean;
}

const spanMs = 250;
const highCount = 25;

/** Counts the deliveries of this moment and of the one before; forgets them after half a second. */
export function intakePressure(clock: () => number = () => performance.now()): IntakePressure {
  let span = 0;
  let count = 0;
  let before = 0;
  function moveOn(): void {
    const now = Math.floor(clock() / spanMs);
    if (now === span) return;
    before = now === span + 1 ? count : 0;
    count = 0;
    span = now;
  }
  return {
    note() {
      moveOn();
      count += 1;
    },
    isHigh() {
      moveOn();
      return Math.max(count, before) >= highCount;
    },
  };
}
