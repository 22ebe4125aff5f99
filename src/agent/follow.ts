import type { Logger } from '../log/create-logger.js';
import type { BreakerReport } from '../protocol/poll.js';
import { allowsExplained, type Guard, guardOf } from './branch/guards.js';
import { type BranchReader, type BranchSnapshot, changedFiles, readBranch } from './branch/read-branch.js';
import { type BranchFile, readBranchFile } from './branch/read-file.js';
import { pairKey } from './inventory.js';
import { createPreviewState, type PreviewState, setWanted } from './preview-state.js';

export interface FollowDeps {
  branch: BranchReader;
  previews: Map<string, PreviewState>;
  /** Pins the installation for good, and begins to follow its objects. */
  pin(installation: string, signal: AbortSignal): Promise<void>;
  /** Notes the newest head that was trusted. */
  rememberHead(head: string): void;
  /** Something is due for the slug; `supersede` ends what is being done for it. */
  enqueue(slug: string, supersede: boolean): void;
  /** An incarnation whose file went before anything of it was in the cluster. */
  neverMade(pair: { slug: string; incarnation: number }, head: string): void;
  log: Logger;
}

export interface FollowSettings {
  agent: string;
  namespacePrefix: string;
  applications: string;
}

/** An incarnation that the branch no longer asks for. */
export interface PendingPair {
  slug: string;
  incarnation: number;
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

  function living(): PendingPair[] {
    return [...previews.values()].flatMap(({ slug, inventories }) =>
      [...inventories.values()]
        .filter(({ condemned }) => condemned === null)
        .map(({ incarnation }) => ({ slug, incarnation })),
    );
  }

  function guardFor(snapshot: BranchSnapshot): Guard {
    const files = snapshot.files === null ? null : [...snapshot.files.keys()];
    return guardOf({ ...snapshot, files, pinned, living: living().length });
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
      for (const pair of living()) pending.set(pairKey(pair), pair);
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
    trusted = head;
    deps.rememberHead(head);
    // At the start and after a closed guard nothing is known: what lives and has no file is found by itself.
    const vanished = known.size > 0 ? removed : [...previews.keys()].filter((slug) => !files.has(slug));
    for (const [slug, file] of read) take(slug, file, head);
    for (const slug of vanished) takeRemoval(slug, head);
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

  function markPending(slug: string, concerns: (incarnation: number) => boolean): void {
    for (const { incarnation, condemned } of previews.get(slug)?.inventories.values() ?? []) {
      const pair = { slug, incarnation };
      if (condemned === null && concerns(incarnation)) pending.set(pairKey(pair), pair);
      else pending.delete(pairKey(pair));
    }
  }

  function take(slug: string, file: BranchFile, head: string): void {
    const known = previews.get(slug);
    switch (file.kind) {
      case 'wanted': {
        const preview = known ?? createPreviewState(slug);
        previews.set(slug, preview);
        replaceWanted(preview, file.wanted, head);
        // An older incarnation makes way. A newer one does not: the file was set back, and nobody is torn down for that.
        markPending(slug, (incarnation) => incarnation < file.wanted.incarnation);
        break;
      }
      case 'elsewhere':
        if (known !== undefined) replaceWanted(known, null, head);
        markPending(slug, (incarnation) => incarnation < file.incarnation);
        break;
      case 'foreign':
      case 'refused':
      case 'unreadable':
        // What lives stays as it is: such a file says nothing that could be obeyed.
        log.warn({ slug, kind: file.kind, why: 'why' in file ? file.why : null }, 'file not followed');
        if (known !== undefined) setWanted(known, null);
        markPending(slug, () => false);
        break;
      default:
        file satisfies never;
    }
    deps.enqueue(slug, true);
  }

  function takeRemoval(slug: string, head: string): void {
    const preview = previews.get(slug);
    if (preview === undefined) return;
    replaceWanted(preview, null, head);
    markPending(slug, () => true);
    deps.enqueue(slug, true);
  }

  function replaceWanted(preview: PreviewState, wanted: PreviewState['wanted'], head: string): void {
    const before = preview.wanted;
    setWanted(preview, wanted);
    if (before === null || before.incarnation === wanted?.incarnation) return;
    if (!preview.inventories.has(before.incarnation)) deps.neverMade(before, head);
  }

  return {
    look,
    head: () => trusted ?? ours,
    guard: () => guard,
    looked: () => looked,
    pending: () => [...pending.values()].filter((pair) => isAlive(previews, pair)),
    acceptHead() {
      if (guard === 'rewritten') trusted = null;
    },
  };
}

function isAlive(previews: ReadonlyMap<string, PreviewState>, pair: PendingPair): boolean {
  const preview = previews.get(pair.slug);
  return preview?.inventories.get(pair.incarnation)?.condemned === null && !preview.verdicts.has(pair.incarnation);
}

/** Why the breaker of the agent is open, for the manager. */
export function breakerReport(guard: Guard, held: readonly PendingPair[]): BreakerReport {
  const reason = guard ?? (held.length > 0 ? 'limit' : null);
  return { open: reason !== null, reason, pending: [...held] };
}
