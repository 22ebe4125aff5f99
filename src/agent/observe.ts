import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../error/app-error.js';
import { maxTextLength, type ObservationMessage } from '../protocol/observations.js';
import { pairKey } from './inventory.js';

/** What the agent sees of one incarnation, before it is numbered. */
export type Sighting = Omit<ObservationMessage, 'seq'>;

export interface ObserverDeps {
  send(observations: ObservationMessage[], signal: AbortSignal): Promise<void>;
  /** A batch that could not be sent; it is kept. */
  onFailure(error: unknown): void;
}

/** Tells the manager what is seen; keeps the newest of each incarnation while the manager is away. */
export interface Observer {
  /** Says nothing when it is what was said last. */
  report(sighting: Sighting): void;
  /** Says once more what was said last of it: the manager lost it, or never had it. */
  repeat(pair: { slug: string; incarnation: number }): void;
  /** Forgets what was said last: what comes next is sent in any case. */
  forget(pair: { slug: string; incarnation: number }): void;
  /** Sends what is kept until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Observations that come within this time travel together. */
const gatherMs = 10;
const batchSize = 200;
const batchBytes = 2 * 1024 * 1024;
const maxObjects = 500;
const maxEvidence = 50;
/** Incarnations whose news are kept; the oldest are dropped, for the poll tells the manager who still lives. */
const maxKept = 20_000;
const maxPauseMs = 30_000;

/** `start` is the agent's start number: what an earlier run of it said is older. */
export function createObserver(deps: ObserverDeps, start: number): Observer {
  const outbox = new Map<string, ObservationMessage>();
  /** As JSON: what thousands of living previews are remembered by must be small. */
  const last = new Map<string, { said: string; branchCommit: string }>();
  let counter = 0;
  let largest = batchSize;
  let wake: (() => void) | null = null;

  function report(sighting: Sighting): void {
    const key = pairKey(sighting);
    const bounded = boundedSighting(sighting);
    const { branchCommit, ...rest } = bounded;
    const said = JSON.stringify(rest);
    if (last.get(key)?.said === said) return;
    last.set(key, { said, branchCommit });
    keep(key, bounded);
  }

  function keep(key: string, sighting: Sighting): void {
    counter += 1;
    // The newest goes to the end, so that what was never overtaken is sent first.
    outbox.delete(key);
    outbox.set(key, { ...sighting, seq: [start, counter] });
    const oldest = outbox.size > maxKept ? outbox.keys().next().value : undefined;
    if (oldest !== undefined) outbox.delete(oldest);
    wake?.();
  }

  function nextBatch(): ObservationMessage[] {
    const batch: ObservationMessage[] = [];
    let bytes = 0;
    for (const message of outbox.values()) {
      bytes += JSON.stringify(message).length;
      if (batch.length === largest || (batch.length > 0 && bytes > batchBytes)) break;
      batch.push(message);
    }
    return batch;
  }

  async function sendBatch(signal: AbortSignal): Promise<void> {
    const batch = nextBatch();
    try {
      await deps.send(batch, signal);
      largest = batchSize;
    } catch (error) {
      if (!isAppError(error, 'manager-refused')) throw error;
      deps.onFailure(error);
      // One message that the manager does not take must not keep the others: they go alone, and it is dropped.
      if (batch.length > 1) {
        largest = 1;
        return;
      }
    }
    for (const message of batch) if (outbox.get(pairKey(message)) === message) outbox.delete(pairKey(message));
  }

  async function run(signal: AbortSignal): Promise<void> {
    const pause = (ms: number) => delay(ms, undefined, { signal }).catch(() => undefined);
    let failures = 0;
    signal.addEventListener('abort', () => wake?.(), { once: true });
    while (!signal.aborted) {
      if (outbox.size === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        await pause(gatherMs);
        continue;
      }
      try {
        await sendBatch(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        if (!isAppError(error)) throw error;
        deps.onFailure(error);
        failures += 1;
        await pause(Math.min(maxPauseMs, 500 * 2 ** Math.min(failures, 8)) * (0.5 + Math.random() / 2));
      }
    }
  }

  return {
    report,
    repeat(pair) {
      const known = last.get(pairKey(pair));
      if (known === undefined) return;
      const rest = JSON.parse(known.said) as Omit<Sighting, 'branchCommit'>;
      keep(pairKey(pair), { ...rest, branchCommit: known.branchCommit });
    },
    forget: (pair) => void last.delete(pairKey(pair)),
    run,
  };
}

/** Within what the protocol takes; the unhealthy objects come first, so that they are not the ones cut off. */
function boundedSighting(sighting: Sighting): Sighting {
  const objects = [...sighting.objects].sort((a, b) => Number(a.health === 'Healthy') - Number(b.health === 'Healthy'));
  return {
    ...sighting,
    objects: objects
      .slice(0, maxObjects)
      .map((object) => ({ ...object, message: object.message && cut(object.message) })),
    diagnosis:
      sighting.diagnosis === null
        ? null
        : {
            ...sighting.diagnosis,
            sentence: cut(sighting.diagnosis.sentence),
            evidence: sighting.diagnosis.evidence.slice(-maxEvidence).map(cut),
            ...(sighting.diagnosis.logs && { logs: sighting.diagnosis.logs.slice(-maxEvidence).map(cut) }),
          },
  };
}

function cut(text: string): string {
  return text.length <= maxTextLength ? text : `${text.slice(0, maxTextLength - 1)}…`;
}
