import type { Queryable } from './pool.js';

/** What grows and is removed when it is old; see the SQL for how old. */
export type Purge =
  | 'deliveries'
  | 'events'
  | 'previews'
  | 'observations'
  | 'writes'
  | 'verdicts'
  | 'orders'
  | 'heads'
  | 'jobs';

// `slug` is kept: an incarnation number must never come back. So are wishes and merge requests: a stop that was
// forgotten would start the preview again.
const purges: Record<Purge, string> = {
  deliveries: `delete from delivery where id in (
    select id from delivery where received_at < now() - interval '7 days' order by received_at limit $1)`,
  events: `delete from preview_event where id in (
    select id from preview_event where at < now() - interval '180 days' order by at limit $1)`,
  previews: `delete from preview where (slug, incarnation) in (
    select slug, incarnation from preview
    where phase = 'stopped' and stopped_at < now() - interval '180 days' order by stopped_at limit $1)`,
  observations: `delete from observation where (slug, incarnation) in (
    select o.slug, o.incarnation from observation o left join preview p using (slug, incarnation)
    where o.observed_at < now() - interval '7 days' and (p.slug is null or p.phase = 'stopped') limit $1)`,
  writes: `delete from branch_write where ctid in (
    select b.ctid from branch_write b left join preview p using (slug, incarnation)
    where b.written_at < now() - interval '7 days' and (p.slug is null or p.phase = 'stopped') limit $1)`,
  verdicts: `delete from gate_verdict where (project_id, sha, gate) in (
    select project_id, sha, gate from gate_verdict where opened_at < now() - interval '180 days' limit $1)`,
  orders: `delete from agent_order where id in (
    select id from agent_order where acknowledged_at < now() - interval '180 days' limit $1)`,
  heads: `delete from branch_commit where commit in (
    select commit from branch_commit
    where seen_at < now() - interval '30 days'
      and commit is distinct from (select branch_head from installation) limit $1)`,
  jobs: `delete from graphile_worker._private_jobs where id in (
    select id from graphile_worker._private_jobs
    where attempts >= max_attempts and locked_at is null and updated_at < now() - interval '7 days' limit $1)`,
};

export const allPurges = Object.keys(purges) as Purge[];

/** Removes up to `limit` old rows of one kind; answers how many. */
export async function purge(q: Queryable, kind: Purge, limit: number): Promise<number> {
  const answer = await q.query(purges[kind], [limit]);
  return answer.rowCount ?? 0;
}
