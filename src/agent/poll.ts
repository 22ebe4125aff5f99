import { isAppError } from '../error/app-error.js';
import type { Logger } from '../log/create-logger.js';
import type { Order, OrderOutcome, Poll, PollAnswer } from '../protocol/poll.js';
import { type CarryOutDeps, carryOut } from './carry-out.js';
import type { Deletions } from './deletions.js';
import { type BranchFollower, breakerReport } from './follow.js';
import type { PreviewState } from './preview-state.js';

export interface PollDeps extends CarryOutDeps {
  poll(body: Poll, signal: AbortSignal): Promise<PollAnswer>;
  /** Tells the manager once more what was last seen. */
  repeat(pair: { slug: string; incarnation: number }): void;
  previews: ReadonlyMap<string, PreviewState>;
  follower: BranchFollower;
  deletions: Deletions;
  paused(): Poll['paused'];
  log: Logger;
}

/** The regular word with the manager: who lives here, what is held; and the orders of people. */
export interface Poller {
  /** Returns whether orders were carried out, which the next poll acknowledges. Never rejects but for a bug. */
  run(signal: AbortSignal): Promise<boolean>;
}

export function createPoller(deps: PollDeps): Poller {
  /** Carried out and not yet acknowledged: an order that is repeated meanwhile is not carried out twice. */
  const carriedOut = new Map<number, OrderOutcome | null>();
  const refused = new Set<number>();

  async function carryOutOne(order: Order, signal: AbortSignal): Promise<boolean> {
    const { id, kind, slug = null, by } = order;
    const result = await carryOut(deps, order, signal);
    if (result === null) {
      deps.log.warn({ order: kind, slug }, 'order not supported by this agent');
      refused.add(id);
      return false;
    }
    const { done, detail } = result;
    if (done) deps.log.info({ order: kind, slug, project: order.project ?? null, by, detail }, 'order carried out');
    else deps.log.warn({ order: kind, slug, by, detail }, 'order not carried out: there was nothing to do');
    carriedOut.set(id, detail === null ? null : { id, done, detail: detail.slice(0, 2_000) });
    return true;
  }

  async function carryOutAll(orders: Order[], signal: AbortSignal): Promise<boolean> {
    let any = false;
    for (const order of orders) {
      if (carriedOut.has(order.id) || refused.has(order.id)) continue;
      try {
        any = (await carryOutOne(order, signal)) || any;
      } catch (error) {
        if (signal.aborted || !isAppError(error)) throw error;
        // It is repeated with the next poll; the orders after it need not wait for it.
        deps.log.warn({ order: order.kind, code: error.code, data: error.data }, 'order failed; it is tried again');
      }
    }
    return any;
  }

  return {
    async run(signal) {
      const acknowledged = [...carriedOut.keys()].slice(0, 1_000);
      const outcomes = acknowledged.flatMap((id) => carriedOut.get(id) ?? []);
      try {
        const body = pollBody(deps, { acknowledged, outcomes });
        const { orders, unheard } = await deps.poll(body, signal);
        for (const pair of unheard) deps.repeat(pair);
        const repeated = new Set(orders.map(({ id }) => id));
        const any = await carryOutAll(orders, signal);
        // What the manager no longer repeats, it has heard.
        for (const id of acknowledged) if (!repeated.has(id)) carriedOut.delete(id);
        return any;
      } catch (error) {
        if (signal.aborted) return false;
        if (!isAppError(error)) throw error;
        deps.log.warn({ code: error.code, data: error.data }, 'manager not polled');
        return false;
      }
    },
  };
}

function pollBody(deps: PollDeps, orders: Pick<Poll, 'acknowledged' | 'outcomes'>): Poll {
  const living: Poll['living'] = [];
  for (const { slug, inventories, states } of deps.previews.values()) {
    for (const incarnation of inventories.keys()) {
      living.push({ slug, incarnation, state: states.get(incarnation) ?? 'applying' });
    }
  }
  return {
    branchCommit: deps.follower.head(),
    living,
    orphans: deps
      .orphans()
      .map(({ namespace, slug, incarnation }) => ({ namespace, slug, incarnation }))
      .slice(0, 10_000),
    breaker: breakerReport(deps.follower.guard(), deps.deletions.held(), living.length),
    paused: deps.paused(),
    ...orders,
  };
}
