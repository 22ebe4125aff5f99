import type { Queryable } from './pool.js';

/** What grows and is removed when it is old; see the SQL for how old. */
export type Purge =
  | 'deliveries'
  | 'events'
  | 'previews'
  | 'observations'
  | 'writes'
  | 'verdicts'
  | 'looks'
  | 'orders'
  | 'heads'
  | 'answers'
  | 'projections'
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
  // Of a registry that nobody lists any more: the others are forgotten when they are due.
  looks: `delete from image_look where (project_id, sha, image) in (
    select project_id, sha, image from image_look where due_at < now() - interval '7 days' limit $1)`,
  orders: `delete from agent_order where id in (
    select id from agent_order where acknowledged_at < now() - interval '180 days' limit $1)`,
  heads: `delete from branch_commit where commit in (
    select commit from branch_commit
    where seen_at < now() - interval '30 days'
      and commit is distinct from (select branch_head from installation) limit $1)`,
  answers: `delete from note_answer where note_id in (
    select note_id from note_answer
    where answered_at is not null and at < now() - interval '180 days' limit $1)`,
  // The note of one that is reopened after so long is found again by its marker.
  projections: `delete from projection where (kind, project_id, iid) in (
    select p.kind, p.project_id, p.iid from projection p join merge_request m using (project_id, iid)
    where m.facts ->> 'state' in ('merged', 'closed') and m.updated_at < now() - interval '180 days'
      and not exists (select from preview_member v where v.project_id = p.project_id and v.iid = p.iid)
    limit $1)`,
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
