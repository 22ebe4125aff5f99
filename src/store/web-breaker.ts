import type { StopReason } from '../preview/preview.js';
import type { BreakerReport } from '../protocol/poll.js';
import type { Queryable } from './pool.js';
import { enqueueArgument } from './queue.js';

/** One deletion that waits for a person. */
export interface Pair {
  slug: string;
  incarnation: number;
}

/** Everything that stands still until a person looks. Times in milliseconds since the epoch. */
export interface BreakerState {
  /** Why the manager writes nothing at all; null: it may. */
  blockedReason: string | null;
  /** What a person should know of the branch though writing goes on, and since when; null: nothing. */
  notice: { text: string; since: number } | null;
  /** Stops that the manager holds and nobody accepted yet. */
  held: (Pair & { project: string; cluster: string; reason: StopReason; since: number })[];
  agents: {
    name: string;
    lastSeenAt: number;
    breaker: BreakerReport | null;
  }[];
}

const stateSql = `
select
  (select blocked_reason from installation) as "blockedReason",
  (select json_build_object('text', notice, 'since', extract(epoch from notice_at)::float8 * 1000)
    from installation where notice is not null) as notice,
  coalesce((select json_agg(json_build_object('slug', p.slug, 'incarnation', p.incarnation, 'project', p.project,
      'cluster', p.cluster, 'reason', p.held_stop ->> 'reason', 'since', (p.held_stop ->> 'since')::float8)
      order by p.slug)
    from preview p where p.held_stop is not null and not exists (
      select from agent_order a where a.kind = 'accept' and a.slug = p.slug and a.incarnation = p.incarnation)
  ), '[]') as held,
  coalesce((select json_agg(json_build_object('name', a.name,
      'lastSeenAt', extract(epoch from a.last_seen_at)::float8 * 1000,
      'breaker', case when a.breaker <> '{}'::jsonb then a.breaker end) order by a.name)
    from agent a), '[]') as agents`;

export async function loadBreaker(q: Queryable): Promise<BreakerState> {
  const answer = await q.query<BreakerState>(stateSql);
  return answer.rows[0] ?? { blockedReason: null, notice: null, held: [], agents: [] };
}

/**
 * An acceptance goes to the cluster of its row, or to the agent that reported it when no row knows the pair. One that
 * was accepted before is not recorded twice.
 */
const acceptSql = `
with asked as (
  select distinct slug, incarnation from jsonb_to_recordset($1::jsonb) as x(slug text, incarnation integer)
), pending as (
  select a.slug, a.incarnation, p.cluster, p.subject
  from asked a join preview p on p.slug = a.slug and p.incarnation = a.incarnation
  union
  select a.slug, a.incarnation, g.name, null
  from asked a, agent g, jsonb_to_recordset(g.breaker -> 'pending') as b(slug text, incarnation integer)
  where b.slug = a.slug and b.incarnation = a.incarnation and not exists (
    select from preview p where p.slug = a.slug and p.incarnation = a.incarnation)
), accepted as (
  insert into agent_order (cluster, kind, slug, incarnation, by_name, reason)
  select cluster, 'accept', slug, incarnation, $2, $3 from pending n
  where not exists (select from agent_order o
    where o.kind = 'accept' and o.slug = n.slug and o.incarnation = n.incarnation and o.cluster = n.cluster)
  order by slug, incarnation
  returning slug, incarnation, cluster
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail)
  select slug, incarnation, 'deletion-accepted', $2, $3 from accepted
)
select a.slug, a.incarnation, n.subject
from accepted a join pending n on n.slug = a.slug and n.incarnation = a.incarnation and n.cluster = a.cluster
order by a.slug, a.incarnation`;

/**
 * Records that a person accepts these deletions, and asks for a decision about each. Answers those that were pending
 * and are accepted now; a pair that nobody holds is not among them. Use it inside a transaction.
 */
export async function acceptDeletions(
  q: Queryable,
  input: { deletions: readonly Pair[]; by: string; reason: string },
): Promise<Pair[]> {
  const answer = await q.query<Pair & { subject: string | null }>(acceptSql, [
    JSON.stringify(input.deletions),
    input.by,
    input.reason,
  ]);
  const subjects = answer.rows.flatMap((row) => (row.subject === null ? [] : [row.subject]));
  if (subjects.length > 0) {
    const jobs = subjects.map((subject) => ({ task: 'decide', key: `decide:${subject}`, payload: { subject } }));
    await q.query('select enqueue_jobs($1::json)', [enqueueArgument(jobs)]);
  }
  return answer.rows.map(({ slug, incarnation }) => ({ slug, incarnation }));
}

const headsSql = `
with read as (
  update installation set notice = null, notice_at = null where notice is not null
)
insert into agent_order (cluster, kind, by_name, reason)
select cluster, 'accept', $2, $3 from unnest($1::text[]) asked(cluster)
where not exists (select from agent_order o
  where o.kind = 'accept' and o.slug is null and o.cluster = asked.cluster and o.acknowledged_at is null)`;

/** Records that a person accepts a rewritten branch, for each of these agents; once while the order is open. The notice of it is read. */
export async function acceptHeads(
  q: Queryable,
  input: { clusters: readonly string[]; by: string; reason: string },
): Promise<void> {
  await q.query(headsSql, [input.clusters, input.by, input.reason]);
}
