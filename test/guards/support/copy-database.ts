import pg from 'pg';
import { pino } from 'pino';
import { createPool } from '../../../src/store/pool.js';
import type { TestDatabase } from '../../support/database.js';
import { withDatabase } from '../../support/database-server.js';

/** A copy of a database as it is now; its connections are ended. */
export async function copyDatabase({ url }: TestDatabase): Promise<TestDatabase> {
  const from = new URL(url).pathname.slice(1);
  const name = `${from}_copy`;
  const admin = new pg.Client({ connectionString: withDatabase(url, 'postgres') });
  await admin.connect();
  await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [from]);
  await admin.query(`create database ${name} template ${from}`);
  const copy = withDatabase(url, name);
  const pool = createPool({ url: copy, log: pino({ level: 'silent' }), max: 5 });
  return {
    url: copy,
    pool,
    async drop() {
      await pool.end();
      await admin.query(`drop database ${name} with (force)`);
      await admin.end();
    },
  };
}
