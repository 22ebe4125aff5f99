import type { BreakerUsage, DecideInput } from '../preview/decision.js';
import type { GateReading, MergeRequestFacts, MergeRequestReading, Observation, Wish } from '../preview/facts.js';
import type { SlugClaim } from '../preview/naming.js';
import {
  type LinkedMergeRequest,
  type LinkedQuery,
  type LoadedMergeRequest,
  linkedParts,
  linkedValues,
  mergeRequestFromRow,
  mergeSql,
  type SubjectParts,
} from './linked-subject.js';
import type { Queryable } from './pool.js';
import { instant, type MemberRow, type PreviewRow, previewFromRow, timestamp } from './preview-rows.js';
import type { Occupancy } from './slots.js';

/** What is read of a subject; each part that is not asked for costs nothing. */
export interface SubjectQuery {
  subject: string;
  projectId: number;
  iid: number;
  /** An answer of the API to merge first, behind the fence of its `readStartedAt`; null: none. */
  reading: MergeRequestReading | null;
  /** Possible slugs of the next incarnation. */
  slugs: string[];
  /** Ask for `occupancy` and for `breaker`: the caller holds the locks of the slots. */
  occupancy: boolean;
  breaker: boolean;
  /** Of a linked preview, whose `projectId` and `iid` are 0 and whose `reading` is null. */
  linked?: LinkedQuery;
}

export interface SubjectState
  extends Pick<
    DecideInput,
    'now' | 'facts' | 'preview' | 'gates' | 'wishes' | 'observation' | 'neverCommitted' | 'slugs'
  > {
  /** Something may have changed since the merge request was last read. */
  asked: boolean;
  /** Since when the API cannot say whether it still lives; null while it can. */
  unknownSince: number | null;
  /** Projects that hold slots or have a line; empty when it was not asked for. */
  occupancy: Occupancy[];
  /** null when it was not asked for. */
  breaker: BreakerUsage | null;
  /** Of a linked preview: the merge requests of its branch, and those that are its members. */
  mergeRequests?: LinkedMergeRequest[];
}

interface Loaded {
  now: number;
  merge_request: { facts: MergeRequestFacts | null; asked_at: string | null; unknown_since: string | null } | null;
  preview: PreviewRow | null;
  members: MemberRow[] | null;
  wishes:
    | {
        subject: string;
        kind: Wish['kind'];
        source: Wish['source'];
        amount_ms: number | null;
        at: string;
        by_name: string;
        detail: Partial<Wish> | null;
      }[]
    | null;
  observation: {
    revision: string | null;
    state: Observation['state'];
    message: string | null;
    cause: Observation['cause'];
    observed_at: string;
  } | null;
  committed: boolean;
  /** Of the newest sha; `open`: a verdict, otherwise what the last look at its registry said of an image. */
  gates:
    | { project_id?: number; sha: string; gate: string; open: boolean; failed: boolean; detail: string | null }[]
    | null;
  merge_requests?: LoadedMergeRequest[] | null;
  slugs: SlugClaim[] | null;
  occupancy:
    | { project: string; used: number; waiting_before: number; head: string | null; head_since: string | null }[]
    | null;
  breaker: BreakerUsage | null;
}

/** Reads without locks: for what must be asked of GitLab, and to see that there is nothing to do. */
export function readSubject(q: Queryable, query: SubjectQuery): Promise<SubjectState> {
  return load(q, query, 'read', '');
}

/** The same inside the transaction that saves the decision: the row is locked against the branch writer. */
export function loadSubject(transaction: Queryable, query: SubjectQuery): Promise<SubjectState> {
  return load(transaction, query, 'load', 'for update');
}

async function load(
  q: Queryable,
  query: SubjectQuery,
  name: 'read' | 'load',
  lock: '' | 'for update',
): Promise<SubjectState> {
  const { linked } = query;
  const values = linked === undefined ? singleValues(query) : linkedValues(query.subject, linked);
  const answer = await q.query<{ state: Loaded }>({
    name: linked === undefined ? `subject-${name}` : `linked-${name}`,
    text: subjectSql(lock, linked === undefined ? singleParts : linkedParts),
    values: [...values, query.slugs, query.occupancy, query.breaker],
  });
  const state = answer.rows[0]?.state;
  if (state === undefined) throw new Error('a query of one row answered none');
  return fromLoaded(state, query.projectId);
}

function singleValues({ subject, projectId, iid, reading }: SubjectQuery): unknown[] {
  const facts = reading?.known === true ? reading.facts : null;
  return [
    subject,
    projectId,
    iid,
    timestamp(reading?.readStartedAt ?? null),
    facts === null ? null : JSON.stringify(facts),
    timestamp(facts?.updatedAt ?? null),
  ];
}

function fromLoaded(state: Loaded, projectId: number): SubjectState {
  return {
    now: Math.floor(state.now),
    facts: state.merge_request?.facts ?? null,
    asked: (state.merge_request?.asked_at ?? null) !== null,
    unknownSince: instant(state.merge_request?.unknown_since ?? null),
    preview: state.preview === null ? null : previewFromRow(state.preview, state.members ?? []),
    wishes: (state.wishes ?? []).map((wish) => ({
      kind: wish.kind,
      source: wish.source,
      amountMs: wish.amount_ms,
      at: Date.parse(wish.at),
      by: wish.by_name,
      ...givenIn(wish.subject),
      ...wish.detail,
    })),
    observation: state.observation === null ? null : observationFromRow(state.observation),
    neverCommitted: !state.committed,
    gates: (state.gates ?? []).map((each) => ({
      projectId: each.project_id ?? projectId,
      sha: each.sha,
      gate: each.gate,
      reading: gateReading(each),
    })),
    slugs: state.slugs ?? [],
    occupancy: (state.occupancy ?? []).map((line) => ({
      project: line.project,
      used: line.used,
      waitingBefore: line.waiting_before,
      head: line.head === null ? null : { subject: line.head, since: Date.parse(line.head_since ?? '') },
    })),
    breaker: state.breaker,
    ...(state.merge_requests === undefined
      ? {}
      : { mergeRequests: (state.merge_requests ?? []).map(mergeRequestFromRow) }),
  };
}

/** An order given in a merge request holds for commits of that project alone; see `isApproved`. */
function givenIn(subject: string): Pick<Wish, 'projectId'> {
  const projectId = /^mr:(\d+):/.exec(subject)?.[1];
  return projectId === undefined ? {} : { projectId: Number(projectId) };
}

function gateReading(gate: { open: boolean; failed: boolean; detail: string | null }): GateReading {
  if (gate.open) return { state: 'open' };
  return gate.failed ? { state: 'failed', detail: gate.detail ?? '' } : { state: 'waiting', detail: gate.detail };
}

function observationFromRow(row: NonNullable<Loaded['observation']>): Observation {
  return {
    revision: row.revision,
    state: row.state,
    message: row.message,
    cause: row.cause,
    at: Date.parse(row.observed_at),
  };
}

/** $4: when the read began, $5: facts, $6: when GitLab changed it. */
const mergedSql = `
  insert into merge_request as m (project_id, iid, facts, updated_at, read_started_at, unknown_since, tried_at)
  select $2, $3, $5::jsonb, $6::timestamptz, case when $5 is not null then $4::timestamptz end,
    case when $5 is null then $4::timestamptz end, $4::timestamptz
  where $4 is not null
  ${mergeSql}`;

const singleParts: SubjectParts = {
  merged: mergedSql,
  known: `
  select * from merge_request where project_id = $2 and iid = $3 and not exists (select from merged)`,
  wishes: 'w.subject = $1',
  gates: `
    select v.sha, v.gate, true as open, false as failed, null as detail from known k
      join gate_verdict v on v.project_id = $2 and v.sha = k.facts ->> 'sha'
    union all select l.sha, 'image ' || l.image, false, l.failed, l.detail from known k
      join image_look l on l.project_id = $2 and l.sha = k.facts ->> 'sha'`,
  more: '',
  mergeRequest: '(select row_to_json(k) from known k)',
};

const slugsSql = `
  select json_agg(json_build_object(
    'slug', c.slug,
    'taken', exists (select from preview p where p.slug = c.slug and p.phase <> 'stopped' and p.subject <> $1)
      or exists (select from foreign_file f where f.slug = c.slug),
    'lastIncarnation', coalesce((select s.last_incarnation from slug s where s.slug = c.slug), 0)))
  from unnest($7::text[]) c(slug)`;

// What is used is known; those in line are few. What the subject itself holds is left out.
const occupancySql = `
  select json_agg(o) from (
    select project, sum(used) as used, sum(waiting_before) as waiting_before,
      min(head) as head, min(head_since) as head_since
    from (
      select u.project, u.used - (select count(*) from row r
          where r.project = u.project and r.phase not in ('waiting', 'stopped')) as used,
        0 as waiting_before, null as head, null::timestamptz as head_since
      from slot_use u where u.used > 0
      union all
      select p.project, 0, count(*) filter (where r.slug is null or r.waiting_for is distinct from 'slot'
          or (p.waiting_since, p.slug) < (r.waiting_since, r.slug)),
        (array_agg(p.subject order by p.waiting_since, p.slug))[1], min(p.waiting_since)
      from preview p left join (select * from row where phase = 'waiting') r on true
      where p.phase = 'waiting' and p.waiting_for = 'slot' and p.subject <> $1 group by p.project
    ) each group by project
  ) o`;

/** Stops that nobody explained; see `isExplained`. An accepted one counts no more. */
const unexplainedSql = `
  p.stop_reason in ('expired', 'label', 'git', 'unfollowed') and not exists (
    select from agent_order a where a.kind = 'accept' and a.slug = p.slug and a.incarnation = p.incarnation)`;

const breakerSql = `
  select json_build_object(
    'heldElsewhere', (select count(*) from preview p where p.held_stop is not null and p.subject <> $1
      and not exists (select from agent_order a
        where a.kind = 'accept' and a.slug = p.slug and a.incarnation = p.incarnation)),
    'doneLastHour', (select count(*) from preview p
      where p.stop_decided_at > now() - interval '1 hour' and p.subject <> $1 and ${unexplainedSql}),
    'livedAtHourStart', (select count(*) from preview p
      where p.lived_since <= now() - interval '1 hour'
        and (p.phase not in ('stopping', 'stopped') or p.stop_decided_at > now() - interval '1 hour')),
    'accepted', exists (select from agent_order a, row r
      where a.kind = 'accept' and a.slug = r.slug and a.incarnation = r.incarnation))`;

function subjectSql(lock: '' | 'for update', parts: SubjectParts): string {
  return `
with row as materialized (
  select * from preview where subject = $1 order by created_at desc, incarnation desc limit 1 ${lock}
), merged as (${parts.merged}
), known as (
  select * from merged
  union all ${parts.known}
)
select json_build_object(
  'now', extract(epoch from clock_timestamp()) * 1000,
  'merge_request', ${parts.mergeRequest},
  'preview', (select row_to_json(r) from row r),
  'members', (select json_agg(m order by m.ordinal) from preview_member m, row r
    where m.slug = r.slug and m.incarnation = r.incarnation),
  'wishes', (select json_agg(w order by w.at, w.id) from wish w where ${parts.wishes}),
  'observation', (select json_build_object('revision', o.revision, 'state', o.state, 'observed_at', o.observed_at,
      'message', o.diagnosis ->> 'sentence', 'cause', o.diagnosis ->> 'cause')
    from observation o, row r where o.slug = r.slug and o.incarnation = r.incarnation),
  'committed', exists (select from branch_write b, row r where b.slug = r.slug and b.incarnation = r.incarnation),
  'gates', (select json_agg(g) from (${parts.gates}) g),${parts.more}
  'slugs', (${slugsSql}),
  'occupancy', case when $8::boolean then (${occupancySql}) end,
  'breaker', case when $9::boolean then (${breakerSql}) end
) as state`;
}
