import type { Queryable } from './pool.js';

/** Who this database belongs to, and how far the branch was written and read. */
export interface InstallationRow {
  /** Random, once; null while the database belongs to no installation. */
  id: string | null;
  generation: number;
  /** null: no head was ever read. */
  branchHead: string | null;
  /** Why nothing may be written; null: writing is allowed. */
  blockedReason: string | null;
}

const loadSql = `
  select id, generation, branch_head as "branchHead", blocked_reason as "blockedReason" from installation`;

/** null in a database that never saw a branch. */
export async function loadInstallation(q: Queryable): Promise<InstallationRow | null> {
  const { rows } = await q.query<InstallationRow>(loadSql);
  return rows[0] ?? null;
}

const createSql = `
  insert into installation (id) values ($1)
  on conflict (singleton) do update set id = excluded.id, blocked_reason = null where installation.id is null`;

/** Gives the database an id, once; one that has an id keeps it. */
export async function createInstallation(q: Queryable, id: string): Promise<void> {
  await q.query(createSql, [id]);
}

const blockSql = `
  insert into installation (blocked_reason) values ($1)
  on conflict (singleton) do update set blocked_reason = excluded.blocked_reason
    where installation.blocked_reason is distinct from excluded.blocked_reason`;

/** Records why nothing may be written, or with null that all is well again. */
export async function blockInstallation(q: Queryable, reason: string | null): Promise<void> {
  await q.query(blockSql, [reason]);
}
