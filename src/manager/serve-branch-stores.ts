import type pg from 'pg';
import { hasPendingCommits, loadBatch, pendingSubjects } from '../store/branch-batch.js';
import { blockInstallation, createInstallation, loadInstallation } from '../store/branch-installation.js';
import { readBackBranch } from '../store/branch-read-back.js';
import { beginBranchWrite, failBranchRows, finishBranchWrite, settleBranchRows } from '../store/branch-write.js';
import { enqueue, type JobSpec } from '../store/queue.js';
import type { InstallationStore, ReadBackStore, RowStore } from './commit/deps.js';
import type { FollowUp } from './commit/follow-up.js';

export interface BranchStores {
  installation: InstallationStore;
  readBack: ReadBackStore;
  rows: RowStore;
}

/** What the branch writer keeps in PostgreSQL. `jobs`: what becomes due with a change, saved in its transaction. */
export function branchStores(pool: pg.Pool, jobs: (followUps: readonly FollowUp[]) => JobSpec[]): BranchStores {
  return {
    installation: {
      load: () => loadInstallation(pool),
      create: (id) => createInstallation(pool, id),
      block: (reason) => blockInstallation(pool, reason),
    },
    readBack: {
      readBack: (input) =>
        readBackBranch(pool, {
          ...input,
          judge: async (known, now) => {
            const judged = await input.judge(known, now);
            return { results: judged.results, jobs: jobs(judged.followUps) };
          },
        }),
    },
    rows: {
      load: (limit) => loadBatch(pool, limit),
      begin: (write) => beginBranchWrite(pool, write),
      finish: ({ followUps, ...write }) => finishBranchWrite(pool, { ...write, jobs: jobs(followUps) }),
      fail: (rows, followUps) => failBranchRows(pool, rows, jobs(followUps)),
      settle: (rows, followUps) => settleBranchRows(pool, rows, jobs(followUps)),
      hasPending: () => hasPendingCommits(pool),
      async tellPending() {
        const subjects = await pendingSubjects(pool);
        await enqueue(pool, jobs(subjects.map((subject) => ({ kind: 'feedback', subject }))));
      },
    },
  };
}
