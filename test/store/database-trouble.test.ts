import { pino } from 'pino';
import { expect, it } from 'vitest';
import { databaseTrouble } from '../../src/store/database-trouble.js';
import { createPool } from '../../src/store/pool.js';
import { createTestDatabase } from '../support/database.js';
import { quietPort } from '../support/quiet-port.js';

const log = pino({ level: 'silent' });

/** What a person is told of the failure of a question to this database. */
async function troubleOf(url: string): Promise<string | null> {
  const pool = createPool({ url, log });
  try {
    return await pool.query('select 1').then(() => null, databaseTrouble);
  } finally {
    await pool.end();
  }
}

it('a database that nobody serves is away, and neither address nor password is told', async () => {
  const port = await quietPort();
  const words = await troubleOf(`postgresql://ada:hidden@127.0.0.1:${port}/mayfly`);
  expect(words).toContain('PostgreSQL cannot be reached or does not answer. Check that it runs');
  expect(words).not.toMatch(new RegExp(`${port}|hidden|ada`));
  expect(databaseTrouble(undefined)).toBe(words);
});

it('a database that is not there is told as such', async () => {
  const database = await createTestDatabase();
  const url = new URL(database.url);
  url.pathname = '/no_such_database';
  expect(await troubleOf(url.href)).toContain('Create it, or correct the name');
  expect(await troubleOf(database.url)).toBeNull();
  await database.drop();
});
