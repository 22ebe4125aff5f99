import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Logger as GraphileLogger,
  type JobHelpers,
  type Runner,
  run,
  runMigrations,
  type TaskList,
  type WorkerEvents,
} from 'graphile-worker';
import type pg from 'pg';
import type { Logger } from 'pino';
import { isAppError } from '../error/app-error.js';
import { createPool, type Queryable } from './pool.js';
import { startPresence } from './queue-presence.js';

/** One unit of work. It carries keys only: what runs it reads the state afresh. */
export interface JobSpec {
  task: string;
  /** At most one job of a key waits; one enqueued while its namesake runs makes one more run. */
  key: string;
  payload: Record<string, string | number>;
  /** Not before this time (milliseconds since the epoch). Its key gets a namespace of its own, see `enqueue`. */
  runAt?: number;
}

/** What a task gets: the job's payload, and a signal that ends its waits when the queue stops. */
export type Task = (payload: Record<string, unknown>, signal: AbortSignal) => Promise<void>;

export interface Queue {
  /** Takes no more jobs and waits for those that run; after 5 s their signal fires. Safe to call twice. */
  stop: () => Promise<void>;
  /** Resolves when the queue stopped, rejects when it broke. */
  promise: Promise<void>;
}

export interface QueueOptions {
  url: string;
  tasks: Record<string, Task>;
  /** Jobs that run at once. */
  concurrency: number;
  log: Logger;
}

/** Smaller first: what is visible in Git goes before what is merely told. */
const priorities: Record<string, number> = {
  commit: -10,
  readback: -5,
  decide: 0,
  sweep: 5,
  templates: 5,
  follow: 5,
  feedback: 10,
};

/** Tasks that write the branch: one at a time. */
const serialTasks: readonly string[] = ['commit', 'readback'];

/** A failing job waits exp(attempt) seconds; kept at 5, it is tried every 2.5 minutes until it succeeds. */
const attemptLimit = 5;

/** How long a job that ended waits for others that end as well (milliseconds). */
const endingMs = 10;

const enqueueSql = 'select enqueue_jobs($1::json)';

/**
 * Enqueues jobs in one round trip, as part of the caller's transaction when `q` is one.
 * A job for later has the key `<key>@later`, so that it never delays one that is to run now.
 */
export async function enqueue(q: Queryable, jobs: readonly JobSpec[]): Promise<void> {
  if (jobs.length === 0) return;
  await q.query(enqueueSql, [enqueueArgument(jobs)]);
}

/** The argument of the SQL function `enqueue_jobs`, for statements that enqueue beside other work. */
export function enqueueArgument(jobs: readonly JobSpec[]): string {
  return JSON.stringify(
    jobs.map((job) => ({
      task: job.task,
      key: job.runAt === undefined ? job.key : `${job.key}@later`,
      payload: job.payload,
      priority: priorities[job.task] ?? 0,
      run_at: job.runAt === undefined ? null : new Date(job.runAt).toISOString(),
    })),
  );
}

/** Installs the queue's own schema, or brings it up to date. */
export async function installQueue(options: { pool: pg.Pool; log: Logger }): Promise<void> {
  await runMigrations({ pgPool: options.pool, logger: graphileLogger(options.log) });
}

/**
 * Starts to work on the queue. Jobs that a killed manager left locked are released. The tasks that write the branch
 * have a worker of their own and run one at a time, over all managers.
 */
export async function startQueue(options: QueueOptions): Promise<Queue> {
  const { log } = options;
  const pool = createPool({
    url: options.url,
    log,
    max: options.concurrency + 6,
    applicationName: 'mayfly queue',
    isQuick: true,
  });
  const workers: string[] = [];
  const names = Object.keys(options.tasks);
  const runners: Runner[] = [];
  for (const [concurrency, mine] of [
    [1, names.filter((name) => serialTasks.includes(name))],
    [options.concurrency, names.filter((name) => !serialTasks.includes(name))],
  ] as const) {
    const taskList: TaskList = {};
    for (const name of mine) taskList[name] = guarded(name, options.tasks[name], log);
    if (mine.length > 0) runners.push(await startRunner(pool, taskList, concurrency, { log, workers }));
  }
  const presence = startPresence({ url: options.url, workers, log });
  let isOver = false;
  const promise = Promise.all(runners.map((runner) => runner.promise)).then(() => undefined);
  promise.catch((error: unknown) => {
    isOver = true;
    log.error({ err: error }, 'the queue broke');
  });
  async function stop(): Promise<void> {
    // A runner that broke has stopped itself, and refuses to be stopped again.
    const results = await Promise.allSettled(runners.map((runner) => runner.stop()));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined && !isOver) log.warn({ err: failed.reason }, 'the queue did not stop cleanly');
    await presence.stop();
    await pool.end();
  }
  let stopping: Promise<void> | undefined;
  return {
    promise,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

function startRunner(
  pool: pg.Pool,
  taskList: TaskList,
  concurrency: number,
  context: { log: Logger; workers: string[] },
): Promise<Runner> {
  const events: WorkerEvents = new EventEmitter();
  events.on('pool:create', ({ workerPool }) => context.workers.push(workerPool.id));
  return run({
    pgPool: pool,
    events,
    taskList,
    concurrency,
    logger: graphileLogger(context.log),
    noHandleSignals: true,
    parsedCronItems: [],
    // Notifications start jobs at once; polling is for retries and jobs of a later time.
    pollInterval: 1_000,
    // Without batches nobody waits for the statement that ends a job: a stop would leave it locked, and a database
    // that is lost at that moment would end the process. Many jobs at once are fetched and ended together; one that
    // waits in the local queue counts as running, so that a hint which comes meanwhile has it run once more.
    preset: {
      worker: {
        completeJobBatchDelay: concurrency === 1 ? 0 : endingMs,
        failJobBatchDelay: 0,
        ...(concurrency === 1 ? {} : { localQueue: { size: concurrency } }),
      },
    },
  });
}

/**
 * The task with the queue's rules for its failures: `stall` is not tried again (the job stays, failed, with its
 * error), `retry` and `wait` are tried until they succeed, not sooner than the error's `retryAfterMs`.
 * Any other error is a fault of the program: graphile-worker tries it 25 times, ever more slowly.
 */
function guarded(name: string, task: Task | undefined, log: Logger) {
  return async (payload: unknown, helpers: JobHelpers): Promise<void> => {
    try {
      const work = () => task?.((payload ?? {}) as Record<string, unknown>, helpers.abortSignal);
      await (serialTasks.includes(name) ? alone(helpers, work) : work());
    } catch (error) {
      const fields = { task: name, key: helpers.job.key, attempt: helpers.job.attempts, err: error };
      if (helpers.abortSignal.aborted) {
        log.info(fields, 'job interrupted, it will be tried again');
        await helpers.query(retrySql, [helpers.job.id, attemptLimit, 0]);
      } else if (!isAppError(error)) {
        log.error(fields, 'job failed unexpectedly');
      } else if (error.disposition === 'stall') {
        log.error(fields, 'job failed for good');
        await helpers.query(stallSql, [helpers.job.id]);
      } else {
        log.warn(fields, 'job failed, it will be tried again');
        const retryAfterMs = error.data.retryAfterMs;
        const pauseMs = typeof retryAfterMs === 'number' ? retryAfterMs : 0;
        await helpers.query(retrySql, [helpers.job.id, attemptLimit, pauseMs]);
      }
      throw error;
    }
  };
}

/**
 * Holds a lock of the session while `work` runs. graphile-worker's own named queues would do the same, but release
 * their lock after they looked for the next job, which then waits for the next poll.
 */
function alone(helpers: JobHelpers, work: () => Promise<void> | undefined): Promise<void> {
  return helpers.withPgClient(async (client) => {
    for (;;) {
      const answer = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [serialLock]);
      if (answer.rows[0]?.held) break;
      await delay(serialPauseMs, undefined, { signal: helpers.abortSignal });
    }
    try {
      await work();
    } finally {
      await client.query('select pg_advisory_unlock($1)', [serialLock]);
    }
  });
}

const serialLock = 0x73657269;
const serialPauseMs = 50;

// A job without key was superseded while it ran: its successor does the work, it must not come back.
const stallSql = 'update graphile_worker._private_jobs set attempts = max_attempts where id = $1';
const retrySql = `
  update graphile_worker._private_jobs
  set attempts = least(attempts, $2), run_at = greatest(run_at, now() + $3 * interval '1 ms')
  where id = $1 and key is not null`;

const levels = { error: 'warn', warning: 'warn', info: 'debug', debug: 'trace' } as const;

/** Its texts as fields: `guarded` already logs a job's failure in the words of this house. */
function graphileLogger(log: Logger): GraphileLogger {
  return new GraphileLogger((scope) => (level, message) => {
    log[levels[level as keyof typeof levels] ?? 'debug']({ ...scope, detail: message }, 'queue');
  });
}
