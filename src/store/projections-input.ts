import type { MergeRequestFacts, Wish } from '../preview/facts.js';
import type { ForkEntry } from '../preview/linked-forks.js';
import type { Preview } from '../preview/preview.js';
import type { Diagnosis } from '../protocol/observations.js';
import { type SpokenRow, spokenSql, wishesSql } from './absent-input.js';
import { limitsArgument, lineSql, type SlotLimits } from './lines.js';
import { forkBelongsSql } from './linked-subject.js';
import type { Queryable } from './pool.js';
import { type MemberRow, type PreviewRow, previewFromRow } from './preview-rows.js';

/** What feedback last wrote of one kind; times in epoch milliseconds. */
interface StoredProjection {
  writtenHash: string | null;
  externalId: number | null;
  creatingSince: number | null;
  detail: Record<string, unknown> | null;
}

/** The row of a merge request and all that is told beside it. */
export interface FeedbackInput {
  now: number;
  view: {
    preview: Preview;
    facts: MergeRequestFacts | null;
    deployedAt: number | null;
    /** The first time since its newest sha began to be deployed. */
    firstHealthyAt: number | null;
    /** The end of the incarnation before, or a start that was ordered, the later; null: neither was. */
    begunAnewAt: number | null;
    line: { place: number; length: number } | null;
    stoodInLine: boolean;
    diagnosis: Pick<Diagnosis, 'object' | 'sentence' | 'evidence' | 'logs' | 'mender'> | null;
    /** As `spokenSql` has them. */
    spoken: SpokenRow[];
    /** Orders of the subject; empty while the preview lives. */
    wishes: Wish[];
    /** Of a linked preview: whom it is told to, and where each member is found; null: it is no linked one. */
    linked: { key: { projectId: number; iid: number }; own: string | null; rows: LinkedRow[] } | null;
  };
  note: StoredProjection;
  status: StoredProjection;
  replies: { warning: StoredProjection; failure: StoredProjection; turn: StoredProjection };
}

interface LinkedRow {
  projectId: number;
  iid: number | null;
  /** Path of the project; its id where GitLab never said it. */
  project: string;
  webUrl: string | null;
}

interface Loaded {
  linked: LinkedRow[] | null;
  now: number;
  preview: PreviewRow | null;
  members: MemberRow[] | null;
  facts: MergeRequestFacts | null;
  deployed_at: number | null;
  first_healthy_at: number | null;
  begun_anew_at: number | null;
  line: { place: number; length: number } | null;
  stood_in_line: boolean;
  diagnosis: Diagnosis | null;
  spoken: SpokenRow[];
  wishes: Wish[] | null;
  projections: (StoredProjection & { kind: string })[] | null;
}

const millis = (column: string) => `round(extract(epoch from ${column}) * 1000)`;

const forkBelongs = forkBelongsSql('r', { always: `$6::text = 'always'`, approved: `$6 = 'approved'` });

const inputSql = `
with named as (
  -- The linked preview of its branch, which a fork joins only where the group says so.
  select 'group:' || $4::text || ':' || (facts ->> 'sourceBranch') as subject from merge_request r
  where project_id = $1 and iid = $2 and $4::text is not null
    and ((facts ->> 'sourceProjectId')::bigint = $1 or ${forkBelongs})
), row as materialized (
  select * from preview where subject in ($3, (select subject from named))
  order by subject = $3, created_at desc, incarnation desc limit 1
)
select json_build_object(
  'now', floor(extract(epoch from clock_timestamp()) * 1000),
  'preview', (select row_to_json(r) from row r),
  'members', (select json_agg(m order by m.ordinal) from preview_member m, row r
    where m.slug = r.slug and m.incarnation = r.incarnation),
  'linked', (select json_agg(json_build_object('projectId', m.project_id, 'iid', m.iid,
      'project', coalesce((select c.path from follow_cursor c where c.project_id = m.project_id), m.project_id::text),
      'webUrl', q.facts ->> 'webUrl') order by m.ordinal)
    from row r join preview_member m using (slug, incarnation)
    left join merge_request q on q.project_id = m.project_id and q.iid = m.iid where r.subject like 'group:%'),
  'facts', (select facts from merge_request where project_id = $1 and iid = $2),
  'deployed_at', (select ${millis('max(e.at)')} from preview_event e, row r
    where e.slug = r.slug and e.incarnation = r.incarnation and e.to_phase = 'ready'),
  'first_healthy_at', (select ${millis('min(e.at)')} from preview_event e, row r
    where e.slug = r.slug and e.incarnation = r.incarnation and e.to_phase = 'ready'
      and e.at >= coalesce(r.sha_since, '-infinity')),
  'begun_anew_at', (select ${millis('greatest(max(p.stopped_at), max(w.at))')} from row r
    left join preview p on p.slug = r.slug and p.incarnation = r.incarnation - 1
    left join wish w on w.subject = r.subject and w.kind = 'start' and w.at <= r.created_at),
  'line', case when (select r.phase = 'waiting' and r.waiting_for = 'slot' from row r) then (
    with ${lineSql('$5')} select json_build_object('place', l.place, 'length', l.length)
    from line l join row r using (slug, incarnation)) end,
  'stood_in_line', exists (select from preview_event e join row r using (slug, incarnation)
    where e.kind = 'waiting' and e.detail = 'slot'),
  'diagnosis', (select o.diagnosis from observation o, row r
    where o.slug = r.slug and o.incarnation = r.incarnation and o.revision is not distinct from r.wanted_revision),
  'spoken', ${spokenSql},
  'wishes', case when (select phase in ('stopping', 'stopped') from row) then
    ${wishesSql('w.subject in ($3, (select subject from row))')} end,
  'projections', (select json_agg(json_build_object('kind', kind, 'writtenHash', written_hash,
      'externalId', external_id, 'creatingSince', ${millis('creating_since')}, 'detail', detail))
    from projection where project_id = $1 and iid = $2)
) as loaded`;

const nothingWritten: StoredProjection = { writtenHash: null, externalId: null, creatingSince: null, detail: null };

const membersSql = `
select distinct m.project_id as "projectId", m.iid from preview_member m join (
  select slug, incarnation from preview where subject = $1 order by created_at desc, incarnation desc limit 1
) r using (slug, incarnation) where m.iid is not null`;

/** The merge requests of the newest preview of a subject. */
export async function membersOfSubject(q: Queryable, subject: string): Promise<{ projectId: number; iid: number }[]> {
  return (await q.query<{ projectId: number; iid: number }>(membersSql, [subject])).rows;
}

/**
 * Reads what a merge request's note and status are made from; null when it never had a preview. `group`: the one that
 * its project belongs to, whose linked preview it then shows. `limits` tell in which line it stands.
 */
export async function loadFeedbackInput(
  q: Queryable,
  input: {
    projectId: number;
    iid: number;
    group?: string | null;
    /** How its forks come into the linked previews of the group. Default: never. */
    forks?: ForkEntry;
    limits?: SlotLimits;
  },
): Promise<FeedbackInput | null> {
  const answer = await q.query<{ loaded: Loaded }>({
    name: 'feedback-input',
    text: inputSql,
    values: [
      input.projectId,
      input.iid,
      `mr:${input.projectId}:${input.iid}`,
      input.group ?? null,
      limitsArgument(input.limits ?? null),
      input.forks ?? 'never',
    ],
  });
  const loaded = answer.rows[0]?.loaded;
  if (loaded === undefined || loaded.preview === null) return null;
  const { preview } = loaded;
  return {
    now: loaded.now,
    view: {
      preview: previewFromRow(preview, loaded.members ?? []),
      facts: loaded.facts,
      deployedAt: loaded.deployed_at,
      firstHealthyAt: loaded.first_healthy_at,
      begunAnewAt: loaded.begun_anew_at,
      line: loaded.line,
      stoodInLine: loaded.stood_in_line,
      diagnosis: loaded.diagnosis,
      spoken: loaded.spoken,
      wishes: loaded.wishes ?? [],
      linked:
        loaded.linked === null
          ? null
          : { key: { projectId: input.projectId, iid: input.iid }, own: null, rows: loaded.linked },
    },
    note: projectionOf(loaded, 'note'),
    status: projectionOf(loaded, 'status'),
    replies: {
      warning: projectionOf(loaded, 'warning'),
      failure: projectionOf(loaded, 'failure'),
      turn: projectionOf(loaded, 'turn'),
    },
  };
}

function projectionOf(loaded: Loaded, kind: string): StoredProjection {
  const found = loaded.projections?.find((projection) => projection.kind === kind);
  if (found === undefined) return nothingWritten;
  const { writtenHash, externalId, creatingSince, detail } = found;
  return { writtenHash, externalId, creatingSince, detail };
}
