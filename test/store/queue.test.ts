import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { AppError } from '../../src/error/app-error.js';
import { inTransaction } from '../../src/store/pool.js';
import { enqueue, type Queue, startQueue, type Task } from '../../src/store/queue.js';
import { compileFolders } from '../support/compiled.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const log = pino({ level: 'silent' });
let database: TestDatabase;
let queue: Queue | undefined;

beforeAll(async () => {
  database = await createTestDatabase({ max: 30 });
});

afterEach(async () => {
  await queue?.stop();
  queue = undefined;
  await database.pool.query('delete from graphile_worker._private_jobs');
});

afterAll(() => database.drop());

async function start(tasks: Record<string, Task>, concurrency = 4): Promise<void> {
  queue = await startQueue({ url: database.url, tasks, concurrency, log });
}

/** A promise and what resolves it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

async function count(condition = 'true'): Promise<number> {
  const answer = await database.pool.query(
    `select count(*) as count from graphile_worker._private_jobs where ${condition}`,
  );
  return answer.rows[0]?.count;
}

const job = (key: string, more: object = {}) => ({ task: 'note', key, payload: { key }, ...more });

test('many hints of one key are one job', async () => {
  await Promise.all(Array.from({ length: 20 }, () => enqueue(database.pool, [job('a'), job('b'), job('a')])));
  expect(await count()).toBe(2);
});

test('hints during a run lead to one more run', async () => {
  const first = gate();
  let runs = 0;
  const note = async (): Promise<void> => {
    runs += 1;
    if (runs === 1) await first.opened;
  };
  // One worker: a free one may take up the first hint before the second comes, and then there are two to run.
  await start({ note }, 1);
  await enqueue(database.pool, [job('a')]);
  await expect.poll(() => runs).toBe(1);
  await enqueue(database.pool, [job('a')]);
  await enqueue(database.pool, [job('a')]);
  first.open();
  await expect.poll(() => count()).toBe(0);
  expect(runs).toBe(2);
});

test('no hint is lost while jobs start at that very moment', async () => {
  let version = 0;
  let seen = 0;
  await start({
    async note() {
      seen = version;
    },
  });
  for (let round = 0; round < 300; round += 1) {
    version += 1;
    await enqueue(database.pool, [job('a')]);
    if (round % 3 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await expect.poll(() => seen).toBe(300);
});

test('a job belongs to the transaction of its caller', async () => {
  await expect(
    inTransaction(database.pool, async (transaction) => {
      await enqueue(transaction, [job('a')]);
      throw new Error('the work failed');
    }),
  ).rejects.toThrow('the work failed');
  expect(await count()).toBe(0);
});

test('a job for later never delays the one for now', async () => {
  await enqueue(database.pool, [job('a')]);
  await enqueue(database.pool, [job('a', { runAt: Date.now() + 3_600_000 })]);
  expect(await count('run_at <= now()')).toBe(1);
  expect(await count('run_at > now()')).toBe(1);
});

test('jobs that write the branch run one after the other, without a pause, over all managers', async () => {
  let running = 0;
  let most = 0;
  let done = 0;
  const commit: Task = async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    done += 1;
  };
  await start({ commit, async note() {} });
  const other = await startQueue({ url: database.url, tasks: { commit }, concurrency: 4, log });
  try {
    for (let round = 1; round <= 20; round += 1) {
      await enqueue(database.pool, [{ task: 'commit', key: `commit:${round}`, payload: {} }]);
    }
    await expect.poll(() => done).toBe(20);
    expect(most).toBe(1);
  } finally {
    await other.stop();
  }
});

test('feedback waits behind decide', async () => {
  const order: string[] = [];
  const task = (name: string) => async () => {
    order.push(name);
  };
  await enqueue(database.pool, [
    { task: 'feedback', key: 'f', payload: {} },
    { task: 'decide', key: 'd', payload: {} },
  ]);
  await start({ feedback: task('feedback'), decide: task('decide') }, 1);
  await expect.poll(() => order).toEqual(['decide', 'feedback']);
});

function failing(disposition: 'retry' | 'stall', data: Record<string, unknown> = {}): Task {
  return async () => {
    throw new AppError({ code: 'test', disposition, publicMessage: 'It failed.', data });
  };
}

test('a failure that a person must mend is recorded and not tried again', async () => {
  await start({ note: failing('stall') });
  await enqueue(database.pool, [job('a')]);
  await expect.poll(() => count("attempts >= max_attempts and last_error = 'It failed.'")).toBe(1);
  // The next hint is tried, for the cause may be mended.
  await enqueue(database.pool, [job('a')]);
  await expect.poll(() => count('attempts >= max_attempts')).toBe(2);
});

test('a failure that may pass is tried again, not sooner than it says', async () => {
  await start({ note: failing('retry', { retryAfterMs: 60_000 }) });
  await enqueue(database.pool, [job('a')]);
  await expect.poll(() => count("attempts = 1 and run_at > now() + interval '55 seconds'")).toBe(1);
});

test('it is tried for as long as it takes, every few minutes', async () => {
  await start({ note: failing('retry') });
  await enqueue(database.pool, [job('a')]);
  await expect.poll(() => count('attempts = 1 and locked_at is null')).toBe(1);
  await database.pool.query('update graphile_worker._private_jobs set attempts = 24, run_at = now()');
  await expect.poll(() => count("attempts = 5 and run_at < now() + interval '4 minutes'")).toBe(1);
});

test('stopping waits for the job that runs, and takes no other', async () => {
  const started = gate();
  const allowed = gate();
  let finished = false;
  await start(
    {
      async note() {
        started.open();
        await allowed.opened;
        finished = true;
      },
    },
    1,
  );
  await enqueue(database.pool, [job('a'), job('b')]);
  await started.opened;
  const stopped = queue?.stop();
  allowed.open();
  await stopped;
  expect(finished).toBe(true);
  expect(await count()).toBe(1);
});

test('a job that the stop interrupts is tried again', async () => {
  const started = gate();
  await start({
    async note(_payload, signal) {
      started.open();
      await once(signal, 'abort');
      signal.throwIfAborted();
    },
  });
  await enqueue(database.pool, [job('a')]);
  await started.opened;
  await queue?.stop();
  expect(await count('locked_at is null and attempts < max_attempts')).toBe(1);
});

test('the jobs of a killed manager are taken over at once', async () => {
  const compiled = await compileFolders(['store', 'error']);
  const code = `
    const { startQueue } = await import(${JSON.stringify(join(compiled.folder, 'store/queue.js'))});
    const log = { info() {}, warn() {}, error() {}, debug() {}, trace() {} };
    await startQueue({ url: process.argv[1], concurrency: 1, log, tasks: { async note() {
      console.log('working');
      await new Promise(() => setInterval(() => {}, 1000));
    } } });`;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', code, database.url], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    await enqueue(database.pool, [job('a')]);
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    // A worker that lives keeps its job, however long it takes.
    let runs = 0;
    await start({
      async note() {
        runs += 1;
      },
    });
    await expect.poll(() => count("locked_at < now() - interval '3 seconds'")).toBe(1);
    expect(runs).toBe(0);
    await queue?.stop();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await start({
      async note() {
        runs += 1;
      },
    });
    await expect.poll(() => runs).toBe(1);
  } finally {
    child.kill('SIGKILL');
    await compiled.remove();
  }
});
