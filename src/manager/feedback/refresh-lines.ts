export interface LineDeps {
  /** Merge requests whose note names a place in a line that is no longer true, the first in line first. */
  staleLines: (input: { limit: number }) => Promise<{ projectId: number; iid: number }[]>;
  enqueueFeedback: (mergeRequests: readonly { projectId: number; iid: number }[]) => Promise<void>;
  /** Runs this again after a while. */
  again: (afterMs: number) => Promise<void>;
}

/** Notes that are written anew at once, and how long the next have to wait: GitLab counts what is written. */
const atOnce = 25;
const pauseMs = 10_000;

/** The job `line`: keeps true what notes say of places in line. Those who are next to come are told first. */
export async function refreshLines(deps: LineDeps): Promise<number> {
  const stale = await deps.staleLines({ limit: atOnce });
  await deps.enqueueFeedback(stale);
  if (stale.length === atOnce) await deps.again(pauseMs);
  return stale.length;
}
