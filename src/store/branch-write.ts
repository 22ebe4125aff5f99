import type { DecisionEvent } from '../preview/decision.js';
import type { Preview } from '../preview/preview.js';
import type { Queryable } from './pool.js';
import { rowFromPreview } from './preview-rows.js';
import { enqueueArgument, type JobSpec } from './queue.js';

/** One row that is about to be written to the branch. */
interface RowWrite {
  /** As it should be saved; its `version` is the one that was loaded. */
  preview: Preview;
  events: DecisionEvent[];
  /** What the file will be; null: it will be gone. */
  blob: string | null;
}

export interface BeginWrite {
  installation: string;
  /** One more than the one that was loaded. */
  generation: number;
  /** Head that was loaded with it. */
  branchHead: string | null;
  rows: RowWrite[];
}

/** Saves the events, given as JSON in this argument of the statement, of the rows that the part `of` returned. */
const happenedSql = (of: string, argument: number) => `happened as (
  insert into preview_event (slug, incarnation, kind, from_phase, to_phase, actor, detail)
  select w.slug, w.incarnation, x.kind, x."from", x."to", x.actor, x.detail
  from ${of} w join jsonb_to_recordset($${argument}::jsonb)
    as x(slug text, incarnation integer, kind text, "from" text, "to" text, actor text, detail text)
    using (slug, incarnation)
)`;

// A row that changed since it was loaded is left out: it is rendered again. Without the raised generation (another
// manager was faster, or the branch was blocked) nothing happens at all.
const beginSql = `
with raised as (
  update installation set generation = $2
  where id = $1 and generation = $2::bigint - 1 and branch_head is not distinct from $3 and blocked_reason is null
  returning generation
), change as (
  select c.*, b.blob from jsonb_array_elements($4::jsonb) e,
    jsonb_populate_record(null::preview, e -> 'row') c, jsonb_to_record(e) b(blob text)
), locked as materialized (
  select p.slug, p.incarnation, c.blob from preview p join change c using (slug, incarnation)
  where p.version = c.version and exists (select from raised)
  order by p.slug, p.incarnation for update of p
), saved as (
  update preview p set phase = c.phase, wanted_revision = c.wanted_revision, waiting_for = c.waiting_for,
    waiting_since = c.waiting_since, cause = c.cause, message = c.message, deploying_since = c.deploying_since,
    url = c.url, sleep_cause = c.sleep_cause, version = p.version + 1
  from change c, locked l
  where p.slug = c.slug and p.incarnation = c.incarnation and l.slug = p.slug and l.incarnation = p.incarnation
), written as (
  insert into branch_write (slug, incarnation, blob, generation)
  select l.slug, l.incarnation, l.blob, r.generation from locked l, raised r
), ${happenedSql('locked', 5)}
select (select generation from raised) as generation,
  coalesce((select json_agg(json_build_object('slug', slug, 'incarnation', incarnation)) from locked), '[]') as rows`;

/**
 * Before a push, in one statement: the generation rises, what is to be found in the branch afterwards is recorded,
 * and the rows get the revision that Git will hold. The answer names the rows that are as they were loaded (their
 * version is one more now); null: the installation is not as it was loaded, and nothing was done.
 */
export async function beginBranchWrite(
  q: Queryable,
  write: BeginWrite,
): Promise<Array<{ slug: string; incarnation: number }> | null> {
  const { rows } = await q.query<{
    generation: number | null;
    rows: Array<{ slug: string; incarnation: number }>;
  }>({
    name: 'branch-begin',
    text: beginSql,
    values: [
      write.installation,
      write.generation,
      write.branchHead,
      JSON.stringify(write.rows.map(({ preview, blob }) => ({ row: rowFromPreview(preview), blob }))),
      JSON.stringify(write.rows.flatMap(({ events }) => events)),
    ],
  });
  const answer = rows[0];
  return answer === undefined || answer.generation === null ? null : answer.rows;
}

/** One row that is in the branch now. */
interface RowWritten {
  slug: string;
  incarnation: number;
  /** The version that it has unless it changed meanwhile. */
  version: number;
  blob: string | null;
  /** null: the branch was so already. */
  commit: string | null;
  /** Such as `deploy 1a2b3c4`. */
  subject: string;
  /** What the file was made with; null: it was removed. */
  renderedWith: string | null;
}

export interface FinishWrite {
  generation: number;
  head: string;
  rows: RowWritten[];
  jobs: JobSpec[];
}

const finishSql = `
with change as (
  select * from jsonb_to_recordset($3::jsonb)
    as x(slug text, incarnation integer, version bigint, blob text, "commit" text, subject text, "renderedWith" text)
), marked as (
  update preview p set committed_blob = c.blob, committed_at = now(), committed_generation = $1,
    committed_commit = coalesce(c."commit", p.committed_commit, $2), edited_blob = null, commit_after = null,
    rendered_with = coalesce(c."renderedWith", p.rendered_with), template_problem = null, needs_commit = p.version <> c.version, ordered = case when p.version <> c.version then p.ordered end
  from change c where p.slug = c.slug and p.incarnation = c.incarnation
), outlived as (
  -- A push that began on an earlier head cannot land any more.
  delete from branch_write w using change c
  where w.slug = c.slug and w.incarnation = c.incarnation and w.generation < $1
), happened as (
  insert into preview_event (slug, incarnation, kind, detail)
  select slug, incarnation, 'committed', subject || ' in ' || "commit" from change where "commit" is not null
), moved as (
  update installation set branch_head = $2
), seen as (
  insert into branch_commit as b (commit, generation) values ($2, $1)
  on conflict (commit) do update set generation = greatest(b.generation, excluded.generation)
)
select pg_notify('mayfly_branch', $2), case when $4::text is not null then enqueue_jobs($4::json) end`;

/** After a push, in one statement: the rows are marked, the head is recorded and told, follow-up jobs are enqueued. */
export async function finishBranchWrite(q: Queryable, write: FinishWrite): Promise<void> {
  await q.query({
    name: 'branch-finish',
    text: finishSql,
    values: [
      write.generation,
      write.head,
      JSON.stringify(write.rows),
      write.jobs.length === 0 ? null : enqueueArgument(write.jobs),
    ],
  });
}

/** One row whose file could not be written. */
export interface RowFailed {
  /** As it should be saved; its `version` is the one that it has. */
  preview: Preview;
  events: DecisionEvent[];
  /** Try again after this many milliseconds; null: not before something new is wanted. */
  retryMs: number | null;
  /** What the file could not be made with; null: it was not the rendering that failed. */
  renderedWith: string | null;
}

const failSql = `
with change as (
  select c.*, r.retry_ms, r.made_with from jsonb_array_elements($1::jsonb) e,
    jsonb_populate_record(null::preview, e -> 'row') c, jsonb_to_record(e) r(retry_ms bigint, made_with text)
), failed as (
  update preview p set phase = c.phase, wanted_revision = c.wanted_revision, cause = c.cause, message = c.message,
    url = c.url, rendered_with = coalesce(c.made_with, p.rendered_with), template_problem = null, swept_at = null,
    deploying_since = c.deploying_since, waiting_for = c.waiting_for, waiting_since = c.waiting_since, version = p.version + 1,
    needs_commit = c.retry_ms is not null, commit_after = now() + c.retry_ms * interval '1 ms'
  from change c where p.slug = c.slug and p.incarnation = c.incarnation and p.version = c.version
  returning p.slug, p.incarnation, p.committed_generation
), unwritten as (
  -- What the server refused is nowhere: nothing found in the branch can be it.
  delete from branch_write w using failed f
  where w.slug = f.slug and w.incarnation = f.incarnation and w.generation > coalesce(f.committed_generation, 0)
), ${happenedSql('failed', 2)}
select case when $3::text is not null then enqueue_jobs($3::json) end`;

/** Saves that rows failed; one that changed meanwhile is left alone, it is tried again. */
export async function failBranchRows(q: Queryable, rows: RowFailed[], jobs: JobSpec[]): Promise<void> {
  await q.query({
    name: 'branch-fail',
    text: failSql,
    values: [
      JSON.stringify(
        rows.map(({ preview, retryMs, renderedWith }) => ({
          row: rowFromPreview(preview),
          retry_ms: retryMs,
          made_with: renderedWith,
        })),
      ),
      JSON.stringify(rows.flatMap(({ events }) => events)),
      jobs.length === 0 ? null : enqueueArgument(jobs),
    ],
  });
}

/** One row whose file stays as it is. */
export interface RowSettled {
  slug: string;
  incarnation: number;
  /** The version that it has unless it changed meanwhile. */
  version: number;
  events: DecisionEvent[];
  /** What was tried to make the file with, and why that failed; null: it was not rendered. */
  rendered: { with: string | null; problem: string | null } | null;
}

const settleSql = `
with change as (
  select x.*, x.rendered ->> 'with' as made_with, x.rendered ->> 'problem' as problem
  from jsonb_to_recordset($1::jsonb) as x(slug text, incarnation integer, version bigint, rendered jsonb)
), settled as (
  update preview p set needs_commit = false, swept_at = null, ordered = null,
    rendered_with = coalesce(c.made_with, p.rendered_with),
    template_problem = case when c.rendered = 'null' then p.template_problem else c.problem end
  from change c where p.slug = c.slug and p.incarnation = c.incarnation and p.version = c.version
  returning p.slug, p.incarnation
), ${happenedSql('settled', 2)}
select case when $3::text is not null then enqueue_jobs($3::json) end`;

/** Rows that have nothing to write: what stands in the branch is to stay. */
export async function settleBranchRows(q: Queryable, rows: RowSettled[], jobs: JobSpec[]): Promise<void> {
  await q.query({
    name: 'branch-settle',
    text: settleSql,
    values: [
      JSON.stringify(rows),
      JSON.stringify(rows.flatMap(({ events }) => events)),
      jobs.length === 0 ? null : enqueueArgument(jobs),
    ],
  });
}
