import type { Queryable } from './pool.js';
import { enqueueArgument } from './queue.js';

const livesSql = `exists (select from preview_member m join preview p using (slug, incarnation)
    where m.project_id = n.project_id and m.iid = n.iid and p.phase not in ('stopping', 'stopped'))`;

/** What stands there is not known any more, so that feedback looks. Only where a preview lives: others stay removed. */
const doubtSql = (condition: string) => `
  update projection n set written_hash = null
  where n.kind = 'note' and n.project_id = $1 and n.external_id is not null and ${condition} and ${livesSql}
  returning n.iid`;

const enqueueSql = `
select enqueue_jobs(list) from (
  select json_agg(json_build_object('task', 'feedback', 'key', 'feedback:' || $1 || ':' || iid, 'priority', 0,
    'payload', json_build_object('projectId', $1::bigint, 'iid', iid))) as list from doubted) gathered
where list is not null`;

/** Has feedback look whether Mayfly's note still stands in a merge request whose preview lives. */
export async function doubtNote(q: Queryable, input: { projectId: number; iid: number }): Promise<void> {
  await q.query(`with doubted as (${doubtSql('n.iid = $2')}) ${enqueueSql}`, [input.projectId, input.iid]);
}

const countedSql = `
with listed as (
  select * from json_to_recordset($2::json) as l(iid int, notes int)
), known as materialized (
  -- In the order of the numbers, as everybody locks them.
  select m.iid, m.note_count as before, l.notes from merge_request m join listed l using (iid)
  where m.project_id = $1 and m.note_count is distinct from l.notes order by m.iid for update of m
), counted as (
  update merge_request m set note_count = k.notes from known k where m.project_id = $1 and m.iid = k.iid
), doubted as (${doubtSql('n.iid in (select iid from known where notes < before)')}
) ${enqueueSql}`;

/**
 * GitLab tells nobody that a comment was removed, but counts them in its listings: where one shows fewer than the one
 * before, it may be Mayfly's note that is gone.
 */
export async function noticeRemoved(
  q: Queryable,
  input: { projectId: number; listed: readonly { iid: number; noteCount: number | null }[] },
): Promise<void> {
  const rows = input.listed.flatMap(({ iid, noteCount }) => (noteCount === null ? [] : [{ iid, notes: noteCount }]));
  if (rows.length > 0) await q.query(countedSql, [input.projectId, JSON.stringify(rows)]);
}

const refreshSql = `
select enqueue_jobs($3::json) where exists (select from note_answer where project_id = $1 and iid = $2)`;

/**
 * Has what the note says be told anew where somebody wrote a command: of a merge request without a preview no row
 * changes. By the commands, not by the note, which may be on its way with what was true before.
 */
export async function refreshNote(q: Queryable, { projectId, iid }: { projectId: number; iid: number }): Promise<void> {
  const job = { task: 'feedback', key: `feedback:${projectId}:${iid}`, payload: { projectId, iid } };
  await q.query(refreshSql, [projectId, iid, enqueueArgument([job])]);
}
