import type { Queryable } from './pool.js';

export interface DueQuery {
  /** By project: after how long a deployment has failed. */
  deployTimeouts: readonly { project: string; timeoutMs: number }[];
  /** A preview is not asked about again before this time has passed. */
  pauseMs: number;
  /** Most previews of one sweep; the others' turn comes with the next. */
  limit: number;
}

/**
 * What has lasted long is looked at ever more rarely, for events and the catch-up tell of its end: a gate that stays
 * closed (at most every half hour), a merge request of which GitLab can say nothing (at most once a day).
 */
const patience = `
  case when p.unknown_since is not null then least((now() - p.unknown_since) / 2, interval '1 day')
    else (select least((now() - coalesce(to_timestamp(min((m.next ->> 'since')::float8) / 1000), now())) / 4,
        interval '30 minutes')
      from preview_member m where m.slug = p.slug and m.incarnation = p.incarnation and m.next is not null
        and p.expires_at > now() and p.held_stop is null and p.phase <> 'deploying'
        and m.next ->> 'waitingFor' <> 'slot')
  end`;

// Each branch of `due` has an index of its own. Rows that someone is deciding about are left out: it is their turn.
const enqueueSql = `
with due as (
  select slug, incarnation from preview
    where expires_at <= now() and pinned_by is null and phase not in ('stopping', 'stopped')
  union select slug, incarnation from preview where warn_at <= now() and phase not in ('stopping', 'stopped')
  union select p.slug, p.incarnation from preview p
    join unnest($1::text[], $2::float8[]) as t(project, timeout_ms) using (project)
    where p.phase = 'deploying' and p.deploying_since <= now() - t.timeout_ms * interval '1 ms'
  union select slug, incarnation from preview where sleep_due_at <= now()
  union select slug, incarnation from preview where held_stop is not null
  union select slug, incarnation from preview where phase = 'waiting' and waiting_for <> 'slot'
  union select slug, incarnation from preview_member where next is not null
  union select * from (select distinct on (project) slug, incarnation from preview
    where phase = 'waiting' and waiting_for = 'slot' order by project, waiting_since) heads
), picked as (
  select p.slug, p.incarnation from preview p join due using (slug, incarnation)
  where p.phase <> 'stopped'
    and (p.checked_at is null or p.checked_at > now()
      or p.checked_at < now() - greatest($3 * interval '1 ms', ${patience}))
  order by p.checked_at nulls first limit $4 for update of p skip locked
), checked as (
  update preview p set checked_at = now() from picked k
  where p.slug = k.slug and p.incarnation = k.incarnation returning p.subject
), forgotten as (
  -- Asked long ago, still open, and not even tried since: the job that was to answer is lost. One that GitLab could
  -- not answer is tried again by its own job, ever more slowly.
  select 'mr:' || project_id || ':' || iid as subject from merge_request
  where asked_at between now() - interval '1 day' and now() - interval '15 minutes'
    and (tried_at is null or tried_at < now() - greatest(interval '15 minutes',
      least((now() - unknown_since) / 2, interval '1 day'))) limit $4
), subjects as (
  select subject from checked union select subject from forgotten
), enqueued as (
  select enqueue_jobs(json_agg(json_build_object('task', 'decide', 'key', 'decide:' || subject, 'priority', 5,
    'payload', json_build_object('subject', subject)))) from subjects having count(*) > 0
)
select (select count(*) from subjects) as count, (select count(*) from enqueued) as enqueued`;

/**
 * Enqueues a decision for every preview whose time has come: expired, to be warned of its end, deployed for too long, a
 * held stop, a gate that is awaited, the head of a line. Answers how many.
 */
export async function enqueueDue(q: Queryable, query: DueQuery): Promise<number> {
  const answer = await q.query<{ count: number }>(enqueueSql, [
    query.deployTimeouts.map((each) => each.project),
    query.deployTimeouts.map((each) => each.timeoutMs),
    query.pauseMs,
    query.limit,
  ]);
  return answer.rows[0]?.count ?? 0;
}

/**
 * Enqueues a decision for every preview that lives and every merge request that is open, as far as is known: the
 * configuration may be another one now, and begin some as it ends others. Answers how many.
 */
export async function enqueueAll(q: Queryable): Promise<number> {
  const answer = await q.query<{ count: number }>(`
    with subjects as (
      select subject from preview where phase <> 'stopped'
      union select 'mr:' || project_id || ':' || iid from merge_request where facts ->> 'state' = 'opened'
    ), enqueued as (
      select enqueue_jobs(json_agg(json_build_object('task', 'decide', 'key', 'decide:' || subject, 'priority', 5,
        'payload', json_build_object('subject', subject)))) from subjects having count(*) > 0
    )
    select (select count(*) from subjects) as count, (select count(*) from enqueued) as enqueued`);
  return answer.rows[0]?.count ?? 0;
}
