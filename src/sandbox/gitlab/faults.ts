export const faultKinds = [
  'rate-limit',
  'bad-gateway',
  'lost-answer',
  'silence',
  'latency',
  'token-expired',
  'forbidden',
  'not-found',
  'empty',
  'conflict',
] as const;

/**
 * `rate-limit`: 429, `Retry-After`, body `Retry later`. `bad-gateway`: 502, nothing is done. `lost-answer`: it is done,
 * and the connection is cut before the answer. `silence`: never answered, nothing is done. `latency`: later by `ms`.
 * `token-expired`: 401. `forbidden`: 403. `not-found`: 404 as for a bot that was removed. `empty`: 200 with an empty list.
 * `conflict`: 409, as two updates of one commit status at the same time.
 */
type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  kind: FaultKind;
  /** Default: every method. */
  method?: string | undefined;
  /** Regular expression that the path must match, without the query, as it was sent. Default: every path. */
  path?: string | undefined;
  /** How many requests it takes; default: all until it is cleared. */
  count?: number | undefined;
  /** For `latency`: milliseconds. */
  ms?: number | undefined;
  /** For `rate-limit`; default 1. */
  retryAfterSeconds?: number | undefined;
}

export interface FaultSwitch {
  /** Gives a number by which it can be switched off. */
  add: (fault: Fault) => number;
  remove: (id: number) => void;
  clear: () => void;
  list: () => (Fault & { id: number; hits: number })[];
  /** The faults that this request meets, each counted. */
  take: (method: string, path: string) => Fault[];
}

export function createFaultSwitch(): FaultSwitch {
  const faults = new Map<number, { fault: Fault; path: RegExp | null; left: number; hits: number }>();
  let lastId = 0;
  return {
    add: (fault) => {
      const path = fault.path === undefined ? null : new RegExp(fault.path);
      lastId += 1;
      faults.set(lastId, { fault, path, left: fault.count ?? Number.POSITIVE_INFINITY, hits: 0 });
      return lastId;
    },
    remove: (id) => {
      faults.delete(id);
    },
    clear: () => faults.clear(),
    list: () => [...faults].map(([id, { fault, hits }]) => ({ ...fault, id, hits })),
    take: (method, path) => {
      const met: Fault[] = [];
      for (const entry of faults.values()) {
        if (entry.left <= 0) continue;
        if (entry.fault.method !== undefined && entry.fault.method.toUpperCase() !== method) continue;
        if (entry.path !== null && !entry.path.test(path)) continue;
        entry.left -= 1;
        entry.hits += 1;
        met.push(entry.fault);
      }
      return met;
    },
  };
}
