import type { DecisionEvent, ImageWait, OpenGate } from '../preview/decision.js';
import { parseImage } from '../preview/image-reference.js';
import type { Preview } from '../preview/preview.js';
import type { Queryable } from './pool.js';
import { rowFromPreview, rowsFromMembers } from './preview-rows.js';
import { enqueueArgument, type JobSpec } from './queue.js';

/** What one decision changed. */
export interface SubjectChange {
  /** The incarnation that ended, when another begins; null: none. */
  ended: Preview | null;
  /** The newest incarnation; null: it did not change. */
  preview: Preview | null;
  events: DecisionEvent[];
  /** The file may differ from the row. */
  needsCommit: boolean;
  /** Gates that were seen open for the first time, to be remembered. */
  openedGates: OpenGate[];
  /** Images that are looked for from now on. */
  images: ImageWait[];
  jobs: JobSpec[];
}

/**
 * Saves a decision. Its statements are on their way when it returns, so that a commit may follow them at once. Both are
 * made before the first is sent: the end of one incarnation is never committed without the beginning of the next.
 */
export async function saveSubject(transaction: Queryable, change: SubjectChange): Promise<void> {
  const statements = [saveStatement(change, change.needsCommit)];
  if (change.ended !== null) {
    const ended = { ...change, preview: change.ended, events: [], openedGates: [], images: [], jobs: [] };
    // First, and alone: the indexes that allow one living row a slug and a subject are checked row by row.
    statements.unshift(saveStatement(ended, false));
  }
  await Promise.all(statements.map((statement) => transaction.query(statement)));
}

function saveStatement(change: SubjectChange, needsCommit: boolean) {
  const { preview } = change;
  return {
    name: 'subject-save',
    text: saveSql,
    values: [
      preview === null ? null : JSON.stringify({ ...rowFromPreview(preview), needs_commit: needsCommit }),
      JSON.stringify(preview === null ? [] : rowsFromMembers(preview)),
      JSON.stringify(change.events),
      JSON.stringify(change.openedGates),
      JSON.stringify(change.images.map((each) => ({ ...each, host: parseImage(each.image)?.host }))),
      change.jobs.length === 0 ? null : enqueueArgument(change.jobs),
      preview?.slug ?? null,
      preview?.incarnation ?? null,
    ],
  };
}

const columns = [
  'slug',
  'incarnation',
  'subject',
  'project',
  'cluster',
  'namespace',
  'url',
  'phase',
  'waiting_for',
  'waiting_since',
  'cause',
  'message',
  'wanted_revision',
  'deployed_revision',
  'version',
  'edited',
  'held_stop',
  'unknown_since',
  'last_activity_at',
  'expires_at',
  'created_at',
  'deploying_since',
  'ready_at',
  'stopped_at',
  'stop_reason',
  'stopped_by',
  'stop_detail',
  'set_values',
  'redeployed_at',
  'want_asleep',
  'sleep_cause',
  'sleep_ordered_at',
  'sha_since',
  'sleep_due_at',
  'ordered',
  'pinned_by',
  'warn_at',
  'warned_at',
  'warned_for',
];

const updates = columns.filter((name) => name !== 'slug' && name !== 'incarnation');

const saveSql = `
with saved as (
  insert into preview as p (${columns.join(', ')}, needs_commit, lived_since)
  select ${columns.join(', ')}, needs_commit, case when phase not in ('waiting', 'stopped') then now() end
  from jsonb_populate_record(null::preview, $1::jsonb) where $1 is not null
  on conflict (slug, incarnation) do update set
    ${updates.map((name) => `${name} = excluded.${name}`).join(', ')},
    needs_commit = p.needs_commit or excluded.needs_commit,
    lived_since = coalesce(p.lived_since, excluded.lived_since),
    stop_decided_at = case
      when excluded.phase = 'stopping' then coalesce(p.stop_decided_at, now())
      -- One that the cluster lost, or that was never in it, goes there without having been stopping.
      when excluded.phase = 'stopped'
        then coalesce(p.stop_decided_at, case when p.phase not in ('waiting', 'stopped') then now() end)
    end
), numbered as (
  insert into slug as s (slug, last_incarnation) select $7::text, $8::integer where $7 is not null
  on conflict (slug) do update set last_incarnation = excluded.last_incarnation
    where s.last_incarnation < excluded.last_incarnation
), member as (
  insert into preview_member as m (slug, incarnation, ordinal, project_id, iid, wanted_sha, deployed_sha, next, branch, fork)
  select $7::text, $8::integer, ordinal, project_id, iid, wanted_sha, deployed_sha, next, branch, coalesce(fork, false)
  from jsonb_to_recordset($2::jsonb) as x(
    ordinal integer, project_id bigint, iid integer, wanted_sha text, deployed_sha text, next jsonb, branch text,
    fork boolean)
  on conflict (slug, incarnation, ordinal) do update set project_id = excluded.project_id, iid = excluded.iid,
    wanted_sha = excluded.wanted_sha, deployed_sha = excluded.deployed_sha, next = excluded.next, branch = excluded.branch,
    fork = excluded.fork
), departed as (
  delete from preview_member
  where slug = $7 and incarnation = $8 and $7 is not null and ordinal >= jsonb_array_length($2::jsonb)
), happened as (
  insert into preview_event (slug, incarnation, kind, from_phase, to_phase, actor, detail)
  select slug, incarnation, kind, "from", "to", actor, detail
  from jsonb_to_recordset($3::jsonb)
    as x(slug text, incarnation integer, kind text, "from" text, "to" text, actor text, detail text)
), opened as (
  insert into gate_verdict (project_id, sha, gate) select "projectId", sha, gate
  from jsonb_to_recordset($4::jsonb) as x("projectId" bigint, sha text, gate text)
  on conflict do nothing
), awaited as (
  insert into image_look (project_id, sha, image, host) select "projectId", sha, image, host
  from jsonb_to_recordset($5::jsonb) as x("projectId" bigint, sha text, image text, host text)
  on conflict do nothing
)
select case when $6::text is not null then enqueue_jobs($6::json) end`;
