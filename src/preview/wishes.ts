import type { MergeRequestFacts, Wish } from './facts.js';
import type { Instant } from './preview.js';
import { fitsSetting, type Settable, type SetValue } from './setting.js';

/**
 * Whether a member approved this very commit of this project; a later push is another one, and so is the same commit in
 * another project, such as a mirror: who may approve there may not approve here.
 */
export function isApproved(wishes: readonly Wish[], commit: { projectId: number; sha: string }): boolean {
  return wishes.some((wish) => approves(wish, commit));
}

/** Whether it is an approval of this commit. */
export function approves(wish: Wish, { projectId, sha }: { projectId: number; sha: string | null }): boolean {
  return wish.kind === 'approve' && wish.sha === sha && (wish.projectId ?? projectId) === projectId;
}

/**
 * What people set, the newest of each key; `unset` takes it back. Only keys that the configuration lets be set, and
 * values of their type: one that was set under an older configuration counts no more.
 */
export function settingsOf(settable: Settable, wishes: readonly Wish[]): Record<string, SetValue> {
  const values = new Map<string, SetValue>();
  for (const { kind, key, value } of wishes) {
    if (key !== undefined && kind === 'set' && value !== undefined) {
      values.set(key, value);
    }
    if (key !== undefined && kind === 'unset') {
      values.delete(key);
    }
  }
  const fitting = [...values].filter(([key, value]) => fitsSetting(settable, key, value));
  // Sorted: the same settings always give the same row.
  return Object.fromEntries(fitting.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The newest order of a kind, oldest first as they are listed; null: there is none. */
export function newestOf(wishes: readonly Wish[], ...kinds: Wish['kind'][]): Wish | null {
  return wishes.reduce<Wish | null>(
    (newest, wish) => (kinds.includes(wish.kind) && (newest === null || wish.at >= newest.at) ? wish : newest),
    null,
  );
}

/**
 * The member who asked for this preview with `start`, and did not take it back: what a file in the branch says does
 * not count, and a reopening begins anew. null: nobody did.
 */
export function startedBy(
  facts: Pick<MergeRequestFacts, 'lastReopenedAt'> | null,
  wishes: readonly Wish[],
): Wish | null {
  const word = newestOf(
    wishes.filter(({ source }) => source !== 'git'),
    'start',
    'stop',
  );
  const reopenedAt = facts?.lastReopenedAt ?? null;
  const isPast = word === null || (reopenedAt !== null && reopenedAt > word.at);
  return isPast || word.kind === 'stop' ? null : word;
}

/**
 * Whether somebody pinned the preview and nobody unpinned it since. A stop, and closing and reopening the merge request,
 * end a pin too; a file that was removed in the branch does not. `releasedAt`: when one was last taken back with `unpin`.
 */
export function pinOf(
  facts: Pick<MergeRequestFacts, 'lastReopenedAt'>,
  wishes: readonly Wish[],
): { pinnedBy: string | null; releasedAt: Instant | null } {
  let pinnedBy: string | null = null;
  let releasedAt: Instant | null = null;
  for (const { kind, source, at, by } of wishes) {
    if (facts.lastReopenedAt !== null && facts.lastReopenedAt > at) {
      continue;
    }
    if (kind === 'pin') {
      pinnedBy = by;
    } else if (kind === 'unpin') {
      releasedAt = pinnedBy === null ? releasedAt : at;
      pinnedBy = null;
    } else if (kind === 'stop' && source !== 'git') {
      pinnedBy = null;
    }
  }
  return { pinnedBy, releasedAt };
}
