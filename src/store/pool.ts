import pg from 'pg';
import type { Logger } from 'pino';

/** What a store function needs: a pool, or a client inside a transaction. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/** A client inside a transaction: for functions whose locks or several statements must share one. */
export type Transaction = pg.PoolClient;

export interface PoolOptions {
  url: string;
  log: Logger;
  /** Most connections at once. Default 10. */
  max?: number;
  /** How many stay open though nobody needs them: each costs more to open than a decision. Default 0. */
  kept?: number;
  /** Shown in pg_stat_activity. Default `mayfly`. */
  applicationName?: string;
  /**
   * Commits without waiting for the disk: for what may be done again after a crash of the database. The order of the
   * log still holds: whatever a later, waiting commit of any connection rests on is on the disk with it.
   */
  isQuick?: boolean;
  /**
   * Sends each statement at once, whether the one before it was answered or not. They still run one after the other;
   * whoever sends several before the first answer saves round trips.
   */
  isPipelined?: boolean;
}

const int8 = 20;

/** Every statement looks up few rows by their keys: planning it anew, or compiling it, costs more than running it. */
const planning = ['plan_cache_mode=force_generic_plan', 'jit=off'];

/**
 * A pool whose `bigint` columns are numbers (ids, counters and byte counts, all far below 2^53).
 * A connection that the server drops while idle is logged and replaced, never thrown.
 */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max ?? 10,
    min: options.kept ?? 0,
    application_name: options.applicationName ?? 'mayfly',
    connectionTimeoutMillis: 10_000,
    pipeline: options.isPipelined ?? false,
    options: [...planning, ...(options.isQuick ? ['synchronous_commit=off'] : [])].map((set) => `-c ${set}`).join(' '),
    types: {
      getTypeParser(oid: number, format?: 'text' | 'binary') {
        if (oid === int8 && format !== 'binary') return Number;
        return format === 'binary' ? pg.types.getTypeParser(oid, 'binary') : pg.types.getTypeParser(oid, 'text');
      },
    },
  });
  // The error carries the client, and that the password: only its message is logged.
  pool.on('error', (error) => options.log.warn({ reason: error.message }, 'database connection lost'));
  // A client in use reports its loss twice: to its query, which rejects, and here, where nobody else would listen.
  pool.on('connect', (client) => {
    client.on('error', (error) => options.log.debug({ reason: error.message }, 'database connection lost in use'));
  });
  return pool;
}

/**
 * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects.
 * A connection whose rollback fails is closed, not returned to the pool.
 */
export function inTransaction<T>(pool: pg.Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  return orRollBack(pool, async (client) => {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  });
}

/** As `inTransaction`, where `work` says itself when to begin and to commit. */
export async function orRollBack<T>(pool: pg.Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    await client.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
