import type { Queryable } from './pool.js';

/** One incarnation. */
export interface Pair {
  slug: string;
  incarnation: number;
}

export interface AgentPoll {
  branchCommit: string | null;
  living: readonly (Pair & { state: string })[];
  orphans: readonly unknown[];
  breaker: unknown;
  /** Ids of orders that were carried out. */
  acknowledged: readonly number[];
  /** What became of those of them that can fail. */
  outcomes: readonly { id: number; done: boolean; detail: string }[];
  /** What is not touched now, on a person's word. */
  paused: readonly unknown[];
}

export interface AgentOrder {
  id: number;
  kind: 'pause' | 'resume' | 'unblock' | 'remove-orphan' | 'accept';
  slug: string | null;
  incarnation: number | null;
  project: string | null;
  finalizer: string | null;
  by: string;
}

/** A row that stops and that its agent no longer names. */
export interface MissingPreview extends Pair {
  /** The newest generation that Mayfly wrote of it: that of its removal. */
  removedBy: number;
}

// `acknowledged` ends orders of this cluster alone. The answer is of the moment after it.
const pollSql = `
with seen as (
  insert into agent (name, last_seen_at, branch_commit, living, orphans, breaker, paused)
  values ($1, now(), $2, $3::jsonb, $4::jsonb, $5::jsonb, $8::jsonb)
  on conflict (name) do update set last_seen_at = excluded.last_seen_at, branch_commit = excluded.branch_commit,
    living = excluded.living, orphans = excluded.orphans, breaker = excluded.breaker, paused = excluded.paused
), acknowledged as (
  update agent_order o set acknowledged_at = now(), done = r.done, outcome = r.detail
  from unnest($6::bigint[]) a(id)
    left join jsonb_to_recordset($7::jsonb) as r(id bigint, done boolean, detail text) on r.id = a.id
  where o.cluster = $1 and o.id = a.id and o.acknowledged_at is null
  returning o.kind, o.slug, o.incarnation, o.by_name, o.done, o.outcome
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail)
  select slug, incarnation, case kind
      when 'unblock' then case when done then 'unblocked' else 'not-unblocked' end
      else case when done then 'orphan-removed' else 'orphan-not-removed' end
    end, by_name, outcome
  from acknowledged
  where kind in ('unblock', 'remove-orphan') and done is not null and slug is not null and incarnation is not null
), rewriting_over as (
  -- Every agent follows a head that was seen since the branch was rewritten: there is nothing more to tell.
  update installation i set notice = null, notice_at = null
  where i.notice is not null and $5::jsonb ->> 'reason' is distinct from 'rewritten'
    and exists (select from branch_commit c where c.commit = $2 and c.seen_at >= i.notice_at)
    and not exists (select from agent g where g.name <> $1
      and (g.breaker ->> 'reason' = 'rewritten' or g.last_seen_at < i.notice_at))
)
select
  (select coalesce(json_agg(json_build_object('id', o.id, 'kind', o.kind, 'slug', o.slug,
      'incarnation', o.incarnation, 'project', o.project, 'finalizer', o.finalizer, 'by', o.by_name)
      order by o.id), '[]')
    from agent_order o where o.cluster = $1 and o.acknowledged_at is null and o.id <> all($6::bigint[])) as orders,
  (select coalesce(json_agg(json_build_object('slug', p.slug, 'incarnation', p.incarnation, 'removedBy', (
      select max(b.generation) from branch_write b
      where b.slug = p.slug and b.incarnation = p.incarnation and b.blob is null))), '[]')
    from preview p
    where p.cluster = $1 and p.phase = 'stopping' and not p.needs_commit
      and not exists (select from jsonb_to_recordset($3::jsonb) as l(slug text, incarnation integer)
        where l.slug = p.slug and l.incarnation = p.incarnation)) as missing,
  (select coalesce(json_agg(json_build_object('slug', p.slug, 'incarnation', p.incarnation)), '[]')
    from jsonb_to_recordset($3::jsonb) as l(slug text, incarnation integer)
      join preview p on p.slug = l.slug and p.incarnation = l.incarnation and p.cluster = $1
    where not exists (select from observation o
      where o.slug = l.slug and o.incarnation = l.incarnation)) as unheard`;

/**
 * Stores a poll and answers the orders that wait, the stopping rows that the agent does not name, and those that it
 * names without ever having said what it sees: this database is a new one.
 */
export async function storePoll(
  q: Queryable,
  cluster: string,
  poll: AgentPoll,
): Promise<{ orders: AgentOrder[]; missing: MissingPreview[]; unheard: Pair[] }> {
  const answer = await q.query<{
    orders: AgentOrder[];
    missing: (Pair & { removedBy: number | null })[];
    unheard: Pair[];
  }>({
    name: 'store-poll',
    text: pollSql,
    values: [
      cluster,
      poll.branchCommit,
      JSON.stringify(poll.living),
      JSON.stringify(poll.orphans),
      JSON.stringify(poll.breaker),
      poll.acknowledged,
      withoutNul(JSON.stringify(poll.outcomes)),
      withoutNul(JSON.stringify(poll.paused)),
    ],
  });
  const [row] = answer.rows;
  const missing = (row?.missing ?? []).flatMap((pair) =>
    pair.removedBy === null ? [] : [{ ...pair, removedBy: pair.removedBy }],
  );
  return { orders: row?.orders ?? [], missing, unheard: row?.unheard ?? [] };
}

// The agent itself may say more later: an observation of its own start number replaces this one.
const goneSql = `
with gone as (
  insert into observation as o (slug, incarnation, cluster, branch_commit, start_number, counter, state, objects)
  select p.slug, p.incarnation, p.cluster, $2, 0, 0, 'gone', '[]'
  from preview p join unnest($3::text[], $4::integer[]) g(slug, incarnation) using (slug, incarnation)
  where p.cluster = $1 and p.phase = 'stopping' order by p.slug, p.incarnation
  on conflict (slug, incarnation) do update set state = 'gone', revision = null, branch_commit = excluded.branch_commit,
    objects = '[]', diagnosis = null, observed_at = now()
  where o.state <> 'gone'
  returning o.slug, o.incarnation
), changed as (
  select distinct p.subject from gone g join preview p using (slug, incarnation)
)
select enqueue_jobs(json_agg(json_build_object('task', 'decide', 'key', 'decide:' || subject, 'priority', 0,
  'payload', json_build_object('subject', subject)))) from changed having count(*) > 0`;

/** Records that these stopping incarnations are gone, for an agent that no longer knows them, and has them decided. */
export async function recordGone(
  q: Queryable,
  input: { cluster: string; branchCommit: string; pairs: readonly Pair[] },
): Promise<void> {
  if (input.pairs.length === 0) return;
  await q.query(goneSql, [
    input.cluster,
    input.branchCommit,
    input.pairs.map((pair) => pair.slug),
    input.pairs.map((pair) => pair.incarnation),
  ]);
}

const atOrAfterSql = 'select exists (select from branch_commit where commit = $1 and generation >= $2) as is_after';

/** Whether that head of the branch holds what Mayfly wrote with this generation; false for a head never seen. */
export async function isAtOrAfter(q: Queryable, branchCommit: string, generation: number): Promise<boolean> {
  const answer = await q.query<{ is_after: boolean }>(atOrAfterSql, [branchCommit, generation]);
  return answer.rows[0]?.is_after === true;
}

const acceptancesSql = `
  select distinct on (o.slug, o.incarnation) o.slug, o.incarnation, o.by_name as by
  from agent_order o join unnest($1::text[], $2::integer[]) w(slug, incarnation) using (slug, incarnation)
  where o.kind = 'accept' order by o.slug, o.incarnation, o.id`;

/** Who accepted the deletion of each of these incarnations, by `slug#incarnation`. */
export async function acceptances(q: Queryable, pairs: readonly Pair[]): Promise<Map<string, string>> {
  const answer = await q.query<Pair & { by: string }>(acceptancesSql, [
    pairs.map((pair) => pair.slug),
    pairs.map((pair) => pair.incarnation),
  ]);
  return new Map(answer.rows.map((row) => [`${row.slug}#${row.incarnation}`, row.by]));
}

/** PostgreSQL's text cannot hold the character NUL, which a cluster's words may. */
function withoutNul(json: string): string {
  return json.replaceAll('\\u0000', '\uFFFD');
}
