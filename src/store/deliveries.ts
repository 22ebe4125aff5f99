import type { Queryable } from './pool.js';
import { enqueueArgument, type JobSpec } from './queue.js';

/** A verified delivery, reduced to hints. Times in epoch milliseconds. */
export interface DeliveryToSave {
  /** null: GitLab sent none; every such delivery counts as new. */
  key: string | null;
  facts:
    | { event: 'merge_request'; projectId: number; iid: number; updatedAt: number }
    | { event: 'pipeline' | 'job'; projectId: number; iid: number | null; sha: string; status: string }
    | { event: 'note'; projectId: number; iid: number; noteId: number }
    | { event: 'push'; projectId: number; branch: string };
}

/** Hints kept for one merge request; a flood of forged ones stays this small. */
const maxHintedNotes = 50;

/**
 * One round trip: stores what is new, marks merge requests as asked, keeps the ids of notes, enqueues jobs. A webhook
 * that is strictly older than the row, compared in whole seconds, asks nothing. A pipeline without a merge request
 * asks those whose head, or whose awaited sha, is its commit; a job only those that wait. Both look for images anew.
 */
const saveSql = `
with input as materialized (
  select i.*, nextval(pg_get_serial_sequence('delivery', 'id')) as id
  from json_to_recordset($1::json) as i(
    n int, key text, event text, project_id bigint, iid int, updated_s bigint, note_id bigint, sha text,
    facts jsonb, jobs json)
), saved as (
  insert into delivery (id, key, event, project_id, facts) overriding system value
  select id, key, event, project_id, facts from input order by key
  on conflict (key) do nothing
  returning id
), fresh as materialized (
  select i.* from input i join saved s on s.id = i.id
), touched as (
  select f.project_id, f.iid,
    bool_or(f.event = 'merge_request') as asked,
    array_agg(f.note_id) filter (where f.note_id is not null) as notes
  from fresh f
  left join merge_request m on m.project_id = f.project_id and m.iid = f.iid
  where f.event = 'note' or (f.event = 'merge_request'
    and (m.updated_at is null or f.updated_s >= floor(extract(epoch from m.updated_at))))
  group by f.project_id, f.iid
), marked as (
  insert into merge_request as m (project_id, iid, asked_at, notes_hinted)
  select project_id, iid, case when asked then now() end, coalesce(notes, '{}')
  from touched order by project_id, iid
  on conflict (project_id, iid) do update set
    asked_at = greatest(m.asked_at, excluded.asked_at),
    notes_hinted = (
      select coalesce(array_agg(newest.id), '{}') from (
        select distinct id from unnest(m.notes_hinted || excluded.notes_hinted) as id order by id desc limit $2
      ) newest)
  returning m.project_id, m.iid
), subjects as (
  -- Through \`marked\`, so that rows are locked before jobs, as decisions do: the other order could deadlock.
  select t.project_id, t.iid from marked join touched t using (project_id, iid) where t.asked
  union select project_id, iid from fresh where event = 'pipeline' and iid is not null
  union select m.project_id, m.iid from fresh f join merge_request m
    on m.project_id = f.project_id and m.facts ->> 'sha' = f.sha where f.event = 'pipeline' and f.iid is null
  union select p.project_id, p.iid from fresh f join preview_member p
    on p.project_id = f.project_id and p.next ->> 'sha' = f.sha and p.next is not null
    where f.event in ('pipeline', 'job') and f.iid is null and p.iid is not null
  union select p.project_id, p.iid from fresh f join preview_member p
    on p.project_id = f.project_id and p.iid = f.iid and p.next is not null where f.event = 'job'
), hurried as (
  -- The image may have been pushed just now.
  update image_look l set due_at = now(), looks = 0 from fresh f
  where f.event in ('pipeline', 'job') and l.project_id = f.project_id and (l.sha = f.sha or exists (
    select from preview_member p
    where p.project_id = f.project_id and p.iid = f.iid and p.next is not null and p.next ->> 'sha' = l.sha))
  returning l.host
), jobs as (
  select json_build_object('task', 'decide', 'key', 'decide:mr:' || project_id || ':' || iid,
    'payload', json_build_object('subject', 'mr:' || project_id || ':' || iid), 'priority', 0) as job
  from subjects
  union all select json_build_object('task', 'decide', 'key', 'decide:' || subject,
    'payload', json_build_object('subject', subject), 'priority', 0) from (
      -- A target branch whose newest commit a linked preview waits for.
      select distinct v.subject from fresh f join preview_member p on p.project_id = f.project_id
        and p.next ->> 'sha' = f.sha and p.next is not null and p.iid is null
      join preview v using (slug, incarnation) where f.event in ('pipeline', 'job') and v.phase <> 'stopped') linked
  union all select json_build_object('task', 'images', 'key', 'images:' || host,
    'payload', json_build_object('registry', host), 'priority', 0) from (select distinct host from hurried) registries
  union all select json_array_elements(jobs) from fresh where jobs is not null
), enqueued as (
  select enqueue_jobs(list) from (select json_agg(job) as list from jobs) gathered where list is not null
)
select i.n, coalesce(s.id, d.id) as id, (select count(*) from enqueued) as enqueued
from input i left join saved s on s.id = i.id left join delivery d on d.key = i.key and s.id is null
order by i.n`;

const knownSql = 'select key, id from delivery where key = any($1)';

/**
 * Saves deliveries, all or none, and answers the id of each, in order. One whose key is known gets the id it has and
 * does nothing more. `readback` is the job that looks at the environments branch.
 */
export async function saveDeliveries(
  q: Queryable,
  input: { deliveries: readonly DeliveryToSave[]; readback: JobSpec },
): Promise<number[]> {
  const { deliveries, readback } = input;
  const distinct = firstOfEachKey(deliveries);
  const rows = distinct.map((delivery, n) => toRow(delivery, n, readback));
  const answer = await q.query<{ n: number; id: number | null }>({
    name: 'save-deliveries',
    text: saveSql,
    values: [JSON.stringify(rows), maxHintedNotes],
  });
  const idOf = new Map<DeliveryToSave, number>();
  const keyless: string[] = [];
  for (const [index, delivery] of distinct.entries()) {
    const id = answer.rows[index]?.id ?? null;
    if (id !== null) idOf.set(delivery, id);
    else if (delivery.key !== null) keyless.push(delivery.key);
  }
  // Another manager stored the same delivery while this statement ran, so that its snapshot does not show it.
  const idOfKey = new Map<string, number>(keyless.length === 0 ? [] : await knownIds(q, keyless));
  for (const delivery of distinct) {
    if (delivery.key === null) continue;
    const id = idOf.get(delivery) ?? idOfKey.get(delivery.key);
    if (id !== undefined) idOfKey.set(delivery.key, id);
  }
  return deliveries.map((delivery) => {
    const id = delivery.key === null ? idOf.get(delivery) : idOfKey.get(delivery.key);
    if (id === undefined) throw new Error('a stored delivery has no id');
    return id;
  });
}

async function knownIds(q: Queryable, keys: string[]): Promise<[string, number][]> {
  const known = await q.query<{ key: string; id: number }>(knownSql, [keys]);
  return known.rows.map((row) => [row.key, row.id]);
}

function firstOfEachKey(deliveries: readonly DeliveryToSave[]): DeliveryToSave[] {
  const seen = new Set<string>();
  return deliveries.filter((delivery) => {
    if (delivery.key === null) return true;
    if (seen.has(delivery.key)) return false;
    seen.add(delivery.key);
    return true;
  });
}

function toRow(delivery: DeliveryToSave, n: number, readback: JobSpec): Record<string, unknown> {
  const { facts } = delivery;
  const jobs = jobsOf(facts, readback);
  return {
    n,
    key: delivery.key,
    event: facts.event,
    project_id: facts.projectId,
    iid: 'iid' in facts ? facts.iid : null,
    updated_s: facts.event === 'merge_request' ? Math.floor(facts.updatedAt / 1_000) : null,
    note_id: facts.event === 'note' ? facts.noteId : null,
    sha: facts.event === 'pipeline' || facts.event === 'job' ? facts.sha : null,
    facts,
    jobs: jobs.length === 0 ? null : JSON.parse(enqueueArgument(jobs)),
  };
}

function jobsOf(facts: DeliveryToSave['facts'], readback: JobSpec): JobSpec[] {
  switch (facts.event) {
    case 'note':
      return [notesJob(facts)];
    case 'push':
      return [readback];
    case 'merge_request':
    case 'pipeline':
    case 'job':
      return [];
    default:
      return facts satisfies never;
  }
}

/** The job that reads the newer comments of a merge request. */
function notesJob(key: { projectId: number; iid: number }): JobSpec {
  return {
    task: 'notes',
    key: `notes:${key.projectId}:${key.iid}`,
    payload: { projectId: key.projectId, iid: key.iid },
  };
}
