import { isAppError } from '../error/app-error.js';
import type { Logger } from '../log/create-logger.js';
import { allowsExplained, type Guard } from './branch/guards.js';
import type { PendingPair } from './branch-changes.js';
import { pairKey } from './inventory.js';
import type { PreviewState } from './preview-state.js';
import { type DoneDeletion, decideDeletions, doneDeletion, recentDeletions } from './teardown/decide-deletions.js';

export interface DeletionDeps {
  previews: ReadonlyMap<string, PreviewState>;
  /** Why each is to go, in the order asked, and whether it is to go on; rejects when nobody can be asked. */
  explain(pairs: PendingPair[], signal: AbortSignal): Promise<Explained[]>;
  /** Remembers the deletions of the last hour; returns when that is safe. */
  remember(done: DoneDeletion[], signal: AbortSignal): Promise<void>;
  /** A preview that nobody may touch now. */
  isPaused(slug: string): boolean;
  enqueue(slug: string): void;
  /** The deletion is held back until a person accepts it, or the manager explains it. */
  onHeld(pair: PendingPair): void;
  log: Logger;
}

interface Explained {
  /** null: nobody can say. */
  explanation: string | null;
  lives: boolean;
}

/** Decides which of the incarnations without a file are torn down. */
export interface Deletions {
  /** Asks for explanations, judges, and has the approved ones torn down. Once at a time; throws what cannot be remembered. */
  decide(pending: PendingPair[], guard: Guard, signal: AbortSignal): Promise<void>;
  /** Those that the last decision held back. */
  held(): PendingPair[];
  /** A person's word for one of them. */
  accept(pair: PendingPair, by: string): void;
}

/** `remembered`: the deletions of the last hour, as an earlier run of the agent left them. */
export function createDeletions(deps: DeletionDeps, remembered: readonly DoneDeletion[]): Deletions {
  const accepted = new Map<string, string>();
  let done = [...remembered];
  let held: PendingPair[] = [];
  let deciding: Promise<void> | null = null;

  async function explanations(pairs: PendingPair[], signal: AbortSignal): Promise<Explained[]> {
    try {
      return await deps.explain(pairs, signal);
    } catch (error) {
      if (signal.aborted || !isAppError(error)) throw error;
      // No answer is no explanation.
      deps.log.warn({ code: error.code, pending: pairs.length }, 'deletions not explained');
      return pairs.map(() => ({ explanation: null, lives: true }));
    }
  }

  async function decideOnce(all: PendingPair[], guard: Guard, signal: AbortSignal): Promise<void> {
    const pairs = all.filter(({ slug }) => !deps.isPaused(slug));
    if (pairs.length === 0 || !allowsExplained(guard)) {
      held = pairs.length === 0 ? [] : pairs;
      return;
    }
    const said = await explanations(pairs, signal);
    // What came back to life while the manager was asked is no longer to go.
    const still = pairs.map((pair) => livingSince(deps.previews, pair) !== null);
    const toGoOn = new Set(pairs.filter((_, index) => said[index]?.lives).map(pairKey));
    const now = Date.now();
    const decision = decideDeletions({
      pending: pairs.filter((_, index) => still[index]),
      explanations: pairs.flatMap((pair, index) =>
        still[index] ? [accepted.get(pairKey(pair)) ?? said[index]?.explanation ?? null] : [],
      ),
      done,
      mustBeExplained: (pair) => toGoOn.has(pairKey(pair)) && isOvertaken(deps.previews, pair),
      livingSince: allLivingSince(deps.previews),
      holdUnexplained: guard !== null,
      now,
    });
    const records = decision.approved.map(({ deletion, explained }) =>
      doneDeletion({ now, explained, livingSince: livingSince(deps.previews, deletion) ?? now }),
    );
    if (records.length > 0) {
      done = [...recentDeletions(done, now), ...records];
      await deps.remember(done, signal);
    }
    for (const { deletion, why } of decision.approved) {
      accepted.delete(pairKey(deletion));
      deps.previews.get(deletion.slug)?.verdicts.set(deletion.incarnation, why);
      deps.enqueue(deletion.slug);
    }
    holdBack(decision.held, decision.limit);
  }

  function holdBack(next: PendingPair[], limit: number): void {
    if (next.length > 0 && next.length !== held.length) {
      deps.log.error({ held: next.length, limit, slugs: next.slice(0, 20).map(({ slug }) => slug) }, 'deletions held');
    }
    held = next;
    for (const pair of next) deps.onHeld(pair);
  }

  return {
    async decide(pending, guard, signal) {
      // A second one would ask and count the same ones twice.
      while (deciding !== null) await deciding.catch(() => undefined);
      deciding = decideOnce(pending, guard, signal);
      try {
        await deciding;
      } finally {
        deciding = null;
      }
    },
    held: () => held.filter((pair) => livingSince(deps.previews, pair) !== null),
    accept: (pair, by) => void accepted.set(pairKey(pair), `accepted by ${by}`),
  };
}

/** When it was made; null when it does not live, or its end is decided already. */
function livingSince(previews: ReadonlyMap<string, PreviewState>, pair: PendingPair): number | null {
  const preview = previews.get(pair.slug);
  const inventory = preview?.inventories.get(pair.incarnation);
  const alive = inventory?.condemned === null && !preview?.verdicts.has(pair.incarnation);
  return alive && inventory !== undefined ? inventory.createdAt : null;
}

/**
 * A file asks for a later incarnation. The manager writes such a file only after the end of the one before: where that
 * one is to go on, somebody edited the number, which must not end what lives.
 */
function isOvertaken(previews: ReadonlyMap<string, PreviewState>, pair: PendingPair): boolean {
  const wanted = previews.get(pair.slug)?.wanted ?? null;
  return wanted !== null && wanted.incarnation > pair.incarnation;
}

function allLivingSince(previews: ReadonlyMap<string, PreviewState>): number[] {
  return [...previews.values()].flatMap((preview) =>
    [...preview.inventories.values()]
      .filter(({ condemned, incarnation }) => condemned === null && !preview.verdicts.has(incarnation))
      .map(({ createdAt }) => createdAt),
  );
}
