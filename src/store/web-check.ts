import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { MergeRequestFacts, Wish } from '../preview/facts.js';
import type { Phase, StopReason } from '../preview/preview.js';
import type { Queryable } from './pool.js';

const packagedMigrations = fileURLToPath(new URL('../../migrations/', import.meta.url));

/** The server's version, and how its migrations compare with this program's. Changes nothing. */
export async function databaseState(
  q: Queryable,
  folder = packagedMigrations,
): Promise<{ version: string; pending: string[]; unknown: string[] }> {
  const answer = await q.query<{ version: string; exists: boolean }>(
    `select current_setting('server_version') as version, to_regclass('migration') is not null as exists`,
  );
  const { version = '', exists = false } = answer.rows[0] ?? {};
  const landed = exists ? (await q.query<{ name: string }>('select name from migration order by name')).rows : [];
  const names = landed.map((row) => row.name);
  const files = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return {
    version,
    pending: files.filter((name) => !names.includes(name)),
    unknown: names.filter((name) => !files.includes(name)),
  };
}

/** When each agent was last heard of, in milliseconds since the epoch. */
export async function agentsSeen(q: Queryable): Promise<{ name: string; lastSeenAt: number }[]> {
  const answer = await q.query<{ name: string; lastSeenAt: number }>(
    `select name, extract(epoch from last_seen_at)::float8 * 1000 as "lastSeenAt" from agent order by name`,
  );
  return answer.rows;
}

/** A merge request that is open or has a living preview, with the newest incarnation of it. */
export interface KnownSubjectRow {
  subject: string;
  projectId: number;
  iid: number;
  facts: MergeRequestFacts | null;
  wishes: Wish[];
  preview: { slug: string; phase: Phase; stopReason: StopReason | null; createdAt: number } | null;
}

const subjectsSql = `
with newest as (
  select distinct on (subject) subject, slug, incarnation, phase, stop_reason, created_at
  from preview order by subject, created_at desc, incarnation desc
), known as (
  select project_id, iid, facts, 'mr:' || project_id || ':' || iid as subject
  from merge_request where facts ->> 'state' = 'opened'
  union
  select m.project_id, m.iid, r.facts, n.subject
  from newest n
  join preview_member m on m.slug = n.slug and m.incarnation = n.incarnation and m.iid is not null
  left join merge_request r on r.project_id = m.project_id and r.iid = m.iid
  where n.phase <> 'stopped'
)
select k.subject, k.project_id as "projectId", k.iid, k.facts,
  coalesce((select json_agg(jsonb_build_object('kind', w.kind, 'source', w.source, 'amountMs', w.amount_ms,
      'at', extract(epoch from w.at)::float8 * 1000, 'by', w.by_name) || coalesce(w.detail, '{}') order by w.at, w.id)
    from wish w where w.subject = k.subject), '[]') as wishes,
  case when n.slug is not null then
    json_build_object('slug', n.slug, 'phase', n.phase, 'stopReason', n.stop_reason,
      'createdAt', extract(epoch from n.created_at)::float8 * 1000) end as preview
from known k left join newest n on n.subject = k.subject
order by k.project_id, k.iid`;

/** Everything that a changed configuration could start or stop. */
export async function knownSubjects(q: Queryable): Promise<KnownSubjectRow[]> {
  return (await q.query<KnownSubjectRow>(subjectsSql)).rows;
}

/** PostgreSQL's clock, in milliseconds since the epoch. */
export async function databaseNow(q: Queryable): Promise<number> {
  const answer = await q.query<{ now: number }>('select extract(epoch from now())::float8 * 1000 as now');
  return answer.rows[0]?.now ?? Date.now();
}
