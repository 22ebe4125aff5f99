import type { Queryable } from './pool.js';

const askSql = `
with unlisted as (
  update follow_cursor set listed_at = null where listed_at is not null
), asked as (
  update merge_request set asked_at = now() where unknown_since is not null or asked_at is not null
  returning project_id, iid
), enqueued as (
  -- Through \`asked\`, so that rows are locked before jobs, as decisions do: the other order could deadlock.
  select enqueue_jobs(list) from (select json_agg(json_build_object(
    'task', 'decide', 'key', 'decide:mr:' || project_id || ':' || iid, 'priority', 0,
    'payload', json_build_object('subject', 'mr:' || project_id || ':' || iid))) as list from asked) gathered
  where list is not null
)
select (select count(*) from asked) as asked, (select count(*) from enqueued) as enqueued`;

/**
 * GitLab answers again after a time in which it refused everything: whatever is unknown is asked for at once, and the
 * next catch-up of each project lists all that is open. Answers how many are asked for.
 */
export async function askUnknown(q: Queryable): Promise<number> {
  const answer = await q.query<{ asked: number }>(askSql);
  return answer.rows[0]?.asked ?? 0;
}

const forgetSql = `
with another as (
  delete from wish where subject = 'mr:' || $1::bigint || ':' || $2::int and at < to_timestamp($3::float8 / 1000)
), told as (
  update projection set written_hash = null, external_id = null,
    -- Looked for by its marker, and made again where it is not there.
    creating_since = case when kind <> 'status' then to_timestamp(0) end
  where (kind in ('note', 'status') or external_id is not null) and project_id = $1 and iid = $2
), read as (
  update merge_request set notes_seen = 0 where project_id = $1 and iid = $2
  returning project_id, iid
)
select enqueue_jobs((select json_agg(json_build_object('task', task, 'key', task || ':' || project_id || ':' || iid,
  'priority', 5, 'payload', json_build_object('projectId', project_id, 'iid', iid)))
  from read, unnest(array['notes', 'feedback']) as task))`;

/**
 * What was told to a merge request may be there no more, and its comments may have other numbers: both are looked at
 * from the beginning. Comments that were handled already are known by their number and time. Orders from before
 * `createdAt` (epoch milliseconds) were given to another one, which had its number, and hold no more.
 */
export async function forgetTold(
  q: Queryable,
  input: { projectId: number; iid: number; createdAt: number },
): Promise<void> {
  await q.query(forgetSql, [input.projectId, input.iid, input.createdAt]);
}
