import type { Queryable } from './pool.js';

/** One value of a metric with its labels. */
interface Sampled<Label extends string> {
  labels: Record<Label, string>;
  value: number;
}

/** Previews that are not stopped, by project and phase: one walk over the index of the living. */
export async function samplePreviews(q: Queryable): Promise<Sampled<'project' | 'phase'>[]> {
  const answer = await q.query<{ project: string; phase: string; count: number }>(
    `select project, phase, count(*)::float8 as count from preview where phase <> 'stopped' group by project, phase`,
  );
  return answer.rows.map(({ project, phase, count }) => ({ labels: { project, phase }, value: count }));
}

/**
 * Jobs that could run now, by task, each of `tasks` also when it has none: an alert needs a series to watch. Failed ones
 * that wait for their next attempt are not due.
 */
export async function sampleQueueDepth(q: Queryable, tasks: readonly string[]): Promise<Sampled<'stage'>[]> {
  const answer = await q.query<{ stage: string; count: number }>(
    `select task_identifier as stage, count(*)::float8 as count from graphile_worker.jobs
     where run_at <= now() and attempts < max_attempts group by task_identifier`,
  );
  const counts = new Map([
    ...tasks.map((stage) => [stage, 0] as const),
    ...answer.rows.map((row) => [row.stage, row.count] as const),
  ]);
  return [...counts].map(([stage, value]) => ({ labels: { stage }, value }));
}

const unpublishedSql = `
select 'git' as projection, coalesce(extract(epoch from now() - min(
    coalesce(case when phase = 'stopping' then stop_decided_at end, deploying_since, created_at)))::float8, 0) as seconds
from preview where needs_commit
union all
select 'feedback', coalesce(extract(epoch from now() - min(created_at))::float8, 0)
from graphile_worker.jobs where task_identifier = 'feedback'`;

/** Age in seconds of the oldest change that Git, and that GitLab's merge requests, do not show yet. */
export async function sampleOldestUnpublished(q: Queryable): Promise<Sampled<'projection'>[]> {
  const answer = await q.query<{ projection: string; seconds: number }>(unpublishedSql);
  return answer.rows.map(({ projection, seconds }) => ({ labels: { projection }, value: Math.max(0, seconds) }));
}

const breakerSql = `
select 'manager' as where, 'limit' as reason, (exists (
  select from preview p where p.held_stop is not null and not exists (
    select from agent_order a where a.kind = 'accept' and a.slug = p.slug and a.incarnation = p.incarnation)))::int as open
union all
select 'manager', 'writing-blocked', (exists (select from installation where blocked_reason is not null))::int
union all
select 'agent:' || name, coalesce(breaker ->> 'reason', 'none'), coalesce((breaker ->> 'open')::boolean, false)::int
from agent`;

/** 1 where deletions are held or nothing may be written. */
export async function sampleBreaker(q: Queryable): Promise<Sampled<'where' | 'reason'>[]> {
  const answer = await q.query<{ where: string; reason: string; open: number }>(breakerSql);
  return answer.rows.map(({ where, reason, open }) => ({ labels: { where, reason }, value: open }));
}

export async function sampleAgentLastSeen(q: Queryable): Promise<Sampled<'cluster'>[]> {
  const answer = await q.query<{ name: string; seconds: number }>(
    'select name, extract(epoch from now() - last_seen_at)::float8 as seconds from agent',
  );
  return answer.rows.map(({ name, seconds }) => ({ labels: { cluster: name }, value: Math.max(0, seconds) }));
}
