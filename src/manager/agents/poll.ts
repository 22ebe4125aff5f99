import type { Logger } from 'pino';
import type { Order, Poll, PollAnswer } from '../../protocol/poll.js';

export interface Pair {
  slug: string;
  incarnation: number;
}

/** An order as it is stored. */
interface StoredOrder {
  id: number;
  kind: Order['kind'];
  slug: string | null;
  incarnation: number | null;
  project: string | null;
  finalizer: string | null;
  by: string;
}

export interface PollDeps {
  /**
   * Stores the poll; answers the orders that wait, stopping rows that the agent does not name, and rows that it names
   * and that were never heard of.
   */
  storePoll: (
    cluster: string,
    poll: Poll,
  ) => Promise<{ orders: StoredOrder[]; missing: (Pair & { removedBy: number })[]; unheard: Pair[] }>;
  /** Records these stopping incarnations as gone and has them decided. */
  recordGone: (input: { cluster: string; branchCommit: string; pairs: Pair[] }) => Promise<void>;
  /** Whether that commit of the branch is, or descends from, the one that Mayfly wrote with this generation. */
  isAtOrAfter: (branchCommit: string, generation: number) => Promise<boolean>;
  log: Logger;
}

/**
 * One poll of an agent. A preview whose removal the agent has read, and that it does not name any more, is gone even
 * if the observation that said so was lost.
 */
export async function answerPoll(deps: PollDeps, input: { cluster: string; poll: Poll }): Promise<PollAnswer> {
  const { cluster, poll } = input;
  const { orders, missing, unheard } = await deps.storePoll(cluster, poll);
  if (poll.branchCommit !== null && missing.length > 0) {
    await endMissing(deps, cluster, poll.branchCommit, missing);
  }
  return { orders: orders.map(orderOf), unheard };
}

async function endMissing(
  deps: PollDeps,
  cluster: string,
  branchCommit: string,
  missing: (Pair & { removedBy: number })[],
): Promise<void> {
  const known = new Map<number, boolean>();
  const pairs: Pair[] = [];
  for (const { slug, incarnation, removedBy } of missing) {
    const isRead = known.get(removedBy) ?? (await deps.isAtOrAfter(branchCommit, removedBy));
    known.set(removedBy, isRead);
    if (isRead) pairs.push({ slug, incarnation });
  }
  if (pairs.length === 0) return;
  deps.log.info({ cluster, pairs }, 'previews are gone: their agent no longer knows them');
  await deps.recordGone({ cluster, branchCommit, pairs });
}

function orderOf(order: StoredOrder): Order {
  return {
    id: order.id,
    kind: order.kind,
    by: order.by,
    ...(order.slug === null ? {} : { slug: order.slug }),
    ...(order.incarnation === null ? {} : { incarnation: order.incarnation }),
    ...(order.project === null ? {} : { project: order.project }),
    ...(order.finalizer === null ? {} : { finalizer: order.finalizer }),
  };
}
