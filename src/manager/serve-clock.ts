import { schedule } from 'node-cron';
import type pg from 'pg';
import type { Logger } from 'pino';
import { enqueue, type JobSpec } from '../store/queue.js';
import type { ProjectsInForce } from './projects-in-force.js';
import { templatesJob } from './serve-render.js';
import { followJob, readbackJob, retentionJob, sweepJob } from './serve-tasks.js';

export interface ClockDeps {
  pool: pg.Pool;
  branch: string;
  projects: () => ProjectsInForce;
  /** Asks GitLab again for projects that it could not show. */
  resolveProjects: () => Promise<void>;
  log: Logger;
}

/**
 * The times at which something is looked at though nothing was heard of it. The clock only enqueues keyed jobs, so
 * that two managers double nothing. Everything is looked at once at the start.
 */
export async function startClock(deps: ClockDeps): Promise<() => Promise<void>> {
  const follow = (): JobSpec[] =>
    deps
      .projects()
      .all()
      .map(({ projectId }) => followJob(projectId));
  const readback = readbackJob(deps.branch);
  await enqueue(deps.pool, [readback, sweepJob, templatesJob, retentionJob, ...follow()]);
  const tick = (jobs: () => JobSpec[] | Promise<JobSpec[]>) => async (): Promise<void> => {
    try {
      await enqueue(deps.pool, await jobs());
    } catch (error) {
      // The database is away: the next tick tries again.
      deps.log.warn({ err: error }, 'jobs of the clock not enqueued');
    }
  };
  const tasks = [
    schedule(
      '*/15 * * * * *',
      tick(() => [readback]),
    ),
    schedule(
      '*/30 * * * * *',
      tick(() => [sweepJob, templatesJob]),
    ),
    schedule(
      '0 * * * * *',
      tick(async () => {
        await deps.resolveProjects();
        return follow();
      }),
    ),
    schedule(
      '0 17 * * * *',
      tick(() => [retentionJob]),
    ),
  ];
  return async () => {
    for (const task of tasks) await task.destroy();
  };
}
