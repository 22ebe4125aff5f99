import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { createPool } from '../../src/store/pool.js';
import { serverVariable, type TestServer, withDatabase } from './database-server.js';

export interface TestDatabase {
  url: string;
  /** As the manager has it: `bigint` columns arrive as numbers, statements are sent without waiting for each other. */
  pool: pg.Pool;
  /** Ends the pool and drops the database. Call it in `afterAll`. */
  drop: () => Promise<void>;
}

/**
 * A fresh database with every migration and the queue's schema, copied from a template. The server is shared by the
 * run: embedded, or the one of `TEST_DATABASE_URL`.
 */
export async function createTestDatabase(options: { max?: number } = {}): Promise<TestDatabase> {
  const { adminUrl, template } = await testServer();
  const name = `mayfly_test_${randomBytes(6).toString('hex')}`;
  await administer(adminUrl, `create database ${name} template ${template}`);
  const url = withDatabase(adminUrl, name);
  const pool = createPool({ url, log: pino({ level: 'silent' }), max: options.max ?? 10, isPipelined: true });
  return {
    url,
    pool,
    async drop() {
      await pool.end();
      await administer(adminUrl, `drop database if exists ${name} with (force)`);
    },
  };
}

async function testServer(): Promise<TestServer> {
  const address = process.env[serverVariable];
  if (address === undefined) throw new Error(`${serverVariable} is not set: run the tests through vitest`);
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`the test database did not start: ${await answer.text()}`);
  return (await answer.json()) as TestServer;
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
