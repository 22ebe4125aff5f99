import type { Wish } from '../preview/facts.js';
import type { Queryable } from './pool.js';
import { enqueueArgument, type JobSpec } from './queue.js';

interface MergeRequestKey {
  projectId: number;
  iid: number;
}

const stateSql = `
select coalesce(m.notes_seen, 0) as seen, coalesce((
  select json_agg(json_build_object('noteId', h.id, 'recent', exists (
    select from delivery d where d.received_at > now() - interval '2 minutes' and d.event = 'note'
      and d.project_id = $1 and (d.facts ->> 'noteId')::bigint = h.id)) order by h.id)
  from unnest(m.notes_hinted) h(id)), '[]') as hinted
from (select) one left join merge_request m on m.project_id = $1 and m.iid = $2`;

/** Which comments of a merge request were looked at, and which a webhook named since. */
export async function loadNoteState(
  q: Queryable,
  key: MergeRequestKey,
): Promise<{ seen: number; hinted: { noteId: number; recent: boolean }[] }> {
  const answer = await q.query<{ seen: number; hinted: { noteId: number; recent: boolean }[] }>(stateSql, [
    key.projectId,
    key.iid,
  ]);
  return answer.rows[0] ?? { seen: 0, hinted: [] };
}

type WrittenRow = Pick<HandledNoteToSave, 'by' | 'at' | 'commands' | 'permitted'>;

/** Comments with commands that were written after a time, in epoch milliseconds; see `HandledNoteToSave`. */
export async function writtenSince(q: Queryable, input: MergeRequestKey & { after: number }): Promise<WrittenRow[]> {
  const answer = await q.query<WrittenRow>(
    `select by_name as "by", round(extract(epoch from at) * 1000)::float8 as at, commands, permitted from note_answer
     where project_id = $1 and iid = $2 and at > to_timestamp($3::float8 / 1000)`,
    [input.projectId, input.iid, input.after],
  );
  return answer.rows;
}

/** What was made of one comment; times in epoch milliseconds. */
export interface HandledNoteToSave {
  noteId: number;
  at: number;
  by: string;
  wishes: readonly {
    kind: Wish['kind'];
    amountMs: number | null;
    ordinal: number;
    detail: Pick<Wish, 'sha' | 'key' | 'value'> | null;
    /** The order as the history tells it. */
    text: string;
  }[];
  /** How many it held; 0: it came over the limit. */
  commands: number;
  /** The author had the role that commands need. */
  permitted: boolean;
  /** `emoji` null: none is owed. */
  answer: { emoji: 'thumbsup' | 'thumbsdown' | null; line: string | null } | null;
}

const handledSql = `
with handled as (
  select * from json_to_recordset($3::json)
    as h("noteId" bigint, at float8, "by" text, wishes json, commands int, permitted boolean, emoji text, line text)
), fresh as materialized (
  insert into note_answer (note_id, project_id, iid, emoji, line, by_name, at, commands, permitted, answered_at)
  select "noteId", $1, $2, coalesce(emoji, 'thumbsdown'), line, "by", to_timestamp(at / 1000), commands, permitted,
    case when emoji is null then now() end
  from handled order by "noteId"
  -- A GitLab that was restored gives the numbers of lost comments to new ones.
  on conflict (note_id) do update set project_id = excluded.project_id, iid = excluded.iid, emoji = excluded.emoji,
    line = excluded.line, by_name = excluded.by_name, at = excluded.at, commands = excluded.commands,
    permitted = excluded.permitted, answered_at = excluded.answered_at
  where (note_answer.project_id, note_answer.iid, note_answer.at)
    is distinct from (excluded.project_id, excluded.iid, excluded.at)
  returning note_id
), wished as (
  insert into wish (subject, kind, source, amount_ms, detail, at, by_name, note_id, ordinal)
  select 'mr:' || $1 || ':' || $2, w.kind, 'command', w."amountMs", w.detail, to_timestamp(h.at / 1000), h."by", h."noteId", w.ordinal
  from handled h join fresh f on f.note_id = h."noteId",
    json_to_recordset(h.wishes) as w(kind text, "amountMs" bigint, detail jsonb, ordinal int)
  order by h."noteId", w.ordinal
  on conflict (note_id, ordinal) do update set subject = excluded.subject, kind = excluded.kind,
    amount_ms = excluded.amount_ms, detail = excluded.detail, at = excluded.at, by_name = excluded.by_name
  returning 1
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail)
  select p.slug, p.incarnation, 'ordered', h."by", w.text
  from handled h join fresh f on f.note_id = h."noteId", json_to_recordset(h.wishes) as w(text text, ordinal int),
    (select slug, incarnation from (
      select slug, incarnation, created_at from preview where subject = 'mr:' || $1 || ':' || $2
      union select slug, incarnation, created_at from preview join preview_member m using (slug, incarnation)
      where m.project_id = $1 and m.iid = $2
    ) newest order by created_at desc, incarnation desc limit 1) p
  order by h."noteId", w.ordinal
), seen as (
  insert into merge_request as m (project_id, iid, notes_seen) values ($1, $2, $4)
  on conflict (project_id, iid) do update set
    notes_seen = greatest(m.notes_seen, excluded.notes_seen),
    notes_hinted = array(select id from unnest(m.notes_hinted) id where id <> all ($5::bigint[]))
  returning 1
), enqueued as (
  -- After \`seen\`: rows are locked before jobs, as decisions do, for the other order could deadlock.
  select enqueue_jobs($6::json) where exists (select from seen) and exists (select from wished)
  union all select enqueue_jobs($7::json) where exists (select from seen) and exists (select from fresh)
)
select (select count(*) from enqueued) as enqueued`;

/**
 * Saves what comments order and how they are answered, and how far the reading has come, all or none. A comment that
 * was handled before changes nothing. New orders enqueue the decision, new answers the note.
 */
export async function saveHandledNotes(
  q: Queryable,
  input: MergeRequestKey & { seen: number; handled: readonly HandledNoteToSave[]; settled: readonly number[] },
): Promise<void> {
  const { projectId, iid } = input;
  const rows = input.handled.flatMap(({ answer, ...note }) => (answer === null ? [] : [{ ...note, ...answer }]));
  const subject = `mr:${projectId}:${iid}`;
  await q.query(handledSql, [
    projectId,
    iid,
    JSON.stringify(rows),
    input.seen,
    input.settled,
    enqueueArgument([{ task: 'decide', key: `decide:${subject}`, payload: { subject } }]),
    enqueueArgument([feedbackJob(input)]),
  ]);
}

function feedbackJob(key: MergeRequestKey): JobSpec {
  return {
    task: 'feedback',
    key: `feedback:${key.projectId}:${key.iid}`,
    payload: { projectId: key.projectId, iid: key.iid },
  };
}

/** Emoji that are still to be put on comments, the oldest first. */
export async function openAnswers(q: Queryable, key: MergeRequestKey): Promise<{ noteId: number; emoji: string }[]> {
  const answer = await q.query<{ noteId: number; emoji: string }>(
    `select note_id as "noteId", emoji from note_answer
     where project_id = $1 and iid = $2 and answered_at is null order by note_id`,
    [key.projectId, key.iid],
  );
  return answer.rows;
}

export async function markAnswered(q: Queryable, input: { noteId: number }): Promise<void> {
  await q.query('update note_answer set answered_at = now() where note_id = $1', [input.noteId]);
}
