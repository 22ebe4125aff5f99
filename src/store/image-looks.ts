import type { Queryable } from './pool.js';
import { enqueueArgument, type JobSpec } from './queue.js';

/** An image that a sha waits for. */
export interface DueImage {
  projectId: number;
  sha: string;
  image: string;
  /** How often it was looked for since something last happened to the sha. */
  looks: number;
}

export interface ImageLook extends DueImage {
  found: boolean;
  failed: boolean;
  detail: string | null;
  pauseMs: number;
}

/** The job that looks for the images of one registry. */
function imagesJob(registry: string, runAt: number): JobSpec {
  return { task: 'images', key: `images:${registry}`, payload: { registry }, runAt };
}

/** A member that waits for the image of `l`. */
const awaiting = `
  from preview_member m join preview p using (slug, incarnation)
  where m.project_id = l.project_id and m.next ->> 'sha' = l.sha and m.next is not null
    and m.next ->> 'waitingFor' = 'image' and p.phase not in ('stopping', 'stopped')`;

// Those taken are nobody else's for a minute, which is also when a run that died is made up for. What nobody waits for
// any more is forgotten on the way: whoever waits for it again says so.
const takeSql = `
with due as materialized (
  select * from image_look where host = $1 and due_at <= now() order by due_at limit $2 for update skip locked
), judged as materialized (
  select l.*, exists (select ${awaiting}) as awaited from due l
), forgotten as (
  delete from image_look l using judged j
  where not j.awaited and l.project_id = j.project_id and l.sha = j.sha and l.image = j.image
), taken as (
  update image_look l set due_at = now() + interval '1 minute' from judged j
  where j.awaited and l.project_id = j.project_id and l.sha = j.sha and l.image = j.image
)
select project_id as "projectId", sha, image, looks from judged where awaited order by due_at`;

/** Takes the images of one registry whose time has come, the longest due first. */
export async function takeDueImages(q: Queryable, query: { registry: string; limit: number }): Promise<DueImage[]> {
  const answer = await q.query<DueImage>({
    name: 'images-take',
    text: takeSql,
    values: [query.registry, query.limit],
  });
  return answer.rows;
}

// An event that came while it was being looked for has set it back: then it is looked for at once again.
const saveSql = `
with look as materialized (
  select * from json_to_recordset($1::json) as x(
    "projectId" bigint, sha text, image text, looks integer, found boolean, failed boolean, detail text, "pauseMs" float8)
), opened as (
  insert into gate_verdict (project_id, sha, gate) select "projectId", sha, 'image ' || image from look where found
  on conflict do nothing
), gone as (
  delete from image_look l using look k where k.found and l.project_id = k."projectId" and l.sha = k.sha and l.image = k.image
), told as (
  select k."projectId", k.sha from look k left join image_look l
    on l.project_id = k."projectId" and l.sha = k.sha and l.image = k.image
  where k.found or (l.failed, l.detail) is distinct from (k.failed, k.detail)
), looked as (
  update image_look l set looked_at = now(), failed = k.failed, detail = k.detail,
    looks = case when l.looks = k.looks then k.looks + 1 else l.looks end,
    due_at = case when l.looks = k.looks then now() + k."pauseMs" * interval '1 ms' else l.due_at end
  from look k where not k.found and l.project_id = k."projectId" and l.sha = k.sha and l.image = k.image
), subjects as (
  select distinct p.subject from told t join preview_member m
    on m.project_id = t."projectId" and m.next ->> 'sha' = t.sha and m.next is not null
  join preview p using (slug, incarnation) where p.phase <> 'stopped'
)
select enqueue_jobs(json_agg(json_build_object('task', 'decide', 'key', 'decide:' || subject, 'priority', 0,
  'payload', json_build_object('subject', subject)))) from subjects having count(*) > 0`;

/** Saves what looks said: a verdict for what was found; decides anew whoever is told something else because of it. */
export async function saveImageLooks(q: Queryable, looks: readonly ImageLook[]): Promise<void> {
  if (looks.length === 0) return;
  await q.query({ name: 'images-save', text: saveSql, values: [JSON.stringify(looks)] });
}

const nextSql = `
select (extract(epoch from min(due_at)) * 1000)::float8 as due from image_look where host = $1`;

const lostSql = `
select enqueue_jobs(json_agg(json_build_object('task', 'images', 'key', 'images:' || host, 'priority', 0,
  'payload', json_build_object('registry', host))))
from (select distinct host from image_look where due_at < now()) due having count(*) > 0`;

/** Enqueues the jobs of all registries in which an image is due, also where such a job was lost. */
export async function enqueueDueImages(q: Queryable): Promise<void> {
  await q.query(lostSql);
}

/** Enqueues the job of a registry for the time when its next image is due; nothing where none is awaited. */
export async function scheduleImages(q: Queryable, registry: string): Promise<void> {
  const answer = await q.query<{ due: number | null }>({ name: 'images-next', text: nextSql, values: [registry] });
  const due = answer.rows[0]?.due ?? null;
  if (due !== null) await q.query('select enqueue_jobs($1::json)', [enqueueArgument([imagesJob(registry, due)])]);
}
