import type { Queryable } from './pool.js';

/** `limits.previews` of all previews together, and of each project or group by its name. */
export interface SlotLimits {
  total: number;
  projects: ReadonlyMap<string, number>;
}

/**
 * Common table expressions that end with `line`: slug, incarnation, place and length of everybody who waits for a slot.
 * Whose own project is full stands in the line of that project; all others stand in the one for the slots of all.
 * `limits`: the parameter that `limitsArgument` fills; with null every project has a line of its own.
 */
export function lineSql(limits: string): string {
  return `
    standing as (
      select w.slug, w.incarnation, w.waiting_since,
        case when ${limits}::jsonb is null
          or coalesce(u.used, 0) >= coalesce((${limits}::jsonb ->> w.project)::bigint, 0) then w.project end as line_of
      from preview w left join slot_use u using (project) where w.phase = 'waiting' and w.waiting_for = 'slot'
    ), line as (
      select slug, incarnation, row_number() over (partition by line_of order by waiting_since, slug)::int as place,
        (count(*) over (partition by line_of))::int as length
      from standing
    )`;
}

export function limitsArgument(limits: SlotLimits | null): string | null {
  return limits === null ? null : JSON.stringify(Object.fromEntries(limits.projects));
}

const staleSql = `
with ${lineSql('$1')}
select m.project_id as "projectId", m.iid
from line l join preview_member m using (slug, incarnation)
join projection n on n.kind = 'note' and n.project_id = m.project_id and n.iid = m.iid
where n.external_id is not null
  and n.detail -> 'line' is distinct from jsonb_build_object('place', l.place, 'length', l.length)
order by l.place, l.slug, m.iid limit $2`;

/** Merge requests whose note names another place in a line than their preview has now, the first in line first. */
export async function staleLines(
  q: Queryable,
  input: { limits: SlotLimits; limit: number },
): Promise<{ projectId: number; iid: number }[]> {
  const values = [limitsArgument(input.limits), input.limit];
  return (await q.query<{ projectId: number; iid: number }>(staleSql, values)).rows;
}
