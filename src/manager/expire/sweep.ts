import type { Logger } from 'pino';

export interface SweepDeps {
  /** Enqueues a decision for every preview whose time has come; answers how many. */
  enqueueDue: (query: {
    deployTimeouts: { project: string; timeoutMs: number }[];
    pauseMs: number;
    limit: number;
  }) => Promise<number>;
  /** `name` and `deployTimeout` of each configured project. */
  deployTimeouts: () => { project: string; timeoutMs: number }[];
  log: Logger;
}

/** What is due but cannot be done yet (GitLab is silent, the breaker holds) is looked at again after this time. */
const pauseMs = 60_000;
const limit = 1_000;

/**
 * The job `sweep`: finds what became due without anybody saying so. It decides nothing itself: each preview's own
 * decision reads the merge request again before it stops anything.
 */
export async function sweep(deps: SweepDeps): Promise<number> {
  const count = await deps.enqueueDue({ deployTimeouts: deps.deployTimeouts(), pauseMs, limit });
  if (count > 0) deps.log.debug({ count }, 'previews are due');
  return count;
}
