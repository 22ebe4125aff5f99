import type { MergeRequestFacts } from '../preview/facts.js';
import type { Preview } from '../preview/preview.js';
import type { InstallationRow } from './branch-installation.js';
import type { Queryable } from './pool.js';
import { type MemberRow, type PreviewRow, previewFromRow } from './preview-rows.js';

/** A row with what the branch has of it. */
export interface BranchRow {
  preview: Preview;
  needsCommit: boolean;
  /** What was last written for it; null: nothing, or it was removed. */
  committedBlob: string | null;
  committedGeneration: number | null;
  /** What a person made of it; null: it is as it was written. */
  editedBlob: string | null;
}

/** A row whose file may differ from it. */
interface BatchRow extends BranchRow {
  /** The newest that GitLab said of its merge request. */
  facts: MergeRequestFacts | null;
  /** Why the template gives no file for it, though an earlier one stays deployed; null: it does. */
  templateProblem: string | null;
  /** A later incarnation has a file of its own, or is about to: this one has no say in it any more. */
  isSucceeded: boolean;
}

export interface Batch {
  installation: InstallationRow | null;
  rows: BatchRow[];
  /** PostgreSQL's clock, milliseconds since the epoch. */
  now: number;
}

export interface StoredBranchRow extends PreviewRow {
  needs_commit: boolean;
  committed_blob: string | null;
  committed_generation: number | null;
  edited_blob: string | null;
  template_problem: string | null;
}

interface LoadedBatch {
  installation: InstallationRow | null;
  now: number;
  rows: Array<{
    preview: StoredBranchRow;
    members: MemberRow[] | null;
    facts: MergeRequestFacts | null;
    is_succeeded: boolean;
  }> | null;
}

const loadSql = `
  select json_build_object(
    'now', extract(epoch from clock_timestamp()) * 1000,
    'installation', (select json_build_object('id', id, 'generation', generation, 'branchHead', branch_head,
      'blockedReason', blocked_reason) from installation),
    'rows', (select json_agg(json_build_object(
      'preview', row_to_json(p),
      'members', (select json_agg(m order by m.ordinal) from preview_member m
        where m.slug = p.slug and m.incarnation = p.incarnation),
      'facts', (select r.facts from preview_member m
        join merge_request r on r.project_id = m.project_id and r.iid = m.iid
        where m.slug = p.slug and m.incarnation = p.incarnation order by m.ordinal limit 1),
      -- One that has not begun, or ended before it did, writes no file, and removes none that an earlier one left.
      'is_succeeded', exists (select from preview n where n.slug = p.slug and n.incarnation > p.incarnation
        and (n.needs_commit or n.phase not in ('waiting', 'stopped')))))
      from (select * from preview
        where needs_commit and (commit_after is null or commit_after <= now() or phase not in ('stopping', 'stopped', 'failed'))
        order by slug, incarnation limit $1) p)
  ) as batch`;

/** Rows that wait for the branch writer, and the installation, in one round trip. */
export async function loadBatch(q: Queryable, limit: number): Promise<Batch> {
  const { rows } = await q.query<{ batch: LoadedBatch }>({ name: 'branch-batch', text: loadSql, values: [limit] });
  const batch = rows[0]?.batch;
  if (batch === undefined) throw new Error('a query of one row answered none');
  return {
    installation: batch.installation,
    now: Math.floor(batch.now),
    rows: (batch.rows ?? []).map((row) => ({
      ...branchRow(row.preview, row.members),
      facts: row.facts,
      templateProblem: row.preview.template_problem,
      isSucceeded: row.is_succeeded,
    })),
  };
}

export function branchRow(row: StoredBranchRow, members: MemberRow[] | null): BranchRow {
  return {
    preview: previewFromRow(row, members ?? []),
    needsCommit: row.needs_commit,
    committedBlob: row.committed_blob,
    committedGeneration: row.committed_generation,
    editedBlob: row.edited_blob,
  };
}

const pendingSql = `
  select exists (select from preview where needs_commit and (commit_after is null or commit_after <= now())) as pending`;

/** Whether a row waits for the branch writer. */
export async function hasPendingCommits(q: Queryable): Promise<boolean> {
  const { rows } = await q.query<{ pending: boolean }>(pendingSql);
  return rows[0]?.pending === true;
}

const pendingSubjectsSql = `
  select distinct subject from preview where needs_commit and (commit_after is null or commit_after <= now()) order by subject`;

/** Whose rows wait for the branch writer. */
export async function pendingSubjects(q: Queryable): Promise<string[]> {
  return (await q.query<{ subject: string }>(pendingSubjectsSql)).rows.map(({ subject }) => subject);
}
