import type { Batch, StoredBranchRow } from './branch-batch.js';
import { branchRow } from './branch-batch.js';
import type { Queryable } from './pool.js';
import type { MemberRow } from './preview-rows.js';
import { enqueueArgument, type JobSpec } from './queue.js';

/** What the files of a project are to be made with now. */
export interface WantedRendering {
  project: string;
  fingerprint: string;
}

// A person's edit stays, a stop that is held too, and what waits for the branch is rendered anyway. One index entry a
// project when nothing is to be done.
const staleSql = (wanted: string) => `
  from preview p join ${wanted} w on w.project = p.project
  where p.phase in ('deploying', 'ready', 'failed', 'asleep')
    and (p.rendered_with is null or p.rendered_with < w.fingerprint or p.rendered_with > w.fingerprint)
    and p.edited is null and p.held_stop is null and not p.needs_commit
    and exists (select from preview_member m where m.slug = p.slug and m.incarnation = p.incarnation
      and m.wanted_sha is not null)`;

const wantedSql = '(select * from unnest($1::text[], $2::text[]) as u(project, fingerprint))';

const sweepSql = `
with wanted as ${wantedSql}, finished as (
  update preview set swept_at = null
  where swept_at is not null and not needs_commit and phase <> 'deploying'
), room as (
  select greatest(0, $3::integer - count(*))::integer as places from preview
  where swept_at is not null and (needs_commit or phase = 'deploying')
), picked as (
  -- What failed first: it may be mended.
  select p.slug, p.incarnation ${staleSql('wanted')}
  order by p.phase <> 'failed', p.slug limit (select places from room) for update of p skip locked
), marked as (
  update preview p set needs_commit = true, swept_at = now() from picked k
  where p.slug = k.slug and p.incarnation = k.incarnation returning p.slug
)
select (select count(*) from marked) as count,
  (select enqueue_jobs($4::json) where exists (select from marked)) as enqueued`;

/**
 * Lets the branch writer render again what was made with something else than what holds now: as many as there is room
 * for while `most` may be under way at once. Answers how many.
 */
export async function enqueueStale(
  q: Queryable,
  input: { wanted: readonly WantedRendering[]; most: number; job: JobSpec },
): Promise<number> {
  const { rows } = await q.query<{ count: number }>({
    name: 'template-sweep',
    text: sweepSql,
    values: [...columnsOf(input.wanted), input.most, enqueueArgument([input.job])],
  });
  return rows[0]?.count ?? 0;
}

const countSql = `select count(*) as count ${staleSql(wantedSql)}`;

/** How many previews were made with something else than what holds now. */
export async function countStale(q: Queryable, wanted: readonly WantedRendering[]): Promise<number> {
  const { rows } = await q.query<{ count: number }>(countSql, columnsOf(wanted));
  return rows[0]?.count ?? 0;
}

type StaleRow = Batch['rows'][number];

interface LoadedRow {
  preview: StoredBranchRow;
  members: MemberRow[] | null;
  facts: StaleRow['facts'];
}

const loadedSql = `row_to_json(p) as preview,
  (select json_agg(m order by m.ordinal) from preview_member m
    where m.slug = p.slug and m.incarnation = p.incarnation) as members,
  (select r.facts from preview_member m join merge_request r on r.project_id = m.project_id and r.iid = m.iid
    where m.slug = p.slug and m.incarnation = p.incarnation order by m.ordinal limit 1) as facts`;

const listSql = `select ${loadedSql} ${staleSql(wantedSql)} and p.slug > $3 order by p.slug limit $4`;

/** Those previews, in the order of their slugs, after one of them. */
export async function listStale(
  q: Queryable,
  input: { wanted: readonly WantedRendering[]; after: string; limit: number },
): Promise<StaleRow[]> {
  const { rows } = await q.query<LoadedRow>(listSql, [...columnsOf(input.wanted), input.after, input.limit]);
  return rows.map(fromLoaded);
}

function fromLoaded(row: LoadedRow): StaleRow {
  return {
    ...branchRow(row.preview, row.members),
    facts: row.facts,
    templateProblem: row.preview.template_problem,
    isSucceeded: false,
  };
}

function columnsOf(wanted: readonly WantedRendering[]): [string[], string[]] {
  return [wanted.map(({ project }) => project), wanted.map(({ fingerprint }) => fingerprint)];
}
