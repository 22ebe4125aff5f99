import type { Logger } from 'pino';

/** What the files of a project are to be made with now. */
export interface WantedRendering {
  project: string;
  fingerprint: string;
}

export interface TemplateSweepDeps {
  /** Of each project of the configuration; one that cannot be told yet is left out, and its previews left alone. */
  wanted(signal: AbortSignal): Promise<WantedRendering[]>;
  /** Lets previews that were made with something else be rendered again; answers how many. */
  enqueueStale(input: { wanted: readonly WantedRendering[]; most: number }): Promise<number>;
  log: Logger;
}

/** Previews that one sweep may have under way: rendered again, and not yet deployed. */
export const sweptAtOnce = 25;

/**
 * The job `templates`: renders living previews again when their template, or what the configuration says of their
 * files, is another than the one that they were made with. Each run lets some of them through, so that a cluster is
 * never asked to deploy all at once; it keeps nothing in memory, so that a restart goes on where it was.
 */
export async function sweepTemplates(deps: TemplateSweepDeps, signal: AbortSignal): Promise<number> {
  const wanted = await deps.wanted(signal);
  const count = await deps.enqueueStale({ wanted, most: sweptAtOnce });
  if (count > 0) deps.log.info({ count }, 'previews are rendered again');
  return count;
}
