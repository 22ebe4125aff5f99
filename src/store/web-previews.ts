import type { HeldStop, Member, Phase, Preview } from '../preview/preview.js';
import { limitsArgument, lineSql, type SlotLimits } from './lines.js';
import type { Queryable } from './pool.js';

/** One incarnation as a listing shows it. Times in milliseconds since the epoch; texts of people are as they wrote them. */
export interface ListedPreview {
  slug: string;
  incarnation: number;
  project: string;
  phase: Phase;
  waitingFor: Preview['waitingFor'];
  cause: Preview['cause'];
  message: string | null;
  /** Why the present template gives no file for it, though an earlier file stays deployed; null: it does. */
  templateProblem: string | null;
  cluster: string;
  namespace: string;
  url: string | null;
  edited: Preview['edited'];
  heldStop: HeldStop | null;
  /** Its agent touches nothing of it, on a person's word; null: it does. */
  paused: { scope: 'agent' | 'project' | 'preview' | 'namespace'; by: string | null } | null;
  unknownSince: number | null;
  createdAt: number;
  readyAt: number | null;
  /** null: it is pinned. */
  expiresAt: number | null;
  pinnedBy: string | null;
  /** Its place among those who wait for a slot; null: it does not. */
  line: { place: number; length: number } | null;
  stoppedAt: number | null;
  stopReason: Preview['stopReason'];
  stoppedBy: string | null;
  members: ListedMember[];
}

interface ListedMember extends Member {
  /** What GitLab last said of the merge request; null: it was never read. */
  mergeRequest: { title: string; webUrl: string; sourceBranch: string; author: string } | null;
  /** Images that `next` waits for, and what the last look said; null: nobody has looked yet. */
  images: { image: string; lookedAt: number | null; detail: string | null }[];
}

export interface ListQuery {
  project: string | null;
  /** null: all that are not stopped. */
  phase: Phase | null;
  /** Part of the slug, the title or the source branch, or `!` and an iid; null: no matter which. */
  search: string | null;
  /** The last one of the page before; null: from the start. */
  after: { slug: string; incarnation: number } | null;
  limit: number;
  /** In which line who waits for a slot stands; absent: each project has its own. */
  limits?: SlotLimits;
}

const columns = `
  p.slug, p.incarnation, p.project, p.phase, p.waiting_for as "waitingFor", p.cause, p.message, p.template_problem as "templateProblem", p.cluster, p.namespace,
  p.url, p.edited, p.held_stop as "heldStop", extract(epoch from p.unknown_since)::float8 * 1000 as "unknownSince",
  extract(epoch from p.created_at)::float8 * 1000 as "createdAt", extract(epoch from p.ready_at)::float8 * 1000 as "readyAt",
  case when p.pinned_by is null then extract(epoch from p.expires_at)::float8 * 1000 end as "expiresAt",
  p.pinned_by as "pinnedBy",
  extract(epoch from p.stopped_at)::float8 * 1000 as "stoppedAt", p.stop_reason as "stopReason",
  p.stopped_by as "stoppedBy"`;

const placeOf = `
  (select json_build_object('place', l.place, 'length', l.length) from line l
    where l.slug = p.slug and l.incarnation = p.incarnation) as line`;

/** As the agent last told it. A project's pause is of the previews with a member in it. */
const pausedOf = `
  (select json_build_object('scope', x.scope, 'by', x.by)
    from agent a, jsonb_to_recordset(a.paused) as x(scope text, name text, by text)
    where a.name = p.cluster and p.phase <> 'stopped' and (x.scope = 'agent'
      or (x.scope in ('preview', 'namespace') and x.name = p.slug)
      or (x.scope = 'project' and exists (select from preview_member m join follow_cursor f using (project_id)
        where m.slug = p.slug and m.incarnation = p.incarnation and f.path = x.name)))
    order by x.scope = 'agent', x.scope limit 1) as paused`;

const membersOf = `
  coalesce((
    select json_agg(json_build_object(
      'projectId', m.project_id, 'iid', m.iid, 'branch', m.branch, 'wantedSha', m.wanted_sha, 'deployedSha', m.deployed_sha, 'next', m.next,
      'mergeRequest', case when r.facts is not null then json_build_object(
        'title', r.facts ->> 'title', 'webUrl', r.facts ->> 'webUrl', 'sourceBranch', r.facts ->> 'sourceBranch',
        'author', r.facts ->> 'authorUsername') end,
      'images', coalesce((select json_agg(json_build_object('image', l.image, 'detail', l.detail,
          'lookedAt', extract(epoch from l.looked_at)::float8 * 1000) order by l.image)
        from image_look l where l.project_id = m.project_id and l.sha = m.next ->> 'sha'), '[]')) order by m.ordinal)
    from preview_member m left join merge_request r on r.project_id = m.project_id and r.iid = m.iid
    where m.slug = p.slug and m.incarnation = p.incarnation), '[]') as members`;

/** Pages by the primary key, so that a page costs the same wherever it is. */
const listSql = `
with ${lineSql('$8')}
select ${columns}, ${placeOf}, ${pausedOf}, ${membersOf}
from preview p
where ($1::text is null or p.project = $1)
  and case when $2::text is null then p.phase <> 'stopped' else p.phase = $2 end
  and ($3::text is null or (p.slug, p.incarnation) > ($3, $4::integer))
  and ($5::text is null or p.slug ilike $5 or exists (
    select from preview_member m left join merge_request r on r.project_id = m.project_id and r.iid = m.iid
    where m.slug = p.slug and m.incarnation = p.incarnation
      and (r.facts ->> 'title' ilike $5 or r.facts ->> 'sourceBranch' ilike $5 or m.iid = $6::integer)))
order by p.slug, p.incarnation
limit $7`;

/** A page of previews, in the order of their slugs. */
export async function listPreviews(q: Queryable, query: ListQuery): Promise<ListedPreview[]> {
  const iid = /^!(\d{1,9})$/.exec(query.search ?? '')?.[1];
  const answer = await q.query<ListedPreview>(listSql, [
    query.project,
    query.phase,
    query.after?.slug ?? null,
    query.after?.incarnation ?? null,
    query.search === null ? null : `%${query.search.replace(/[\\%_]/g, '\\$&')}%`,
    iid === undefined ? null : Number(iid),
    query.limit,
    limitsArgument(query.limits ?? null),
  ]);
  return answer.rows;
}

/** What the agent last said. Texts are an outsider's. */
interface ListedObservation {
  state: string;
  revision: string | null;
  observedAt: number;
  objects: unknown[];
  diagnosis: unknown;
}

export interface PreviewDetail extends ListedPreview {
  wantedRevision: string | null;
  deployedRevision: string | null;
  lastActivityAt: number;
  waitingSince: number | null;
  deployingSince: number | null;
  /** One sentence on why it was stopped; null: the reason says it all. */
  stopDetail: string | null;
  /** null: nothing was heard of this incarnation. */
  observation: ListedObservation | null;
}

const detailSql = `
with ${lineSql('$2')}
select ${columns}, ${placeOf}, ${pausedOf}, ${membersOf}, p.wanted_revision as "wantedRevision", p.deployed_revision as "deployedRevision",
  extract(epoch from p.last_activity_at)::float8 * 1000 as "lastActivityAt",
  extract(epoch from p.waiting_since)::float8 * 1000 as "waitingSince",
  extract(epoch from p.deploying_since)::float8 * 1000 as "deployingSince", p.stop_detail as "stopDetail",
  (select json_build_object('state', o.state, 'revision', o.revision,
     'observedAt', extract(epoch from o.observed_at)::float8 * 1000, 'objects', o.objects, 'diagnosis', o.diagnosis)
   from observation o where o.slug = p.slug and o.incarnation = p.incarnation) as observation
from preview p
where p.slug = $1
order by p.incarnation desc
limit 1`;

/** The newest incarnation of a slug; null: there is none. */
export async function findPreview(
  q: Queryable,
  slug: string,
  limits: SlotLimits | null = null,
): Promise<PreviewDetail | null> {
  const answer = await q.query<PreviewDetail>(detailSql, [slug, limitsArgument(limits)]);
  return answer.rows[0] ?? null;
}

export interface ListedEvent {
  id: number;
  incarnation: number;
  at: number;
  kind: string;
  from: string | null;
  to: string | null;
  actor: string | null;
  detail: string | null;
}

const eventsSql = `
select id, incarnation, extract(epoch from at)::float8 * 1000 as at, kind, from_phase as "from", to_phase as "to",
  actor, detail
from preview_event
where slug = $1 and ($2::bigint is null or id < $2)
order by id desc
limit $3`;

/** History of all incarnations of a slug, the newest first. */
export async function listEvents(
  q: Queryable,
  query: { slug: string; before: number | null; limit: number },
): Promise<ListedEvent[]> {
  const answer = await q.query<ListedEvent>(eventsSql, [query.slug, query.before, query.limit]);
  return answer.rows;
}
