/**
 * Lets at most `most()` calls run at once; the others begin in the order of arrival. The number is asked for whenever
 * a call comes or ends; it must be 1 at least.
 */
export function takeTurns(most: () => number): <T>(call: () => Promise<T>) => Promise<T> {
  const line: (() => void)[] = [];
  let running = 0;
  function admit(): void {
    while (line.length > 0 && running < most()) {
      running += 1;
      line.shift()?.();
    }
  }
  return async (call) => {
    await new Promise<void>((resolve) => {
      line.push(resolve);
      admit();
    });
    try {
      return await call();
    } finally {
      running -= 1;
      admit();
    }
  };
}
