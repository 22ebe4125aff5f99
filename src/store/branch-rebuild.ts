import type pg from 'pg';
import type { Preview } from '../preview/preview.js';
import type { Queryable } from './pool.js';
import { inTransaction } from './pool.js';
import { type MemberRow, type PreviewRow, previewFromRow } from './preview-rows.js';
import { enqueueArgument, type JobSpec } from './queue.js';
import { saveSubject } from './subject-save.js';

export interface Rebuild {
  installation: { id: string; generation: number; branchHead: string };
  ended: readonly Preview[];
  rows: readonly { preview: Preview; blob: string }[];
  missing: readonly Preview[];
  /** The highest incarnation that the branch's history names of each slug: none at or below it may come again. */
  incarnations: ReadonlyMap<string, number>;
  jobs: readonly JobSpec[];
}

const livingSql = `
  select row_to_json(p) as preview, (
    select json_agg(m order by m.ordinal) from preview_member m
    where m.slug = p.slug and m.incarnation = p.incarnation) as members
  from preview p where p.phase <> 'stopped'`;

/** Rows that have not ended, of all projects. */
export async function readLiving(q: Queryable): Promise<Preview[]> {
  const answer = await q.query<{ preview: PreviewRow; members: MemberRow[] | null }>(livingSql);
  return answer.rows.map((row) => previewFromRow(row.preview, row.members ?? []));
}

// A generation of the database that is higher stays: numbers never go back.
const installationSql = `
  insert into installation as i (id, generation, branch_head, blocked_reason) values ($1, $2, $3, null)
  on conflict (singleton) do update set id = excluded.id, generation = greatest(i.generation, excluded.generation),
    branch_head = excluded.branch_head, blocked_reason = null`;

// The write is recorded as well: a row of which no push was ever begun would end without its file being removed.
const committedSql = `
  with written as (
    insert into branch_write (slug, incarnation, blob, generation) values ($1, $2, $3, $4)
  )
  update preview set committed_blob = $3, committed_at = now(), committed_generation = $4, edited_blob = null,
    needs_commit = false
  where slug = $1 and incarnation = $2`;

const incarnationsSql = `
  insert into slug as s (slug, last_incarnation) select * from unnest($1::text[], $2::integer[])
  on conflict (slug) do update set last_incarnation = greatest(s.last_incarnation, excluded.last_incarnation)`;

/** Saves what was made of the branch, all or nothing, and has every row decided about. */
export async function saveRebuild(pool: pg.Pool, rebuild: Rebuild): Promise<void> {
  const { id, generation, branchHead } = rebuild.installation;
  await inTransaction(pool, async (transaction) => {
    await transaction.query('lock table preview in share row exclusive mode');
    await transaction.query(installationSql, [id, generation, branchHead]);
    for (const preview of [...rebuild.ended, ...rebuild.missing]) await save(transaction, preview, 'rebuilt');
    for (const { preview, blob } of rebuild.rows) {
      await save(transaction, preview, 'rebuilt');
      await transaction.query(committedSql, [preview.slug, preview.incarnation, blob, generation]);
    }
    await transaction.query(incarnationsSql, [[...rebuild.incarnations.keys()], [...rebuild.incarnations.values()]]);
    await transaction.query('select enqueue_jobs($1::json)', [enqueueArgument(rebuild.jobs)]);
  });
}

async function save(transaction: Queryable, preview: Preview, detail: string): Promise<void> {
  const { slug, incarnation, phase } = preview;
  const event = { slug, incarnation, kind: 'created' as const, from: null, to: phase, actor: null, detail };
  await saveSubject(transaction, {
    ended: null,
    preview,
    events: [event],
    needsCommit: false,
    openedGates: [],
    images: [],
    jobs: [],
  });
}
