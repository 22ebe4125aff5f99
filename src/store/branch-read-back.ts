import type pg from 'pg';
import type { DecisionEvent } from '../preview/decision.js';
import type { Preview } from '../preview/preview.js';
import { type BranchRow, branchRow, type StoredBranchRow } from './branch-batch.js';
import { inTransaction, type Queryable } from './pool.js';
import { type MemberRow, rowFromPreview } from './preview-rows.js';
import { enqueueArgument, type JobSpec } from './queue.js';
import { lockSubject } from './slots.js';

/** What the database knows of one file of the branch. */
interface KnownFile {
  slug: string;
  /** The row that lives, else the newest that ended; null: no preview ever had this slug. */
  row: BranchRow | null;
  /** What was about to be written for that row, the newest first. */
  writes: Array<{ blob: string | null; generation: number }>;
}

interface LoadedFile {
  preview: StoredBranchRow;
  members: MemberRow[] | null;
  writes: KnownFile['writes'] | null;
}

const loadSql = `
  select row_to_json(p) as preview,
    (select json_agg(m order by m.ordinal) from preview_member m
      where m.slug = p.slug and m.incarnation = p.incarnation) as members,
    (select json_agg(json_build_object('blob', w.blob, 'generation', w.generation) order by w.generation desc)
      from branch_write w where w.slug = p.slug and w.incarnation = p.incarnation) as writes
  from preview p
  where p.incarnation = (select max(n.incarnation) from preview n where n.slug = p.slug)
    and (p.slug = any($1::text[]) or ($2 and (p.phase <> 'stopped' or p.committed_blob is not null)))
  order by p.slug`;

/** What is known of the files with these slugs; with `all`, of every file that should stand in the branch as well. */
async function loadKnownFiles(q: Queryable, slugs: readonly string[], all: boolean): Promise<KnownFile[]> {
  const { rows } = await q.query<LoadedFile>({ name: 'branch-known', text: loadSql, values: [slugs, all] });
  const known = rows.map((row) => ({
    slug: row.preview.slug,
    row: branchRow(row.preview, row.members),
    writes: row.writes ?? [],
  }));
  const withRow = new Set(known.map(({ slug }) => slug));
  return [...known, ...slugs.filter((slug) => !withRow.has(slug)).map((slug) => ({ slug, row: null, writes: [] }))];
}

/** Keeps decisions about these subjects waiting until the transaction ends. Sorted: two callers never wait in a ring. */
async function lockSubjects(transaction: Queryable, subjects: readonly string[]): Promise<void> {
  for (const subject of [...new Set(subjects)].sort()) await lockSubject(transaction, subject);
}

/** What the read-back of one file found. */
interface FileEffect {
  slug: string;
  /** The row with its changes; null: none. Its `version` is the one that was loaded. */
  row: {
    preview: Preview;
    events: DecisionEvent[];
    needsCommit: boolean;
    committedBlob: string | null;
    committedGeneration: number | null;
    editedBlob: string | null;
    /** A commit for this row waits so long; null: it does not. */
    commitAfterMs: number | null;
  } | null;
  /** A removed file is a wish to stop, one that came back a wish to start. */
  wish: { subject: string; kind: 'start' | 'stop'; by: string } | null;
  /** The file is nobody's that Mayfly knows: its blob; null: it is not, or not any more. */
  foreignBlob: string | null;
}

interface ReadBackSave {
  head: string;
  effects: FileEffect[];
  /** What a person should know; null: nothing new. */
  notice: string | null;
  jobs: JobSpec[];
}

const saveSql = `
with change as (
  select c.*, r.needs_commit as again, r.committed_blob as blob, r.committed_generation as generation,
    r.edited_blob as edit, r.commit_after_ms as after_ms
  from jsonb_array_elements($1::jsonb) e, jsonb_populate_record(null::preview, e -> 'row') c,
    jsonb_to_record(e) r(needs_commit boolean, committed_blob text, committed_generation bigint, edited_blob text,
      commit_after_ms bigint)
), saved as (
  update preview p set phase = c.phase, wanted_revision = c.wanted_revision, waiting_for = c.waiting_for,
    waiting_since = c.waiting_since, cause = c.cause, message = c.message, deploying_since = c.deploying_since,
    edited = c.edited, version = p.version + 1, needs_commit = c.again, committed_blob = c.blob,
    committed_generation = c.generation, edited_blob = c.edit,
    committed_at = case when c.blob is distinct from p.committed_blob then now() else p.committed_at end,
    commit_after = now() + c.after_ms * interval '1 ms'
  from change c where p.slug = c.slug and p.incarnation = c.incarnation
), happened as (
  insert into preview_event (slug, incarnation, kind, from_phase, to_phase, actor, detail)
  select slug, incarnation, kind, "from", "to", actor, detail
  from jsonb_to_recordset($2::jsonb)
    as x(slug text, incarnation integer, kind text, "from" text, "to" text, actor text, detail text)
), wished as (
  insert into wish (subject, kind, source, at, by_name)
  select subject, kind, 'git', now(), "by" from jsonb_to_recordset($3::jsonb) as x(subject text, kind text, "by" text)
), foreign_now as (
  insert into foreign_file as f (slug, blob)
  select slug, blob from jsonb_to_recordset($4::jsonb) as x(slug text, blob text) where blob is not null
  on conflict (slug) do update set blob = excluded.blob, seen_at = now() where f.blob <> excluded.blob
), foreign_gone as (
  delete from foreign_file f using jsonb_to_recordset($4::jsonb) as x(slug text, blob text)
  where f.slug = x.slug and x.blob is null
), moved as (
  update installation set branch_head = $5, notice = coalesce($6, notice),
    notice_at = case when $6::text is null then notice_at else now() end
  returning generation
), seen as (
  insert into branch_commit (commit, generation) select $5, generation from moved on conflict do nothing
)
select pg_notify('mayfly_branch', $5), case when $7::text is not null then enqueue_jobs($7::json) end`;

export interface ReadBack extends Omit<ReadBackSave, 'effects' | 'jobs'> {
  /** Files that changed. */
  slugs: string[];
  /** All files that should stand in the branch, and all that were listed as a stranger's, as well. */
  all: boolean;
  /** Says what follows, from rows that nobody else changes meanwhile. `now`: PostgreSQL's, in milliseconds. */
  judge(known: KnownFile[], now: number): Promise<{ results: FileEffect[]; jobs: JobSpec[] }>;
}

const foreignSql = 'select slug from foreign_file';
const nowSql = 'select floor(extract(epoch from clock_timestamp()) * 1000)::float8 as now';

/** Takes in what people did to the branch, in one transaction. */
export async function readBackBranch(pool: pg.Pool, input: ReadBack): Promise<void> {
  await inTransaction(pool, async (transaction) => {
    const foreign = input.all ? (await transaction.query<{ slug: string }>(foreignSql)).rows : [];
    const slugs = [...new Set([...input.slugs, ...foreign.map(({ slug }) => slug)])];
    const unlocked = await loadKnownFiles(transaction, slugs, input.all);
    await lockSubjects(
      transaction,
      unlocked.flatMap(({ row }) => (row === null ? [] : [row.preview.subject])),
    );
    const known = await loadKnownFiles(transaction, slugs, input.all);
    const now = (await transaction.query<{ now: number }>(nowSql)).rows[0]?.now ?? 0;
    const { results, jobs } = await input.judge(known, now);
    await saveReadBack(transaction, { head: input.head, notice: input.notice, effects: results, jobs });
  });
}

/** Saves what the read-back found up to a head, in one statement of the transaction that loaded and locked the rows. */
async function saveReadBack(transaction: Queryable, save: ReadBackSave): Promise<void> {
  const rows = save.effects.flatMap(({ row }) => (row === null ? [] : [row]));
  await transaction.query({
    name: 'branch-read-back',
    text: saveSql,
    values: [
      JSON.stringify(
        rows.map((row) => ({
          row: rowFromPreview(row.preview),
          needs_commit: row.needsCommit,
          committed_blob: row.committedBlob,
          committed_generation: row.committedGeneration,
          edited_blob: row.editedBlob,
          commit_after_ms: row.commitAfterMs,
        })),
      ),
      JSON.stringify(rows.flatMap(({ events }) => events)),
      JSON.stringify(save.effects.flatMap(({ wish }) => (wish === null ? [] : [wish]))),
      JSON.stringify(save.effects.map(({ slug, foreignBlob }) => ({ slug, blob: foreignBlob }))),
      save.head,
      save.notice,
      save.jobs.length === 0 ? null : enqueueArgument(save.jobs),
    ],
  });
}
