import type { Queryable } from './pool.js';

/** One observation as it arrives; see `observationSchema` of the protocol. */
export interface NewObservation {
  slug: string;
  incarnation: number;
  revision: string | null;
  branchCommit: string;
  seq: [number, number];
  state: string;
  objects: unknown[];
  diagnosis: unknown;
}

/**
 * `stored`: newer than what was known, and its preview is decided about. `known`: a repetition, or overtaken.
 * `refused`: the incarnation belongs to another cluster. `unknown`: there is no such incarnation.
 */
export type ObservationOutcome = 'stored' | 'known' | 'refused' | 'unknown';

// One statement for the batch: what is newer is stored, and the subjects whose decision may differ are enqueued.
// Of several about one incarnation the newest counts. A repetition of the same state decides nothing.
const storeSql = `
with given as (
  select * from jsonb_to_recordset($2::jsonb) as x(ordinal integer, slug text, incarnation integer, revision text,
    branch_commit text, start_number bigint, counter bigint, state text, objects jsonb, diagnosis jsonb)
), placed as (
  select g.*, p.subject, p.cluster from given g left join preview p using (slug, incarnation)
), newest as (
  select distinct on (slug, incarnation) * from placed where cluster = $1
  order by slug, incarnation, start_number desc, counter desc
), old as (
  select o.slug, o.incarnation, o.state, o.revision, o.diagnosis
  from observation o join newest n using (slug, incarnation)
), stored as (
  insert into observation as o (slug, incarnation, cluster, revision, branch_commit, start_number, counter, state,
    objects, diagnosis)
  select slug, incarnation, cluster, revision, branch_commit, start_number, counter, state, objects, diagnosis
  from newest order by slug, incarnation
  on conflict (slug, incarnation) do update set cluster = excluded.cluster, revision = excluded.revision,
    branch_commit = excluded.branch_commit, start_number = excluded.start_number, counter = excluded.counter,
    state = excluded.state, objects = excluded.objects, diagnosis = excluded.diagnosis, observed_at = now()
  where (o.start_number, o.counter) < (excluded.start_number, excluded.counter)
  returning o.slug, o.incarnation
), changed as (
  select distinct n.subject from stored s join newest n using (slug, incarnation)
  left join old o using (slug, incarnation)
  where o.slug is null or (o.state, o.revision, o.diagnosis) is distinct from (n.state, n.revision, n.diagnosis)
), enqueued as (
  select enqueue_jobs(json_agg(json_build_object('task', 'decide', 'key', 'decide:' || subject, 'priority', 0,
    'payload', json_build_object('subject', subject)))) from changed having count(*) > 0
)
select p.ordinal, case
    when p.subject is null then 'unknown'
    when p.cluster <> $1 then 'refused'
    when exists (select from stored s join newest n using (slug, incarnation) where n.ordinal = p.ordinal) then 'stored'
    else 'known'
  end as outcome, (select count(*) from enqueued) as enqueued
from placed p order by p.ordinal`;

/** Stores what one cluster's agent observed, in one round trip. Answers an outcome for each, in order. */
export async function storeObservations(
  q: Queryable,
  cluster: string,
  observations: readonly NewObservation[],
): Promise<ObservationOutcome[]> {
  if (observations.length === 0) return [];
  const rows = observations.map((observation, ordinal) => ({
    ordinal,
    slug: observation.slug,
    incarnation: observation.incarnation,
    revision: observation.revision,
    branch_commit: observation.branchCommit,
    start_number: observation.seq[0],
    counter: observation.seq[1],
    state: observation.state,
    objects: observation.objects,
    diagnosis: observation.diagnosis,
  }));
  const answer = await q.query<{ outcome: ObservationOutcome }>({
    name: 'store-observations',
    text: storeSql,
    values: [cluster, withoutNul(JSON.stringify(rows))],
  });
  return answer.rows.map((row) => row.outcome);
}

/** PostgreSQL's text cannot hold the character NUL, which a pod's log may. */
function withoutNul(json: string): string {
  return json.replaceAll('\\u0000', '�');
}
