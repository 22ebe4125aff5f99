import type { BreakerReport } from '../protocol/poll.js';
import { allowsExplained, type Guard, guardOf } from './branch/guards.js';
import { type BranchReader, type BranchSnapshot, changedFiles, readBranch } from './branch/read-branch.js';
import { type BranchFile, readBranchFile } from './branch/read-file.js';
import {
  type ChangeDeps,
  isUndecided,
  livingPairs,
  type PendingPair,
  takeFile,
  takeRemoval,
} from './branch-changes.js';
import { pairKey } from './inventory.js';

export interface FollowDeps extends Omit<ChangeDeps, 'pending'> {
  branch: BranchReader;
  /** Pins the installation for good, and begins to follow its objects. */
  pin(installation: string, signal: AbortSignal): Promise<void>;
  /** Notes the newest head that was trusted. */
  rememberHead(head: string): void;
}

export interface FollowSettings {
  agent: string;
  namespacePrefix: string;
  applications: string;
}

/** What the branch says, as far as it is trusted. */
export interface BranchFollower {
  /** Looks at the branch once; only files whose blob changed are read. */
  look(signal: AbortSignal): Promise<void>;
  /** The newest head that was trusted, or that is at least this installation's; null before the first. */
  head(): string | null;
  guard(): Guard;
  /** Whether the branch was looked at since the start. */
  looked(): boolean;
  /** What is to go, and has not been decided yet. */
  pending(): PendingPair[];
  /** Takes a rewritten branch as it is now, on a person's word. */
  acceptHead(): void;
}

/** `pinned` and `head` are what an earlier run of the agent remembered. */
export function createBranchFollower(
  deps: FollowDeps,
  settings: FollowSettings,
  remembered: { installation: string | null; head: string | null },
): BranchFollower {
  const { previews, log } = deps;
  let pinned = remembered.installation;
  let trusted = remembered.head;
  /** Stands in for a trusted head while there is none: the branch is ours, though it lost everything at once. */
  let ours: string | null = null;
  let guard: Guard = null;
  let looked = false;
  /** Blob ids of the last look that passed; empty at the start, so that every file is read once. */
  let known = new Map<string, string>();
  const pending = new Map<string, PendingPair>();

  function guardFor(snapshot: BranchSnapshot): Guard {
    const files = snapshot.files === null ? null : [...snapshot.files.keys()];
    return guardOf({ ...snapshot, files, pinned, living: livingPairs(previews).length });
  }

  function setGuard(next: Guard, snapshot: BranchSnapshot): void {
    // Before its first commit an agent that never followed anything has nothing to lose.
    const isFirstStart =
      next === 'installation-missing' && pinned === null && trusted === null && snapshot.head === null;
    if (next !== guard && isFirstStart) log.info('branch not there yet');
    else if (next !== guard && next !== null) {
      log.error(
        { reason: next, head: snapshot.head, trusted, installation: snapshot.installation, pinned },
        'branch not followed',
      );
    }
    if (next === null && guard !== null) log.info({ head: snapshot.head }, 'branch followed again');
    guard = next;
  }

  async function look(signal: AbortSignal): Promise<void> {
    const snapshot = await readBranch(deps.branch, { applications: settings.applications, trusted, signal });
    setGuard(guardFor(snapshot), snapshot);
    looked = true;
    if (guard !== null) {
      // Every file is read again once the branch is trusted again.
      known = new Map();
      if (!allowsExplained(guard)) return;
      // Whatever lives has lost its file; only what the manager can explain will go.
      for (const pair of livingPairs(previews)) pending.set(pairKey(pair), pair);
      ours = snapshot.head;
      return;
    }
    const { head, installation } = snapshot;
    if (head === null || installation === null) return;
    if (pinned === null) {
      await deps.pin(installation, signal);
      pinned = installation;
    }
    const files = snapshot.files ?? new Map<string, string>();
    const { changed, removed } = changedFiles(known, files);
    const read = await Promise.all(
      changed.map(async (slug) => [slug, await readOne(slug, files, installation)] as const),
    );
    // Most looks find nothing new: they write nothing either.
    if (head !== trusted) deps.rememberHead(head);
    trusted = head;
    // At the start and after a closed guard nothing is known: what lives and has no file is found by itself.
    const vanished = known.size > 0 ? removed : [...previews.keys()].filter((slug) => !files.has(slug));
    for (const [slug, file] of read) takeFile({ ...deps, pending }, slug, file, head);
    for (const slug of vanished) takeRemoval({ ...deps, pending }, slug, head);
    known = files;
    if (snapshot.unknown.length > 0) log.debug({ files: snapshot.unknown.slice(0, 50) }, 'unknown files left alone');
  }

  async function readOne(slug: string, files: ReadonlyMap<string, string>, installation: string): Promise<BranchFile> {
    const text = new TextDecoder().decode(await deps.branch.readBlob(files.get(slug) ?? ''));
    return readBranchFile({
      slug,
      text,
      installation,
      agent: settings.agent,
      namespacePrefix: settings.namespacePrefix,
    });
  }

  return {
    look,
    head: () => trusted ?? ours,
    guard: () => guard,
    looked: () => looked,
    pending: () => [...pending.values()].filter((pair) => isUndecided(previews, pair)),
    acceptHead() {
      if (guard === 'rewritten') trusted = null;
    },
  };
}

/**
 * Why the breaker of the agent is open, for the manager. An agent of which nothing lives, and that waits for its
 * branch to be made, holds nothing back.
 */
export function breakerReport(guard: Guard, held: readonly PendingPair[], living: number): BreakerReport {
  const waits = guard === 'installation-missing' && living === 0;
  const reason = waits ? null : (guard ?? (held.length > 0 ? 'limit' : null));
  return { open: reason !== null, reason, pending: [...held] };
}
