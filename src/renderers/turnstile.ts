/** Lets so many calls run at once; the others wait in the order of their arrival, or until their signal aborts. */
export function createTurnstile(places: number): <T>(signal: AbortSignal, call: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let free = places;

  async function enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const leave = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      const go = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.push(go);
    });
  }

  return async (signal, call) => {
    await enter(signal);
    try {
      return await call();
    } finally {
      // The place goes on to the next in line without becoming free in between.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
