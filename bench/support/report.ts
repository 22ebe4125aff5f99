import { loadavg } from 'node:os';

/** Numbers of one series, in milliseconds unless the name says otherwise. */
export interface Summary {
  count: number;
  median: number;
  p95: number;
  p99: number;
  max: number;
}

/** Nearest-rank percentiles: each figure is one that was really measured. */
export function summarize(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
  return { count: sorted.length, median: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) };
}

export function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/**
 * One line a scenario, JSON, so that runs can be compared; with the machine's load of the last minute, for a busy one
 * measures itself. `lost` other than 0 makes the run fail.
 */
export function report(scenario: string, figures: Record<string, unknown> & { lost: number }): void {
  process.stdout.write(`${JSON.stringify({ scenario, ...figures, load: round(loadavg()[0] ?? 0) })}\n`);
  if (figures.lost !== 0) process.exitCode = 1;
}

/** A scenario that cannot run here, and what it lacks. */
export function skip(scenario: string, why: string): void {
  process.stdout.write(`${JSON.stringify({ scenario, skipped: why })}\n`);
}

/** Rejects, naming `what`, when it takes longer than `timeoutMs`. */
export async function within<T>(what: string, timeoutMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Gave up after ${timeoutMs} ms waiting for ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `probe` gives something; looks again every `everyMs`. Throws, naming `what`, after `timeoutMs`. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | Promise<T | undefined>,
  { timeoutMs = 60_000, everyMs = 5 } = {},
): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`Gave up after ${timeoutMs} ms waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
}
