import { isAppError } from '../error/app-error.js';
import type { Mirror } from '../git/mirror.js';
import type { AgentDeps, AgentOptions } from './agent-options.js';
import { allowsExplained } from './branch/guards.js';
import type { Cluster } from './cluster.js';
import type { DeletionDeps, Deletions } from './deletions.js';
import type { BranchFollower, FollowDeps } from './follow.js';
import type { Inventory } from './inventory.js';
import type { ManagerClient } from './link/manager-client.js';
import type { LiveView } from './live-view.js';
import type { Observer } from './observe.js';
import type { Pauses } from './pauses.js';
import type { PollDeps } from './poll.js';
import { createPreviewState, isCondemned, type PreviewState } from './preview-state.js';
import type { ReconcileDeps, ReconcileSettings } from './reconcile.js';
import type { Memory } from './remember.js';
import { createSourceLoader } from './source/load-source.js';
import type { Sources } from './sources.js';
import type { WorkQueue } from './work-queue.js';

/** The opened parts that an agent is put together from. */
export interface AgentParts extends AgentDeps {
  cluster: Cluster;
  manager: ManagerClient | null;
  branch: Mirror;
  sources: Sources;
  memory: Memory;
  /** Called after the first look at the branch. */
  begun(): void;
}

/** What all the rooms of one running agent share. */
export interface Shared {
  parts: AgentParts;
  options: AgentOptions;
  previews: Map<string, PreviewState>;
  observer: Observer;
  pauses: Pauses;
  queue: WorkQueue;
  view: LiveView;
  signal: AbortSignal;
}

const sourceTimeoutMs = 60_000;
const sourceCacheBytes = 32 * 1024 * 1024;
const rememberHeadMs = 500;

export function reconcileSettings(options: AgentOptions): ReconcileSettings {
  return {
    agent: options.name,
    namespacePrefix: options.namespacePrefix,
    podSecurity: options.podSecurity,
    hosts: options.hosts,
    kinds: options.kinds ?? { allow: [], deny: [] },
    teardownTimeoutMs: options.teardownTimeoutMs,
  };
}

export function followDeps(shared: Shared): FollowDeps {
  const { parts, options, observer, queue, view, signal } = shared;
  const { branch, memory, log } = parts;
  const saved = (saving: Promise<void>) =>
    void saving.catch((error: unknown) => {
      // Older memory is safe memory: the next change writes it again.
      if (!signal.aborted) log.warn({ err: error }, 'memory not written');
    });
  return {
    branch: {
      fetchHead: (until) => branch.fetchHead(options.branch.name, until),
      isDescendant: (head, ancestor, until) => branch.isDescendant(head, ancestor, until),
      readTree: (commit, path) => branch.readTree(commit, path),
      readBlob: (oid) => branch.readBlob(oid),
    },
    previews: shared.previews,
    async pin(installation, until) {
      await memory.states.save({ installation }, until);
      view.begin(installation);
      log.info({ installation }, 'installation pinned');
    },
    rememberHead: delayed(rememberHeadMs, signal, (head) => saved(memory.states.save({ head }, signal))),
    enqueue: (slug, supersede) => queue.add(slug, { supersede }),
    neverMade(pair, branchCommit) {
      saved(memory.tornDown.raise(pair, signal));
      const { slug, incarnation } = pair;
      observer.report({ slug, incarnation, revision: null, branchCommit, state: 'gone', objects: [], diagnosis: null });
      observer.forget(pair);
    },
    log,
  };
}

export function reconcileDeps(
  shared: Shared,
  follower: BranchFollower,
  scheduleLook: ReconcileDeps['scheduleLook'],
): ReconcileDeps {
  const { parts, options, previews, observer, pauses, view } = shared;
  const { cluster, memory, log, metrics } = parts;
  return {
    deploy: {
      source: createSourceLoader(parts.sources, {
        allowed: options.repositories.map(({ pattern }) => pattern),
        timeoutMs: sourceTimeoutMs,
        cacheBytes: sourceCacheBytes,
      }),
      cluster: cluster.objects,
      saveInventory: (inventory, until) => memory.store.save(inventory, until),
      live: view,
    },
    retire: {
      cluster: cluster.objects,
      removeInventory: (inventory, until) => memory.store.remove(inventory, until),
      rememberTornDown: (inventory, until) => memory.tornDown.raise(inventory, until),
    },
    live: view.of,
    tornDown: (slug) => memory.tornDown.highest(slug),
    trusted(slug) {
      const head = follower.head();
      const installation = view.installation();
      if (!follower.looked() || head === null || installation === null || pauses.has(slug)) return null;
      const guard = follower.guard();
      // A branch that is not trusted moves nothing but what is condemned, where that is allowed.
      const preview = previews.get(slug);
      const allowed = guard === null || (allowsExplained(guard) && preview !== undefined && isCondemned(preview));
      return allowed ? { installation, head } : null;
    },
    report: observer.report,
    forget: observer.forget,
    scheduleLook,
    observeDuration: (durationMs) => metrics?.observeStage({ stage: 'reconcile', durationMs }),
    log,
  };
}

export function deletionDeps(shared: Shared, follower: BranchFollower): DeletionDeps {
  const { parts, previews, observer, pauses, queue } = shared;
  const { manager, memory, log } = parts;
  return {
    previews,
    explain: async (pairs, until) => (manager === null ? pairs.map(() => null) : manager.explain(pairs, until)),
    remember: (done, until) => memory.states.save({ deletions: done }, until),
    isPaused: (slug) => pauses.has(slug),
    enqueue: (slug) => queue.add(slug, { supersede: true }),
    onHeld({ slug, incarnation }) {
      previews.get(slug)?.states.set(incarnation, 'held');
      const branchCommit = follower.head() ?? '';
      observer.report({ slug, incarnation, revision: null, branchCommit, state: 'held', objects: [], diagnosis: null });
    },
    log,
  };
}

export function pollDeps(shared: Shared, follower: BranchFollower, deletions: Deletions): PollDeps {
  const { parts, options, previews, observer, pauses, queue, view } = shared;
  const { manager, log } = parts;
  return {
    poll: async (body, until) => (manager === null ? { orders: [], unheard: [] } : manager.poll(body, until)),
    repeat: observer.repeat,
    previews,
    follower,
    deletions,
    namespacePrefix: options.namespacePrefix,
    live: view.objects,
    async pause(slug, paused, until) {
      await pauses.set(slug, paused, until);
      if (!paused) for (const each of slug === null ? previews.keys() : [slug]) queue.add(each);
    },
    removeOrphan(orphan) {
      const preview = previews.get(orphan.slug) ?? createPreviewState(orphan.slug);
      previews.set(orphan.slug, preview);
      preview.inventories.set(orphan.incarnation, orphanInventory(orphan));
      queue.add(orphan.slug);
    },
    log,
  };
}

function orphanInventory(orphan: { namespace: string; slug: string; incarnation: number }): Inventory {
  return {
    slug: orphan.slug,
    incarnation: orphan.incarnation,
    namespace: orphan.namespace,
    namespaceUid: null,
    revision: null,
    objects: [],
    createdAt: Date.now(),
    condemned: 'an orphan that a person removed',
  };
}

/** What a failed run of the queue means for the log. */
export function logFailedRun(log: AgentDeps['log'], slug: string, error: unknown): void {
  if (isAppError(error)) log.warn({ slug, code: error.code, data: error.data }, 'run failed; it is tried again');
  else log.error({ slug, err: error }, 'run failed unexpectedly; it is tried again');
}

/** Calls `act` with the last value, this long after the first of them. */
function delayed<T>(delayMs: number, signal: AbortSignal, act: (value: T) => void): (value: T) => void {
  let timer: NodeJS.Timeout | null = null;
  let latest: T;
  signal.addEventListener('abort', () => timer !== null && clearTimeout(timer), { once: true });
  return (value) => {
    latest = value;
    timer ??= setTimeout(() => {
      timer = null;
      act(latest);
    }, delayMs);
  };
}
