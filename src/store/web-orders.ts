import type { Wish } from '../preview/facts.js';
import type { Phase } from '../preview/preview.js';
import type { Queryable } from './pool.js';
import { enqueueArgument } from './queue.js';

export interface OperatorOrder {
  slug: string;
  kind: Wish['kind'];
  /** For `extend`; null: the configured TTL. */
  amountMs: number | null;
  /** Of an approval and of a value; null: the order needs nothing more. */
  detail: Pick<Wish, 'sha' | 'key' | 'value'> | null;
  /** The order as the history tells it, such as `extend 2d`. */
  text: string;
  /** Name of the token that gave it. */
  by: string;
}

const running: readonly Phase[] = ['waiting', 'deploying', 'ready', 'failed', 'asleep'];

/** The phases in which an order has a meaning. */
const fitting: Record<OperatorOrder['kind'], readonly Phase[]> = {
  start: ['stopping', 'stopped'],
  stop: running,
  extend: running,
  pin: running,
  unpin: running,
  sleep: running,
  wake: running,
  approve: running,
  set: running,
  unset: running,
  redeploy: ['deploying', 'ready', 'failed', 'asleep'],
};

const subjectSql = `
select subject, phase, incarnation from preview where slug = $1 order by incarnation desc limit 1`;

const wishSql = `
with wished as (
  insert into wish (subject, kind, source, amount_ms, detail, at, by_name)
  values ($1, $2, 'operator', $3, $6, now(), $4)
), happened as (
  insert into preview_event (slug, incarnation, kind, actor, detail) values ($7, $8, 'ordered', $4, $9)
)
select enqueue_jobs($5::json)`;

/**
 * Records an order of an operator for the newest incarnation of a slug and asks for a decision about it. `unknown`:
 * there is no such preview; `unfit`: its phase has no use for the order, and nothing was recorded.
 */
export async function giveOrder(
  q: Queryable,
  order: OperatorOrder,
): Promise<{ outcome: 'given' | 'unfit'; phase: Phase; incarnation: number } | { outcome: 'unknown' }> {
  const found = await q.query<{ subject: string; phase: Phase; incarnation: number }>(subjectSql, [order.slug]);
  const [row] = found.rows;
  if (row === undefined) return { outcome: 'unknown' };
  const { subject, phase, incarnation } = row;
  if (!fitting[order.kind].includes(phase)) return { outcome: 'unfit', phase, incarnation };
  const job = { task: 'decide', key: `decide:${subject}`, payload: { subject } };
  await q.query(wishSql, [
    subject,
    order.kind,
    order.amountMs,
    order.by,
    enqueueArgument([job]),
    order.detail === null ? null : JSON.stringify(order.detail),
    order.slug,
    incarnation,
    order.text,
  ]);
  return { outcome: 'given', phase, incarnation };
}
