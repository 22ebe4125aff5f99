import type { MergeRequestFacts, Wish } from '../preview/facts.js';
import type { Queryable } from './pool.js';

/** A comment with commands; times in epoch milliseconds. */
export interface SpokenRow {
  by: string;
  at: number;
  /** The author had the role that commands need. */
  permitted: boolean;
  /** What its author is told in words; null: the emoji said it all. */
  line: string | null;
  /** What it ordered, in order; empty for one that is not its author's newest. */
  orders: { kind: Wish['kind']; amountMs: number | null }[];
}

/** What is told in a merge request that never had a preview. */
export interface AbsentInput {
  now: number;
  facts: MergeRequestFacts | null;
  /** As `spokenSql` has them; one at least. */
  spoken: SpokenRow[];
  /** Its orders, oldest first. */
  wishes: Wish[];
  note: {
    writtenHash: string | null;
    externalId: number | null;
    creatingSince: number | null;
    detail: Record<string, unknown> | null;
  };
}

/**
 * As `SpokenRow[]`, newest first, of the merge request `$1`, `$2`: of each author the newest, and the newest that was
 * answered in words; one that was passed over in silence is none. Those of members and of others are bounded apart, so
 * that many strangers hide no member.
 */
export const spokenSql = `(
  select coalesce(json_agg(json_build_object('line', a.line, 'by', a.by_name, 'permitted', a.permitted,
      'at', round(extract(epoch from a.at) * 1000), 'orders', case when a.turn > 1 then '[]' else coalesce((
        select json_agg(json_build_object('kind', w.kind, 'amountMs', w.amount_ms) order by w.ordinal)
        from wish w where w.note_id = a.note_id), '[]') end) order by a.at desc, a.note_id desc), '[]')
  from (
    select c.*, row_number() over (partition by c.permitted order by c.at desc, c.note_id desc) as place from (
      select note_id, line, by_name, at, permitted,
        row_number() over (partition by by_name order by at desc, note_id desc) as turn,
        row_number() over (partition by by_name, line is null order by at desc, note_id desc) as turn_of_kind
      from note_answer where project_id = $1 and iid = $2 and (commands > 0 or line is not null)
    ) c where c.turn = 1 or (c.turn_of_kind = 1 and c.line is not null)
  ) a where a.place <= 12)`;

/** Orders as `Wish`, oldest first; `condition` says of which subjects `w`. */
export function wishesSql(condition: string): string {
  return `(
  select coalesce(jsonb_agg(jsonb_build_object('kind', w.kind, 'source', w.source, 'amountMs', w.amount_ms,
      'at', round(extract(epoch from w.at) * 1000), 'by', w.by_name) || coalesce(w.detail, '{}') order by w.at, w.id), '[]')
  from wish w where ${condition})`;
}

const absentSql = `
select json_build_object(
  'now', floor(extract(epoch from clock_timestamp()) * 1000),
  'facts', (select facts from merge_request where project_id = $1 and iid = $2),
  'spoken', ${spokenSql},
  'wishes', ${wishesSql('w.subject = $3')},
  'note', (select json_build_object('writtenHash', written_hash, 'externalId', external_id,
      'creatingSince', round(extract(epoch from creating_since) * 1000), 'detail', detail)
    from projection where kind = 'note' and project_id = $1 and iid = $2)
) as loaded`;

interface Loaded extends Omit<AbsentInput, 'note'> {
  note: AbsentInput['note'] | null;
}

/** Reads it; null when nobody wrote a command there. */
export async function loadAbsentInput(
  q: Queryable,
  { projectId, iid }: { projectId: number; iid: number },
): Promise<AbsentInput | null> {
  const answer = await q.query<{ loaded: Loaded }>({
    name: 'absent-input',
    text: absentSql,
    values: [projectId, iid, `mr:${projectId}:${iid}`],
  });
  const loaded = answer.rows[0]?.loaded;
  if (loaded === undefined || loaded.spoken.length === 0) return null;
  const note = loaded.note ?? { writtenHash: null, externalId: null, creatingSince: null, detail: null };
  return { ...loaded, note };
}
