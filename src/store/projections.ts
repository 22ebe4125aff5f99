import type { Queryable } from './pool.js';

export interface ProjectionKey {
  kind: 'note' | 'status' | 'warning' | 'failure' | 'turn';
  projectId: number;
  iid: number;
}

const claimSql = `
insert into projection as p (kind, project_id, iid, creating_since) values ($1, $2, $3, now())
on conflict (kind, project_id, iid) do update set creating_since = excluded.creating_since
where round(extract(epoch from p.creating_since) * 1000) is not distinct from $4::float8
  and p.external_id is not distinct from $5::bigint`;

/**
 * Says, durably, that a creation is about to be sent. false: another was said, or done, since `creatingSince` (epoch
 * milliseconds, null: none) and `externalId` were read.
 */
export async function claimCreation(
  q: Queryable,
  input: ProjectionKey & { creatingSince: number | null; externalId: number | null },
): Promise<boolean> {
  const answer = await q.query(claimSql, [
    input.kind,
    input.projectId,
    input.iid,
    input.creatingSince,
    input.externalId,
  ]);
  return answer.rowCount === 1;
}

/** The creation was refused for certain: nothing of it will turn up. */
export async function releaseCreation(q: Queryable, input: ProjectionKey): Promise<void> {
  await q.query('update projection set creating_since = null where kind = $1 and project_id = $2 and iid = $3', [
    input.kind,
    input.projectId,
    input.iid,
  ]);
}

/** When somebody wrote between, nobody knows whose text stands: no hash is kept, so that it is written again. */
const writtenSql = `
insert into projection as p (kind, project_id, iid, written_hash, external_id, detail)
values ($1, $2, $3, $5, $6, $7::jsonb)
on conflict (kind, project_id, iid) do update set
  written_hash = case when p.written_hash is not distinct from $4 then excluded.written_hash end,
  external_id = excluded.external_id, detail = excluded.detail, creating_since = null
returning written_hash is not null as saved`;

/** Saves what was written in place of `previousHash`; false: another wrote meanwhile, it is to be written again. */
export async function saveWritten(
  q: Queryable,
  input: ProjectionKey & {
    previousHash: string | null;
    hash: string;
    externalId: number | null;
    detail: Record<string, unknown> | null;
  },
): Promise<boolean> {
  const answer = await q.query<{ saved: boolean }>(writtenSql, [
    input.kind,
    input.projectId,
    input.iid,
    input.previousHash,
    input.hash,
    input.externalId,
    input.detail === null ? null : JSON.stringify(input.detail),
  ]);
  return answer.rows[0]?.saved ?? false;
}

const takenSql = `
select exists (select from projection
  where kind = 'status' and project_id = $1 and iid <> $2 and detail ->> 'sha' = $3 and detail ->> 'name' = $4) as taken`;

/** Whether another merge request of the project posted a commit status under that name for that sha. */
export async function isStatusNameTaken(
  q: Queryable,
  input: { projectId: number; iid: number; sha: string; name: string },
): Promise<boolean> {
  const answer = await q.query<{ taken: boolean }>(takenSql, [input.projectId, input.iid, input.sha, input.name]);
  return answer.rows[0]?.taken ?? false;
}
