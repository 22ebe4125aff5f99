import type { MergeRequestFacts, Wish } from '../preview/facts.js';
import type { Queryable } from './pool.js';

/** The newest comment with commands of a merge request; times in epoch milliseconds. */
export interface SpokenRow {
  by: string;
  at: number;
  /** What its author is told in words; null: the emoji said it all. */
  line: string | null;
  /** What it ordered, in order. */
  orders: { kind: Wish['kind']; amountMs: number | null }[];
}

/** What is told in a merge request that never had a preview. */
export interface AbsentInput {
  now: number;
  facts: MergeRequestFacts | null;
  spoken: SpokenRow;
  /** Its orders, oldest first. */
  wishes: Wish[];
  note: {
    writtenHash: string | null;
    externalId: number | null;
    creatingSince: number | null;
    detail: Record<string, unknown> | null;
  };
}

/** As `SpokenRow`, of the merge request `$1`, `$2`; one that was passed over in silence is none. */
export const spokenSql = `(
  select json_build_object('line', a.line, 'by', a.by_name, 'at', round(extract(epoch from a.at) * 1000),
    'orders', coalesce((select json_agg(json_build_object('kind', w.kind, 'amountMs', w.amount_ms) order by w.ordinal)
      from wish w where w.note_id = a.note_id), '[]'))
  from note_answer a where a.project_id = $1 and a.iid = $2 and (a.commands > 0 or a.line is not null)
  order by a.at desc, a.note_id desc limit 1)`;

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

interface Loaded extends Omit<AbsentInput, 'spoken' | 'note'> {
  spoken: SpokenRow | null;
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
  if (loaded === undefined || loaded.spoken === null) return null;
  const note = loaded.note ?? { writtenHash: null, externalId: null, creatingSince: null, detail: null };
  return { ...loaded, spoken: loaded.spoken, note };
}
