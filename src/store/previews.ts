import type { Preview } from '../preview/preview.js';
import type { Queryable } from './pool.js';
import { type MemberRow, type PreviewRow, previewFromRow } from './preview-rows.js';

const readSql = `
  select row_to_json(p) as preview, (
    select json_agg(m order by m.ordinal) from preview_member m
    where m.slug = p.slug and m.incarnation = p.incarnation) as members
  from preview p join unnest($1::text[], $2::integer[]) w(slug, incarnation) using (slug, incarnation)`;

/** Incarnations by slug and number, in no order; those that do not exist are left out. */
export async function readPreviews(
  q: Queryable,
  pairs: readonly { slug: string; incarnation: number }[],
): Promise<Preview[]> {
  const answer = await q.query<{ preview: PreviewRow; members: MemberRow[] | null }>(readSql, [
    pairs.map((pair) => pair.slug),
    pairs.map((pair) => pair.incarnation),
  ]);
  return answer.rows.map((row) => previewFromRow(row.preview, row.members ?? []));
}
