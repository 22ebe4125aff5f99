import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { AppError } from '../error/app-error.js';
import { inTransaction } from './pool.js';

/** Beside `package.json`: the same place from `src/store` and from `dist/store`. */
const packagedMigrations = fileURLToPath(new URL('../../migrations/', import.meta.url));

/** Any number that no other lock of the database uses: 'mayf'. */
const advisoryLock = 0x6d617966;

/**
 * Applies the migrations that the database lacks, in order, in one transaction and under an advisory lock, so that
 * managers that start together do it once. Answers the names applied.
 *
 * Errors: `database-newer` (it has a migration that this program lacks), `migration-changed` (a landed file differs).
 */
export async function migrate(pool: pg.Pool, folder = packagedMigrations): Promise<string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return inTransaction(pool, async (transaction) => {
    await transaction.query('select pg_advisory_xact_lock($1)', [advisoryLock]);
    await transaction.query(
      `create table if not exists migration (
         name text primary key, checksum text not null, applied_at timestamptz not null default now())`,
    );
    const recorded = await transaction.query<{ name: string; checksum: string }>(
      'select name, checksum from migration order by name',
    );
    const landed = new Map(recorded.rows.map((row) => [row.name, row.checksum]));
    refuseNewer([...landed.keys()], files);
    const applied: string[] = [];
    for (const name of files) {
      const sql = await readFile(join(folder, name), 'utf8');
      const checksum = createHash('sha256').update(sql).digest('hex');
      const before = landed.get(name);
      if (before !== undefined && before !== checksum) throw changed(name);
      if (before !== undefined) continue;
      await transaction.query(sql);
      await transaction.query('insert into migration (name, checksum) values ($1, $2)', [name, checksum]);
      applied.push(name);
    }
    return applied;
  });
}

function refuseNewer(landed: string[], files: string[]): void {
  const unknown = landed.filter((name) => !files.includes(name));
  if (unknown.length === 0) return;
  throw new AppError({
    code: 'database-newer',
    disposition: 'stall',
    publicMessage: `The database was written by a newer Mayfly (it has ${unknown.join(', ')}). Nothing was changed. Start that version, or restore a backup made before the upgrade.`,
    data: { unknown },
  });
}

function changed(name: string): AppError {
  return new AppError({
    code: 'migration-changed',
    disposition: 'stall',
    publicMessage: `The migration ${name} was applied to this database with another text than this program has. Nothing was changed. Install an unmodified release.`,
    data: { name },
  });
}
