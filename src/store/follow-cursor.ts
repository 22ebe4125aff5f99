import type { Queryable } from './pool.js';

/** How far the catch-up has read a project. Times in epoch milliseconds. */
export interface FollowCursor {
  /** When the last full listing began, by PostgreSQL's clock; null: there was none. */
  listedAt: number | null;
  /** Everything that GitLab changed before this was seen; null: nothing was. */
  updatedAfter: number | null;
  /** PostgreSQL's clock. */
  now: number;
}

const rememberSql = `
insert into follow_cursor (project_id, path, clone_url) values ($1, $2, $3)
on conflict (project_id) do update set path = excluded.path, clone_url = excluded.clone_url
where (follow_cursor.path, follow_cursor.clone_url) is distinct from (excluded.path, excluded.clone_url)`;

/** Remembers what GitLab says of a configured path, for times when it cannot. */
export async function rememberProject(
  q: Queryable,
  input: { projectId: number; path: string; cloneUrl: string },
): Promise<void> {
  await q.query(rememberSql, [input.projectId, input.path, input.cloneUrl]);
}

// A database that was made again from the branch has rows and no cursor yet: the rows alone tell, too.
const recallSql = `
(select project_id as "projectId", clone_url as "cloneUrl" from follow_cursor
  where path = $1 order by listed_at desc nulls last limit 1)
union all
(select m.project_id, c.clone_url from preview p join preview_member m using (slug, incarnation)
  left join follow_cursor c using (project_id)
  where p.project = $2 and p.phase <> 'stopped' order by p.created_at desc limit 1)
limit 1`;

/**
 * What GitLab last said of a configured path; null: it never said anything. A path of which it never said anything
 * counts as that of the living previews of `name`: one that is misspelt, or new while GitLab is silent, stops nothing.
 */
export async function recallProject(
  q: Queryable,
  input: { path: string; name?: string },
): Promise<{ projectId: number; cloneUrl: string | null } | null> {
  const answer = await q.query<{ projectId: number; cloneUrl: string | null }>(recallSql, [
    input.path,
    input.name ?? null,
  ]);
  return answer.rows[0] ?? null;
}

const cursorSql = `
select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now,
  round(extract(epoch from c.listed_at) * 1000)::float8 as listed_at,
  round(extract(epoch from c.updated_after) * 1000)::float8 as updated_after
from (select $1::bigint as project_id) p left join follow_cursor c using (project_id)`;

export async function loadFollowCursor(q: Queryable, input: { projectId: number }): Promise<FollowCursor> {
  const answer = await q.query<{ now: number; listed_at: number | null; updated_after: number | null }>(cursorSql, [
    input.projectId,
  ]);
  const [row] = answer.rows;
  if (row === undefined) throw new Error('a query of one row answered none');
  return { now: row.now, listedAt: row.listed_at, updatedAfter: row.updated_after };
}

/** Of the rows just locked: rows before jobs, as decisions do, for the other order could deadlock. */
const enqueueDecisions = `
  json_build_object('task', 'decide', 'key', 'decide:mr:' || $1 || ':' || iid, 'priority', 0,
    'payload', json_build_object('subject', 'mr:' || $1 || ':' || iid))`;

/** One that ended and was never looked at is nobody's concern; one that is open and unknown is new. */
const listedSql = `
with listed as (
  select * from json_to_recordset($2::json) as l(iid int, state text, sha text, updated_at_ms float8, has_notes boolean,
    labels jsonb)
), changed as materialized (
  select l.iid, l.has_notes from listed l
  left join merge_request m on m.project_id = $1 and m.iid = l.iid
  where case when m.facts is null then l.state = 'opened' or m.iid is not null
    else m.facts ->> 'state' <> l.state or m.facts ->> 'sha' is distinct from l.sha
      or round(extract(epoch from m.updated_at) * 1000) <> l.updated_at_ms
      or not (m.facts -> 'labels' @> l.labels and m.facts -> 'labels' <@ l.labels) end
), asked as (
  insert into merge_request as m (project_id, iid, asked_at)
  select $1, iid, now() from changed order by iid
  on conflict (project_id, iid) do update set asked_at = greatest(m.asked_at, excluded.asked_at)
  returning m.iid
), jobs as (
  select ${enqueueDecisions} as job from asked
  union all select json_build_object('task', 'notes', 'key', 'notes:' || $1 || ':' || iid, 'priority', 0,
    'payload', json_build_object('projectId', $1, 'iid', iid)) from changed where has_notes
), enqueued as (
  select enqueue_jobs(list) from (select json_agg(job) as list from jobs) gathered where list is not null
)
select (select count(*) from changed) as changed, (select count(*) from enqueued) as enqueued`;

export interface ListedToSave {
  iid: number;
  state: string;
  sha: string | null;
  updatedAt: number;
  /** Comments of people; null when GitLab does not say. */
  noteCount: number | null;
  /** Absent: they are not compared. One that is renamed or removed in its project moves no merge request's time. */
  labels?: readonly string[];
}

/**
 * Asks for those merge requests of a page that differ from what is known: marks them and enqueues their decision and,
 * where there are comments, the reading of the newer ones. Answers how many differ.
 */
export async function askListed(
  q: Queryable,
  input: { projectId: number; listed: readonly ListedToSave[] },
): Promise<number> {
  if (input.listed.length === 0) return 0;
  const rows = input.listed.map((one) => ({
    iid: one.iid,
    state: one.state,
    sha: one.sha,
    updated_at_ms: one.updatedAt,
    has_notes: one.noteCount !== 0,
    labels: one.labels,
  }));
  const answer = await q.query<{ changed: number }>(listedSql, [input.projectId, JSON.stringify(rows)]);
  return answer.rows[0]?.changed ?? 0;
}

const absentSql = `
with absent as materialized (
  select distinct m.iid from preview_member m join preview p using (slug, incarnation)
  left join merge_request r on r.project_id = m.project_id and r.iid = m.iid
  where m.project_id = $1 and m.iid is not null and p.phase not in ('stopping', 'stopped') and m.iid <> all ($2::int[])
    -- One that is most likely gone for good is asked about ever more rarely.
    and (r.unknown_since is null or r.tried_at < now() - least((now() - r.unknown_since) / 2, interval '1 day'))
), asked as (
  insert into merge_request as m (project_id, iid, asked_at)
  select $1, iid, now() from absent order by iid
  on conflict (project_id, iid) do update set asked_at = greatest(m.asked_at, excluded.asked_at)
  returning m.iid
), enqueued as (
  select enqueue_jobs(list) from (select json_agg(${enqueueDecisions}) as list from asked) gathered
  where list is not null
)
select (select count(*) from absent) as absent, (select count(*) from enqueued) as enqueued`;

/**
 * Asks for living previews whose merge request a full listing did not show. That says nothing of how they are: each
 * is read on its own before anything is decided. Answers how many.
 */
export async function askAbsent(
  q: Queryable,
  input: { projectId: number; seenIids: readonly number[] },
): Promise<number> {
  const answer = await q.query<{ absent: number }>(absentSql, [input.projectId, input.seenIids]);
  return answer.rows[0]?.absent ?? 0;
}

const saveSql = `
insert into follow_cursor as c (project_id, path, listed_at, updated_after)
values ($1, $2, to_timestamp($3::float8 / 1000), to_timestamp($4::float8 / 1000))
on conflict (project_id) do update set
  listed_at = coalesce(excluded.listed_at, c.listed_at),
  updated_after = greatest(c.updated_after, excluded.updated_after)`;

/** Saves how far a project was read; null leaves what was. It never goes back. */
export async function saveFollowCursor(
  q: Queryable,
  input: { projectId: number; path: string; listedAt: number | null; updatedAfter: number | null },
): Promise<void> {
  await q.query(saveSql, [input.projectId, input.path, input.listedAt, input.updatedAfter]);
}
