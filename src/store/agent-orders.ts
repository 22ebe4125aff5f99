import type { Phase } from '../preview/preview.js';
import type { Queryable } from './pool.js';
import { enqueueArgument } from './queue.js';

/** A word that hastens: agents poll when they hear of the branch, whether or not it changed. */
const hasten = `select pg_notify('mayfly_branch', branch_head) from installation where branch_head is not null`;

export interface PauseOrder {
  kind: 'pause' | 'resume';
  /** Agents that get it. */
  clusters: readonly string[];
  /** One preview; null: all of the project, or of the agents. */
  slug: string | null;
  /** As the configuration names it, and its path; null: no matter which. */
  project: { name: string; path: string } | null;
  by: string;
}

const pauseSql = `
with ordered as (
  insert into agent_order (cluster, kind, slug, project, by_name)
  select cluster, $2, $3, $5, $6 from unnest($1::text[]) c(cluster) order by cluster
), concerned as (
  select slug, incarnation from preview
  where phase <> 'stopped' and cluster = any($1) and ($3::text is null or slug = $3) and ($4::text is null or project = $4)
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail)
  select slug, incarnation, case $2 when 'pause' then 'pause-ordered' else 'resume-ordered' end, $6,
    case when $3::text is not null then 'this preview' when $4::text is not null then 'project ' || $4 else 'all previews' end
  from concerned
)
select (select count(*)::integer from concerned) as previews, (select count(*) from (${hasten}) told) as told`;

/** Tells agents to touch nothing, or to go on. Answers how many previews live that it concerns; later ones follow. */
export async function orderPause(q: Queryable, order: PauseOrder): Promise<{ previews: number }> {
  const { kind, clusters, slug, project, by } = order;
  const values = [clusters, kind, slug, project?.name ?? null, project?.path ?? null, by];
  const answer = await q.query<{ previews: number }>(pauseSql, values);
  return { previews: answer.rows[0]?.previews ?? 0 };
}

export interface ListedOrphan {
  cluster: string;
  namespace: string;
  slug: string | null;
  /** null: its agent is too old to tell it. */
  incarnation: number | null;
  /** An order to remove it is under way. */
  removing: boolean;
}

const orphansSql = `
select a.name as cluster, o.namespace, o.slug, o.incarnation, exists (
    select from agent_order r where r.cluster = a.name and r.kind = 'remove-orphan' and r.slug = o.slug
      and r.incarnation is not distinct from o.incarnation and (r.acknowledged_at is null or r.done)) as removing
from agent a, jsonb_to_recordset(a.orphans) as o(namespace text, slug text, incarnation integer)
order by a.name, o.namespace`;

/** Namespaces of this installation that no inventory and no file knows, as the agents last told them. */
export async function listOrphans(q: Queryable): Promise<ListedOrphan[]> {
  return (await q.query<ListedOrphan>(orphansSql)).rows;
}

const removeSql = `
with found as (
  select a.name as cluster, o.namespace, o.slug, o.incarnation
  from agent a, jsonb_to_recordset(a.orphans) as o(namespace text, slug text, incarnation integer)
  where o.slug = $1 and ($2::integer is null or o.incarnation = $2)
), ordered as (
  insert into agent_order (cluster, kind, slug, incarnation, by_name)
  select f.cluster, 'remove-orphan', f.slug, f.incarnation, $3 from found f
  where not exists (select from agent_order r where r.cluster = f.cluster and r.kind = 'remove-orphan'
    and r.slug = f.slug and r.incarnation is not distinct from f.incarnation and r.acknowledged_at is null)
  returning slug, incarnation, cluster
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail)
  select slug, incarnation, 'orphan-removal-ordered', $3, 'in the cluster ' || cluster from ordered
  where incarnation is not null
)
select cluster, namespace, slug, incarnation, true as removing, (select count(*) from (${hasten}) told) as told
from found order by cluster, namespace`;

/** Has the orphans of a slug removed. Answers those that were told of; none: there is no such orphan. */
export async function orderRemoval(
  q: Queryable,
  input: { slug: string; incarnation: number | null; by: string },
): Promise<ListedOrphan[]> {
  const answer = await q.query<ListedOrphan>(removeSql, [input.slug, input.incarnation, input.by]);
  return answer.rows.map(({ cluster, namespace, slug, incarnation }) => ({
    cluster,
    namespace,
    slug,
    incarnation,
    removing: true,
  }));
}

const blockedSql = `
select incarnation, cluster, phase from preview where slug = $1
union all
select o.incarnation, a.name, 'stopping'
from agent a, jsonb_to_recordset(a.orphans) as o(slug text, incarnation integer)
where o.slug = $1 and o.incarnation is not null
  and not exists (select from preview p where p.slug = $1 and p.incarnation = o.incarnation and p.phase <> 'stopped')
order by 1 desc`;

const unblockSql = `
with ordered as (
  insert into agent_order (cluster, kind, slug, incarnation, finalizer, by_name) values ($1, 'unblock', $2, $3, $4, $5)
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail) values ($2, $3, 'unblock-ordered', $5, $4)
)
${hasten}`;

export type AgentOrderOutcome =
  | { outcome: 'given'; incarnation: number; cluster: string }
  | { outcome: 'unfit'; phase: Phase }
  | { outcome: 'unknown' };

/** Has one finalizer removed from what blocks the newest incarnation that is being torn down. */
export async function orderUnblock(
  q: Queryable,
  input: { slug: string; finalizer: string; by: string },
): Promise<AgentOrderOutcome> {
  const answer = await q.query<{ incarnation: number; cluster: string; phase: Phase }>(blockedSql, [input.slug]);
  const [newest] = answer.rows;
  if (newest === undefined) return { outcome: 'unknown' };
  const row = answer.rows.find(({ phase }) => phase === 'stopping');
  if (row === undefined) return { outcome: 'unfit', phase: newest.phase };
  const { cluster, incarnation } = row;
  await q.query(unblockSql, [cluster, input.slug, incarnation, input.finalizer, input.by]);
  return { outcome: 'given', incarnation, cluster };
}

const forgettableSql = `
select p.subject, p.incarnation, p.phase, p.cluster, (extract(epoch from now() - a.last_seen_at) * 1000)::float8 as "silentMs"
from preview p left join agent a on a.name = p.cluster
where p.slug = $1 and p.phase <> 'stopped'`;

// What the agent said last is overwritten: whatever it was, it is true no more. A row that runs is stopped as well.
const forgetSql = `
with gone as (
  insert into observation (slug, incarnation, cluster, branch_commit, start_number, counter, state, objects)
  values ($1, $2, $3, '', 0, 0, 'gone', '[]')
  on conflict (slug, incarnation) do update set state = 'gone', revision = null, objects = '[]', diagnosis = null,
    observed_at = now()
), wished as (
  insert into wish (subject, kind, source, at, by_name) select $4, 'stop', 'operator', now(), $5 where $6 <> 'stopping'
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail)
  values ($1, $2, 'forgotten', $5, 'the cluster ' || $3 || ' is gone')
)
select enqueue_jobs($7::json)`;

export type ForgetOutcome =
  | { outcome: 'given'; incarnation: number; cluster: string }
  /** Its agent was seen this long ago, in milliseconds: the cluster lives. */
  | { outcome: 'alive'; cluster: string; silentMs: number }
  | { outcome: 'unknown' };

/**
 * Ends a preview of which no agent will ever report anything again. `minSilentMs`: an agent that was seen since then is
 * alive, and nothing is forgotten. Use it inside a transaction.
 */
export async function forgetPreview(
  q: Queryable,
  input: { slug: string; by: string; minSilentMs: number },
): Promise<ForgetOutcome> {
  const { slug, by } = input;
  const answer = await q.query<{
    subject: string;
    incarnation: number;
    phase: Phase;
    cluster: string;
    silentMs: number | null;
  }>(forgettableSql, [slug]);
  const [row] = answer.rows;
  if (row === undefined) return { outcome: 'unknown' };
  const { subject, incarnation, phase, cluster, silentMs } = row;
  if (silentMs !== null && silentMs < input.minSilentMs) return { outcome: 'alive', cluster, silentMs };
  const job = { task: 'decide', key: `decide:${subject}`, payload: { subject } };
  await q.query(forgetSql, [slug, incarnation, cluster, subject, by, phase, enqueueArgument([job])]);
  return { outcome: 'given', incarnation, cluster };
}
