import { hasFile } from '../../preview/lifecycle.js';
import { decideJob } from './jobs.js';
import type { Matter } from './matter.js';
import type { SubjectState } from './needs.js';

const branchPauseMs = 60_000;

/** The cluster says that it is gone, and the row knows of no end. */
export function isLost({ preview, observation }: Pick<SubjectState, 'preview' | 'observation'>): boolean {
  return preview !== null && hasFile(preview.phase) && observation?.state === 'gone';
}

/**
 * The same matter without a loss. The agent may have been faster than the read-back of the branch, and a file that a
 * person removed is that person's wish, which the next incarnation must know of: what the branch says comes first.
 */
export function withoutLoss(matter: Matter): Matter {
  return {
    ...matter,
    input(state) {
      const input = matter.input(state);
      return isLost(state) ? { ...input, observation: null } : input;
    },
    jobs(parts) {
      const jobs = matter.jobs(parts);
      const again = decideJob(matter.subject, parts.state.now + branchPauseMs);
      return isLost(parts.state) && !jobs.some(({ key }) => key === again.key) ? [...jobs, again] : jobs;
    },
  };
}
