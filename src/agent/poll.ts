import { isAppError } from '../error/app-error.js';
import type { Logger } from '../log/create-logger.js';
import type { Order, Poll, PollAnswer } from '../protocol/poll.js';
import type { Deletions } from './deletions.js';
import { type BranchFollower, breakerReport } from './follow.js';
import type { LiveObjects } from './live/live-objects.js';
import type { PreviewState } from './preview-state.js';

export interface PollDeps {
  poll(body: Poll, signal: AbortSignal): Promise<PollAnswer>;
  /** Tells the manager once more what was last seen. */
  repeat(pair: { slug: string; incarnation: number }): void;
  previews: ReadonlyMap<string, PreviewState>;
  follower: BranchFollower;
  deletions: Deletions;
  /** Namespaces of other agents' previews are not this one's to judge. */
  namespacePrefix: string;
  /** null before the installation is known. */
  live(): LiveObjects | null;
  pause(slug: string | null, paused: boolean, signal: AbortSignal): Promise<void>;
  /** Tears down a namespace of ours that no inventory and no file knows. */
  removeOrphan(orphan: { namespace: string; slug: string; incarnation: number }): void;
  log: Logger;
}

/** The regular word with the manager: who lives here, what is held; and the orders of people. */
export interface Poller {
  /** Returns whether orders were carried out, which the next poll acknowledges. Never rejects but for a bug. */
  run(signal: AbortSignal): Promise<boolean>;
}

export function createPoller(deps: PollDeps): Poller {
  /** Carried out and not yet acknowledged: an order that is repeated meanwhile is not carried out twice. */
  const carriedOut = new Set<number>();
  const refused = new Set<number>();

  async function carryOut(order: Order, signal: AbortSignal): Promise<boolean> {
    const { kind, by } = order;
    const slug = order.slug ?? null;
    switch (kind) {
      case 'accept':
        if (slug !== null && order.incarnation !== undefined) {
          deps.deletions.accept({ slug, incarnation: order.incarnation }, by);
        } else {
          deps.follower.acceptHead();
        }
        return true;
      case 'pause':
      case 'resume':
        await deps.pause(slug, kind === 'pause', signal);
        return true;
      case 'remove-orphan': {
        const found = orphans(deps).filter((each) => each.slug === slug);
        for (const orphan of found) if (orphan.slug !== null) deps.removeOrphan({ ...orphan, slug: orphan.slug });
        return true;
      }
      case 'unblock':
        return false;
      default:
        return kind satisfies never;
    }
  }

  async function carryOutAll(orders: Order[], signal: AbortSignal): Promise<boolean> {
    let any = false;
    for (const order of orders) {
      if (carriedOut.has(order.id) || refused.has(order.id)) continue;
      if (await carryOut(order, signal)) {
        deps.log.info({ order: order.kind, slug: order.slug ?? null, by: order.by }, 'order carried out');
        carriedOut.add(order.id);
        any = true;
      } else {
        deps.log.warn({ order: order.kind, slug: order.slug ?? null }, 'order not supported by this agent');
        refused.add(order.id);
      }
    }
    return any;
  }

  return {
    async run(signal) {
      const acknowledged = [...carriedOut].slice(0, 1_000);
      try {
        const { orders, unheard } = await deps.poll(pollBody(deps, acknowledged), signal);
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

function pollBody(deps: PollDeps, acknowledged: number[]): Poll {
  const living: Poll['living'] = [];
  for (const { slug, inventories, states } of deps.previews.values()) {
    for (const incarnation of inventories.keys()) {
      living.push({ slug, incarnation, state: states.get(incarnation) ?? 'applying' });
    }
  }
  return {
    branchCommit: deps.follower.head(),
    living,
    orphans: orphans(deps).map(({ namespace, slug }) => ({ namespace, slug })),
    breaker: breakerReport(deps.follower.guard(), deps.deletions.held(), living.length),
    acknowledged,
  };
}

/** Namespaces that carry our marks, and of which no inventory and no file knows. */
function orphans(deps: PollDeps): { namespace: string; slug: string | null; incarnation: number }[] {
  return (deps.live()?.pairs() ?? []).flatMap(({ slug, incarnation, keys }) => {
    const preview = deps.previews.get(slug);
    if (preview?.inventories.has(incarnation) || preview?.wanted?.incarnation === incarnation) return [];
    const namespace = keys.find((key) => key.startsWith('/Namespace/'))?.slice('/Namespace/'.length);
    return namespace === undefined || !namespace.startsWith(deps.namespacePrefix)
      ? []
      : [{ namespace, slug, incarnation }];
  });
}
