import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { isAppError } from '../../src/error/app-error.js';
import { migrate } from '../../src/store/migrate.js';
import { createPool } from '../../src/store/pool.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const first = '0001-foundation.sql';
let database: TestDatabase;
/** An empty database beside the migrated one. */
let pool: pg.Pool;
let folder: string;

beforeAll(async () => {
  database = await createTestDatabase();
});

beforeEach(async () => {
  await database.pool.query('drop database if exists migrate_test with (force)');
  await database.pool.query('create database migrate_test template template0');
  const url = new URL(database.url);
  url.pathname = '/migrate_test';
  pool = createPool({ url: url.href, log: pino({ level: 'silent' }) });
  folder = await mkdtemp(join(tmpdir(), 'mayfly-migrations-'));
  await copyFile(new URL(`../../migrations/${first}`, import.meta.url), join(folder, first));
});

afterEach(async () => {
  await pool.end();
  await rm(folder, { recursive: true, force: true });
});

afterAll(async () => {
  await database.pool.query('drop database if exists migrate_test with (force)');
  await database.drop();
});

test('brings an empty database up to date, once', async () => {
  expect(await migrate(pool)).toContain(first);
  expect(await migrate(pool)).toEqual([]);
  await expect(pool.query('select * from preview')).resolves.toMatchObject({ rowCount: 0 });
});

test('is done once by managers that start together', async () => {
  const applied = await Promise.all([migrate(pool), migrate(pool), migrate(pool)]);
  expect(applied.filter((names) => names.length > 0)).toHaveLength(1);
});

test('applies a later migration in order and leaves nothing of one that fails', async () => {
  await migrate(pool, folder);
  await writeFile(join(folder, '0002-more.sql'), 'create table more (id int); create table broken (;');
  await expect(migrate(pool, folder)).rejects.toThrow(/syntax error/);
  await expect(pool.query('select * from more')).rejects.toThrow(/does not exist/);
  await writeFile(join(folder, '0002-more.sql'), 'create table more (id int);');
  expect(await migrate(pool, folder)).toEqual(['0002-more.sql']);
});

test('refuses a database that is newer than the program, and changes nothing', async () => {
  await migrate(pool, folder);
  await pool.query("insert into migration (name, checksum) values ('0009-later.sql', 'x')");
  await writeFile(join(folder, '0002-more.sql'), 'create table more (id int);');
  await expect(migrate(pool, folder)).rejects.toSatisfy((error) => isAppError(error, 'database-newer'));
  await expect(pool.query('select * from more')).rejects.toThrow(/does not exist/);
});

test('refuses a landed migration whose text was changed', async () => {
  await migrate(pool, folder);
  await writeFile(join(folder, first), '-- another text');
  await expect(migrate(pool, folder)).rejects.toSatisfy((error) => isAppError(error, 'migration-changed'));
});
