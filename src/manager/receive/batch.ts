import { AppError } from '../../error/app-error.js';
import type { DeliveryFacts } from './delivery-facts.js';

/** A verified delivery that is to be stored. */
export interface NewDelivery {
  /** Idempotency-Key or webhook-id; null from a GitLab that sends neither. */
  key: string | null;
  facts: DeliveryFacts;
}

/**
 * Stores deliveries and enqueues what follows from them, all or none; answers the id of each, in order. One whose key
 * is stored already gets the id it has and enqueues nothing.
 */
export type SaveDeliveries = (deliveries: readonly NewDelivery[]) => Promise<number[]>;

export interface BatchOptions {
  /** Deliveries of one round trip. Default 200. */
  maxBatch?: number;
  /** Round trips under way at once, so that one disk flush is not waited for by the next. Default 2. */
  maxInFlight?: number;
  /** Deliveries that may wait; more are refused. Default 10,000. */
  maxWaiting?: number;
  /** After this long without an answer of the database a delivery is refused. Default 8,000: GitLab waits 10 s. */
  timeoutMs?: number;
}

interface Waiting {
  delivery: NewDelivery;
  resolve: (id: number) => void;
  reject: (error: unknown) => void;
}

/**
 * Groups deliveries that arrive while others are being stored into one round trip, so that the price of a disk flush
 * is shared. A lone delivery waits for nothing. Error: `delivery-not-stored`.
 */
export function batchDeliveries(
  save: SaveDeliveries,
  options: BatchOptions = {},
): (delivery: NewDelivery) => Promise<number> {
  const { maxBatch = 200, maxInFlight = 2, maxWaiting = 10_000, timeoutMs = 8_000 } = options;
  let waiting: Waiting[] = [];
  let inFlight = 0;

  async function drain(): Promise<void> {
    inFlight += 1;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, maxBatch);
      waiting = waiting.slice(maxBatch);
      await saveBatch(save, batch, timeoutMs);
    }
    inFlight -= 1;
  }

  return (delivery) => {
    if (waiting.length >= maxWaiting) return Promise.reject(notStored('too many deliveries wait', undefined));
    return new Promise((resolve, reject) => {
      waiting.push({ delivery, resolve, reject });
      if (inFlight < maxInFlight) void drain();
    });
  };
}

async function saveBatch(save: SaveDeliveries, batch: Waiting[], timeoutMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the database did not answer in time')), timeoutMs);
  });
  try {
    const ids = await Promise.race([save(batch.map((one) => one.delivery)), late]);
    for (const [index, one] of batch.entries()) {
      const id = ids[index];
      if (id === undefined) one.reject(notStored('no id', undefined));
      else one.resolve(id);
    }
  } catch (error) {
    for (const one of batch) one.reject(notStored('the database refused', error));
  } finally {
    clearTimeout(timer);
  }
}

function notStored(why: string, cause: unknown): AppError {
  return new AppError({
    code: 'delivery-not-stored',
    disposition: 'retry',
    publicMessage: 'The delivery could not be stored. Send it again.',
    data: { why },
    cause,
  });
}
