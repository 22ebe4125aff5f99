/** Runs what has the same key one after the other; a failure does not stop the next. */
export function createKeyedQueue(): <T>(key: string, run: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return (key, run) => {
    const before = tails.get(key) ?? Promise.resolve();
    // The one before has told its own caller of its failure already.
    const result = before.then(run, run);
    const tail = result.then(
      () => undefined,
      () => undefined,
    );
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
    });
    return result;
  };
}
