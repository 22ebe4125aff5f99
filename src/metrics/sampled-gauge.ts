import type { Logger } from 'pino';
import { Counter, Gauge, type Registry } from 'prom-client';

/** Values of a gauge that are asked for at each scrape, such as counts of rows. */
export interface SampledGauge<Label extends string> {
  name: string;
  help: string;
  labels: readonly Label[];
  /** Must end when the signal fires. One value for each set of labels. */
  read(signal: AbortSignal): Promise<readonly Sample<Label>[]>;
}

export interface Sample<Label extends string> {
  labels: Record<Label, string>;
  value: number;
}

/**
 * Registers a gauge and answers the function that reads it anew, in at most `timeoutMs`. What cannot be read is absent
 * from that scrape, logged, and counted in `mayfly_scrape_errors_total{metric}`: an old value would hide that nothing
 * is known. Readings at the same time are one.
 */
export function addSampledGauge<Label extends string>(
  registry: Registry,
  options: { gauge: SampledGauge<Label>; timeoutMs: number; log: Logger },
): () => Promise<void> {
  const { gauge: sampled, timeoutMs, log } = options;
  const errors = scrapeErrors(registry);
  errors.inc({ metric: sampled.name }, 0);
  const gauge = new Gauge<Label>({
    name: sampled.name,
    help: sampled.help,
    labelNames: [...sampled.labels],
    registers: [registry],
  });
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      const samples = await withTimeout(sampled.read, timeoutMs);
      gauge.reset();
      for (const sample of samples) gauge.set(sample.labels, sample.value);
    } catch (error) {
      // Whatever went wrong, the other metrics must still be told.
      gauge.reset();
      errors.inc({ metric: sampled.name });
      log.warn({ metric: sampled.name, err: error }, 'metric could not be read');
    }
  }

  return () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
}

function scrapeErrors(registry: Registry): Counter<'metric'> {
  const name = 'mayfly_scrape_errors_total';
  const existing = registry.getSingleMetric(name);
  if (existing instanceof Counter) return existing;
  return new Counter({
    name,
    help: 'Metrics that could not be read at a scrape.',
    labelNames: ['metric'],
    registers: [registry],
  });
}

async function withTimeout<T>(read: (signal: AbortSignal) => Promise<T>, timeoutMs: number): Promise<T> {
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise<T>((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    read(signal).then(resolve, reject);
  });
}
