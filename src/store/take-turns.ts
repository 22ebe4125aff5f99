/**
 * Lets at most `most` calls run at once; the others begin in the order of arrival. What fails or is slow in one is no
 * matter of the others.
 */
export function takeTurns(most: number): <T>(call: () => Promise<T>) => Promise<T> {
  const line: (() => void)[] = [];
  let running = 0;
  return async (call) => {
    if (running < most) running += 1;
    else await new Promise<void>((resolve) => line.push(resolve));
    try {
      return await call();
    } finally {
      // The place is handed over, so that nobody who comes now is quicker than who waits.
      const next = line.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
