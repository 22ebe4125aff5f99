import type { Queryable } from './pool.js';

/** Name under which a visitor's wake stands in the history. */
const visitor = 'visitor';

const wakeSql = `
with row as (
  select subject, incarnation, phase, want_asleep from preview where slug = $1 and phase not in ('stopping', 'stopped')
), visited as (
  update preview p set visited_at = now() from row r where p.slug = $1 and p.incarnation = r.incarnation
), wished as (
  -- What is awake is not kept awake by those who look at it. GitLab's clock, which an order to sleep has its time of, may
  -- be ahead: whoever sees that it sleeps orders later.
  insert into wish (subject, kind, source, at, by_name)
  select subject, 'wake', 'operator', greatest(now(), (select max(w.at) from wish w where w.subject = row.subject)), $2
  from row where phase = 'asleep' or want_asleep
  returning subject
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail)
  select $1, r.incarnation, 'ordered', $2, 'wake' from row r join wished using (subject)
)
select enqueue_jobs(json_agg(json_build_object('task', 'decide', 'key', 'decide:' || subject,
  'payload', json_build_object('subject', subject)))) from wished having count(*) > 0`;

/** Wakes a preview that sleeps, for somebody who is not known. Of no such preview, and of one that is awake: nothing. */
export async function wakeForVisitor(q: Queryable, slug: string): Promise<void> {
  await q.query(wakeSql, [slug, visitor]);
}

const stateSql = `
select url from preview
where slug = $1 and phase = 'ready' and not want_asleep and visited_at > now() - interval '1 hour'`;

/** Where a preview opens that a visitor asked for and that is ready; null: it is not, or nobody asked lately. */
export async function readyForVisitor(q: Queryable, slug: string): Promise<{ url: string | null } | null> {
  const answer = await q.query<{ url: string | null }>(stateSql, [slug]);
  return answer.rows[0] ?? null;
}
