import type pg from 'pg';
import type { Logger } from 'pino';
import type { ManagerConfig } from '../config/manager-config.js';
import { AppError } from '../error/app-error.js';
import { migrate } from '../store/migrate.js';
import { createPool } from '../store/pool.js';
import { installQueue } from '../store/queue.js';

export interface ManagerDatabase {
  /** With the password: never log it. */
  url: string;
  pool: pg.Pool;
  /** Rejects when the embedded database is lost for good; never resolves. */
  broken: Promise<never>;
  release(): Promise<void>;
}

/** Connections of the pool; the queue has its own. */
const poolSize = 12;

/** Of them, those that stay open: what comes after a quiet hour is to find them. */
const keptOpen = 6;

/** Opens the configured database, or the embedded one, and brings it up to date. */
export async function openDatabase(
  config: Pick<ManagerConfig, 'database' | 'dataDir'>,
  options: { log: Logger; signal: AbortSignal },
): Promise<ManagerDatabase> {
  const server = config.database === null ? await startEmbedded(config.dataDir, options) : null;
  const url = server?.url ?? config.database ?? '';
  const pool = createPool({
    url,
    log: options.log,
    max: poolSize,
    kept: keptOpen,
    applicationName: 'mayfly manager',
    isPipelined: true,
  });
  const release = async (): Promise<void> => {
    await pool.end();
    await server?.stop();
  };
  try {
    const applied = await migrateAll(pool, options.log);
    if (applied.length > 0) options.log.info({ applied }, 'database brought up to date');
    await Promise.all(Array.from({ length: keptOpen }, () => pool.query('select 1')));
    return { url, pool, broken: server?.broken ?? new Promise<never>(() => undefined), release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** What `mayfly migrate` does: answers the names of the migrations that were applied. */
export async function migrateDatabase(
  config: Pick<ManagerConfig, 'database' | 'dataDir'>,
  options: { log: Logger; signal: AbortSignal },
): Promise<string[]> {
  const server = config.database === null ? await startEmbedded(config.dataDir, options) : null;
  const pool = createPool({ url: server?.url ?? config.database ?? '', log: options.log, max: 2 });
  try {
    return await migrateAll(pool, options.log);
  } finally {
    await pool.end();
    await server?.stop();
  }
}

async function migrateAll(pool: pg.Pool, log: Logger): Promise<string[]> {
  await reach(pool);
  const applied = await migrate(pool);
  await installQueue({ pool, log });
  return applied;
}

/** A database that cannot be used is told in one sentence. Error: `database-unreachable`. */
async function reach(pool: pg.Pool): Promise<void> {
  try {
    await pool.query('select 1');
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'no reason was given';
    throw new AppError({
      code: 'database-unreachable',
      disposition: 'retry',
      publicMessage: `The database cannot be used: ${reason}. Correct \`database\` in the configuration, or start PostgreSQL there.`,
      cause: error,
    });
  }
}

async function startEmbedded(dataDir: string, options: { log: Logger; signal: AbortSignal }) {
  // Loaded here alone: the production image does not have it.
  const { startEmbeddedPostgres } = await import('../store/embedded-postgres.js');
  return startEmbeddedPostgres({ dataDir, ...options });
}
