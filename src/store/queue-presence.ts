import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';

/** First half of the advisory locks that say 'this worker lives'; the second is the hash of its id. */
const presenceClass = 0x776f726b;
/** A lock younger than this may belong to a worker that has not yet had the time to say that it lives. */
const graceMs = 1_000;
const firstLooksMs = [0, 1_200];
const laterLooksMs = 10_000;
/** A server that accepts and says nothing would otherwise be waited for without end. */
const connectTimeoutMs = 10_000;

const holdSql = 'select pg_advisory_lock($1, hashtext($2))';

const releaseSql = `
  with holder as materialized (
    select locked_by from graphile_worker._private_jobs where locked_at < now() - $2 * interval '1 ms'
    union
    select locked_by from graphile_worker._private_job_queues where locked_at < now() - $2 * interval '1 ms'
  ), dead as materialized (
    select locked_by from holder
    where locked_by <> all ($3) and pg_try_advisory_xact_lock($1, hashtext(locked_by))
  )
  select graphile_worker.force_unlock_workers(array(select locked_by from dead)), (select count(*) from dead) as count`;

/**
 * Says that these workers live, by locks that go with their connection, and releases the jobs of workers that died:
 * graphile-worker itself would leave them locked for four hours, and with them every later job of their queue.
 */
export function startPresence(options: { url: string; workers: readonly string[]; log: Logger }): {
  stop: () => Promise<void>;
} {
  const ended = new AbortController();
  const work = watch(options, ended.signal);
  return {
    async stop() {
      ended.abort();
      await work;
    },
  };
}

async function watch(
  options: { url: string; workers: readonly string[]; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  let client: pg.Client | undefined;
  for (let look = 0; !signal.aborted; look += 1) {
    try {
      await delay(firstLooksMs[look] ?? laterLooksMs, undefined, { signal });
      client ??= await present(options, () => {
        client = undefined;
      });
      const released = await client.query(releaseSql, [presenceClass, graceMs, options.workers]);
      const count = Number(released.rows[0]?.count);
      if (count > 0) options.log.warn({ workers: count }, 'jobs of dead workers released');
    } catch (error) {
      if (signal.aborted) break;
      options.log.warn({ err: error }, 'dead workers could not be looked for');
    }
  }
  await client?.end();
}

async function present(
  options: { url: string; workers: readonly string[]; log: Logger },
  lost: () => void,
): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: options.url,
    application_name: 'mayfly presence',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
  });
  client.on('error', (error) => options.log.warn({ reason: error.message }, 'database connection lost'));
  client.on('end', lost);
  await client.connect();
  for (const worker of options.workers) await client.query(holdSql, [presenceClass, worker]);
  return client;
}
