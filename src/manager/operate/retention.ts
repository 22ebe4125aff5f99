import type { Logger } from 'pino';

export interface RetentionDeps<Kind extends string> {
  /** What can be removed, in the order in which it is. */
  kinds: readonly Kind[];
  /** Removes up to `limit` old rows of one kind; answers how many. */
  purge: (kind: Kind, limit: number) => Promise<number>;
  log: Logger;
}

/** Rows of one statement: small enough to hold no lock for long. */
const batchSize = 1_000;
/** Statements of one run and kind; what is left is removed by the next run. */
const maxBatches = 100;

/** The job `retention`: removes what is older than it needs to be, in small batches. */
export async function removeOld<Kind extends string>(deps: RetentionDeps<Kind>, signal: AbortSignal): Promise<void> {
  for (const kind of deps.kinds) {
    let removed = 0;
    for (let batch = 0; batch < maxBatches; batch += 1) {
      signal.throwIfAborted();
      const count = await deps.purge(kind, batchSize);
      removed += count;
      if (count < batchSize) break;
    }
    if (removed > 0) deps.log.info({ kind, removed }, 'old rows removed');
  }
}
