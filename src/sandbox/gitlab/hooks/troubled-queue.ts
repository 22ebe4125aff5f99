/** How deliveries go astray, for tests. */
export interface DeliveryTrouble {
  /** Share that is never sent, 0 to 1. */
  lose: number;
  /** Share that is sent twice, 0 to 1. */
  duplicate: number;
  /** Deliveries are held until this many wait or `flush` is called, and then sent in random order; 0: at once. */
  shuffle: number;
  /** Waits before each one, milliseconds. */
  delayMs: number;
}

export interface TroubledQueue<Item> {
  /** False: it is lost. */
  put: (item: Item) => boolean;
  flush: () => void;
}

/** Passes items on, but for what the trouble does to them. */
export function createTroubledQueue<Item>(
  trouble: DeliveryTrouble,
  random: () => number,
  pass: (item: Item) => void,
): TroubledQueue<Item> {
  let held: Item[] = [];
  const flush = (): void => {
    const all = trouble.shuffle > 0 ? shuffled(held, random) : held;
    held = [];
    for (const item of all) pass(item);
  };
  return {
    put: (item) => {
      if (trouble.lose > 0 && random() < trouble.lose) return false;
      held.push(item);
      if (trouble.duplicate > 0 && random() < trouble.duplicate) held.push(item);
      if (held.length >= Math.max(1, trouble.shuffle)) flush();
      return true;
    },
    flush,
  };
}

function shuffled<Item>(items: Item[], random: () => number): Item[] {
  const withKeys = items.map((item) => ({ item, key: random() }));
  return withKeys.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
