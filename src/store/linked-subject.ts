import type { MergeRequestFacts, MergeRequestReading } from '../preview/facts.js';
import { instant, timestamp } from './preview-rows.js';

/** What is read of a linked preview in place of one merge request. */
export interface LinkedQuery {
  /** Projects of its group. */
  projectIds: readonly number[];
  /** Exact name of the source branch. */
  branch: string;
  /** Projects whose forks take part, and those whose forks do once a commit of the merge request was approved. */
  forks: { always: readonly number[]; approved: readonly number[] };
  /** Answers of the API to merge first, each behind the fence of its `readStartedAt`. */
  readings: readonly { projectId: number; iid: number; reading: MergeRequestReading }[];
  /** Commits of target branches whose gates matter. */
  shas: readonly { projectId: number; sha: string }[];
}

/** One merge request as it is known. */
export interface LinkedMergeRequest {
  projectId: number;
  iid: number;
  /** null: the API never said anything of it. */
  facts: MergeRequestFacts | null;
  /** Something may have changed since it was last read. */
  asked: boolean;
  unknownSince: number | null;
  /** When the read that `facts` comes from began. */
  readStartedAt: number | null;
}

export interface LoadedMergeRequest {
  project_id: number;
  iid: number;
  facts: MergeRequestFacts | null;
  asked_at: string | null;
  unknown_since: string | null;
  read_started_at: string | null;
}

/** The parts in which the statement for one merge request and that for several differ. $1 is the subject. */
export interface SubjectParts {
  /** Merges what was read, and answers the rows that it changed. */
  merged: string;
  /** Those that were not read. */
  known: string;
  mergeRequest: string;
  wishes: string;
  gates: string;
  /** Further keys of the answer. */
  more: string;
}

// An answer that began before the newest one is dropped; what was asked after it began stays asked. A time that has not
// come yet was written while the database's clock was wrong, and counts for nothing.
export const mergeSql = `
  on conflict (project_id, iid) do update set
    facts = coalesce(excluded.facts, m.facts),
    updated_at = coalesce(excluded.updated_at, m.updated_at),
    read_started_at = coalesce(excluded.read_started_at, m.read_started_at),
    asked_at = case when excluded.facts is null
      or m.asked_at between excluded.tried_at and clock_timestamp() then m.asked_at end,
    unknown_since = case when excluded.facts is null then coalesce(m.unknown_since, excluded.unknown_since) end,
    tried_at = excluded.tried_at
  where m.read_started_at is null or m.read_started_at < excluded.tried_at or m.read_started_at > clock_timestamp()
  returning m.*`;

/** Ended ones of a branch that are looked at: the chain of those that overlapped is told from them. */
const mostEnded = 20;
const mostOpen = 100;

/** Whether a merge request of a fork belongs to the linked preview of its branch; `entry` is a `ForkEntry` in SQL. */
export const forkBelongsSql = (alias: string, entry: { always: string; approved: string }) => `(${entry.always}
    or (${entry.approved} and exists (select from wish a where a.kind = 'approve'
      and a.subject = 'mr:' || ${alias}.project_id || ':' || ${alias}.iid)))`;

const forkBelongs = (alias: string) =>
  forkBelongsSql(alias, {
    always: `$6::jsonb -> 'always' @> to_jsonb(${alias}.project_id)`,
    approved: `$6::jsonb -> 'approved' @> to_jsonb(${alias}.project_id)`,
  });

/** A fork joins no linked preview but where the group says so. */
const ofBranch = (alias: string) => `${alias}.project_id = any($3::bigint[]) and ${alias}.facts ->> 'sourceBranch' = $4
    and ((${alias}.facts ->> 'sourceProjectId')::bigint = ${alias}.project_id or ${forkBelongs(alias)})`;

/** The commits whose gates matter: heads of merge requests, and those of target branches. */
const linkedShas = `
  select k.project_id, k.facts ->> 'sha' as sha from known k where k.facts ->> 'sha' is not null
  union select m.project_id, m.next ->> 'sha' from preview_member m, row r
    where m.slug = r.slug and m.incarnation = r.incarnation and m.next is not null
  union select project_id, sha from jsonb_to_recordset($5::jsonb) as x(project_id bigint, sha text)`;

/** $2: readings, $3: projects, $4: branch, $5: commits, $6: `forks`. */
export const linkedParts: SubjectParts = {
  merged: `
  insert into merge_request as m (project_id, iid, facts, updated_at, read_started_at, unknown_since, tried_at)
  select project_id, iid, facts, updated_at, case when facts is not null then started_at end,
    case when facts is null then started_at end, started_at
  from jsonb_to_recordset($2::jsonb)
    as r(project_id bigint, iid integer, facts jsonb, updated_at timestamptz, started_at timestamptz)
  order by project_id, iid
  ${mergeSql}`,
  known: `
  select m.* from merge_request m join (
    (select b.project_id, b.iid from merge_request b
      where ${ofBranch('b')} and b.facts ->> 'state' not in ('merged', 'closed') order by b.iid limit ${mostOpen})
    union (select b.project_id, b.iid from merge_request b
      where ${ofBranch('b')} and b.facts ->> 'state' in ('merged', 'closed') order by b.updated_at desc limit ${mostEnded})
    union select p.project_id, p.iid from preview_member p, row r
      where p.slug = r.slug and p.incarnation = r.incarnation and p.iid is not null and r.phase <> 'stopped'
  ) wanted using (project_id, iid)
  where not exists (select from merged d where d.project_id = m.project_id and d.iid = m.iid)`,
  mergeRequest: 'null',
  wishes: `w.subject = $1
    or w.subject in (select 'mr:' || k.project_id || ':' || k.iid from known k where ${ofBranch('k')})`,
  gates: `
    with shas as (${linkedShas})
    select v.project_id, v.sha, v.gate, true as open, false as failed, null as detail
    from shas s join gate_verdict v on v.project_id = s.project_id and v.sha = s.sha
    union all select l.project_id, l.sha, 'image ' || l.image, false, l.failed, l.detail
    from shas s join image_look l on l.project_id = s.project_id and l.sha = s.sha`,
  more: `
  'merge_requests', (select json_agg(k order by k.project_id, k.iid) from known k),`,
};

/** The values of $1 to $6. */
export function linkedValues(subject: string, query: LinkedQuery): unknown[] {
  const readings = query.readings.map(({ projectId, iid, reading }) => ({
    project_id: projectId,
    iid,
    facts: reading.known ? reading.facts : null,
    updated_at: reading.known ? timestamp(reading.facts.updatedAt) : null,
    started_at: timestamp(reading.readStartedAt),
  }));
  const shas = query.shas.map(({ projectId, sha }) => ({ project_id: projectId, sha }));
  const { projectIds, branch, forks } = query;
  return [subject, JSON.stringify(readings), projectIds, branch, JSON.stringify(shas), JSON.stringify(forks)];
}

export function mergeRequestFromRow(row: LoadedMergeRequest): LinkedMergeRequest {
  return {
    projectId: row.project_id,
    iid: row.iid,
    facts: row.facts,
    asked: row.asked_at !== null,
    unknownSince: instant(row.unknown_since),
    readStartedAt: instant(row.read_started_at),
  };
}
