import { isAppError } from '../error/app-error.js';
import type { Mirror } from '../git/mirror.js';
import type { AgentDeps, AgentOptions } from './agent-options.js';
import { allowsExplained } from './branch/guards.js';
import type { Cluster } from './cluster.js';
import { createDeletions } from './deletions.js';
import { hasDrift } from './deploy.js';
import { breakerReport, createBranchFollower } from './follow.js';
import type { Inventory } from './inventory.js';
import type { ManagerClient } from './link/manager-client.js';
import { createLiveView } from './live-view.js';
import { createLooker } from './look-at-pods.js';
import { createObserver } from './observe.js';
import { createPauses } from './pauses.js';
import { createPoller } from './poll.js';
import { appliedInventory, createPreviewState, type PreviewState } from './preview-state.js';
import { type ReconcileDeps, type ReconcileSettings, reconcile, reportState } from './reconcile.js';
import type { Memory } from './remember.js';
import { repeat } from './repeat.js';
import { createSourceLoader } from './source/load-source.js';
import type { Sources } from './sources.js';
import { createWorkQueue } from './work-queue.js';

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

const sourceTimeoutMs = 60_000;
const sourceCacheBytes = 32 * 1024 * 1024;
const resyncMs = 180_000;
const pollGapMs = 1_000;
const rememberHeadMs = 500;

/** Puts the agent together and runs it until the signal aborts. */
export async function startAgent(parts: AgentParts, options: AgentOptions, outer: AbortSignal): Promise<void> {
  const { cluster, manager, memory, log, metrics } = parts;
  const broken = new AbortController();
  const signal = AbortSignal.any([outer, broken.signal]);
  const previews = restore(memory.inventories);
  const observer = createObserver(
    {
      send: async (observations, until) => manager?.observe(observations, until),
      onFailure: (error) => log.warn({ code: isAppError(error) ? error.code : null }, 'observations kept'),
    },
    memory.state.start,
  );
  const pauses = createPauses(memory.states, memory.state.paused);
  const queue = createWorkQueue({
    concurrency: options.concurrency,
    async run(slug, until) {
      const preview = previews.get(slug);
      if (preview === undefined) return null;
      const againMs = await reconcile(reconcileDeps, settings, preview, until);
      if (againMs === null && preview.wanted === null && preview.inventories.size === 0) previews.delete(slug);
      return againMs;
    },
    onError: (slug, error) => {
      if (isAppError(error)) log.warn({ slug, code: error.code, data: error.data }, 'run failed; it is tried again');
      else log.error({ slug, err: error }, 'run failed unexpectedly; it is tried again');
    },
  });
  const view = createLiveView({ cluster, previews, queue, report, log }, memory.state.installation, signal);
  const follower = createBranchFollower(
    {
      branch: {
        fetchHead: (until) => parts.branch.fetchHead(options.branch.name, until),
        isDescendant: (head, ancestor, until) => parts.branch.isDescendant(head, ancestor, until),
        readTree: (commit, path) => parts.branch.readTree(commit, path),
        readBlob: (oid) => parts.branch.readBlob(oid),
      },
      previews,
      async pin(installation, until) {
        await memory.states.save({ installation }, until);
        view.begin(installation);
        log.info({ installation }, 'installation pinned');
      },
      rememberHead: delayed(rememberHeadMs, signal, (head: string) =>
        saveQuietly(memory.states.save({ head }, signal)),
      ),
      enqueue: (slug, supersede) => queue.add(slug, { supersede }),
      neverMade(pair, head) {
        saveQuietly(memory.tornDown.raise(pair, signal));
        observer.report({ ...pair, revision: null, branchCommit: head, state: 'gone', objects: [], diagnosis: null });
        observer.forget(pair);
      },
      log,
    },
    { agent: options.name, namespacePrefix: options.namespacePrefix, applications: options.branch.applications },
    memory.state,
  );
  const looker = createLooker({ diagnose: cluster.diagnose, previews, live: view.of, report, log });
  const settings: ReconcileSettings = {
    agent: options.name,
    namespacePrefix: options.namespacePrefix,
    podSecurity: options.podSecurity,
    hosts: options.hosts,
    kinds: options.kinds ?? { allow: [], deny: [] },
    teardownTimeoutMs: options.teardownTimeoutMs,
  };
  const reconcileDeps: ReconcileDeps = {
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
      return guard === null || (allowsExplained(guard) && isCondemned(previews.get(slug)))
        ? { installation, head }
        : null;
    },
    report: observer.report,
    forget: observer.forget,
    scheduleLook: (slug, delayMs) => looker.add(slug, { delayMs }),
    observeDuration: (durationMs) => metrics?.observeStage({ stage: 'reconcile', durationMs }),
    log,
  };
  const deletions = createDeletions(
    {
      previews,
      explain: async (pairs, until) => (manager === null ? pairs.map(() => null) : manager.explain(pairs, until)),
      remember: (done, until) => memory.states.save({ deletions: done }, until),
      isPaused: (slug) => pauses.has(slug),
      enqueue: (slug) => queue.add(slug, { supersede: true }),
      onHeld(pair) {
        previews.get(pair.slug)?.states.set(pair.incarnation, 'held');
        const branchCommit = follower.head() ?? '';
        observer.report({ ...pair, revision: null, branchCommit, state: 'held', objects: [], diagnosis: null });
      },
      log,
    },
    memory.state.deletions,
  );
  const poller = createPoller({
    poll: async (body, until) => (manager === null ? [] : manager.poll(body, until)),
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
  });

  function report(slug: string): void {
    const preview = previews.get(slug);
    if (preview?.settled) reportState(reconcileDeps, preview, follower.head() ?? '');
  }

  function saveQuietly(saving: Promise<void>): void {
    saving.catch((error: unknown) => {
      // Older memory is safe memory: the next change writes it again.
      if (!signal.aborted) log.warn({ err: error }, 'memory not written');
    });
  }

  async function decide(): Promise<void> {
    try {
      await deletions.decide(follower.pending(), follower.guard(), signal);
    } catch (error) {
      if (!signal.aborted && !isAppError(error)) broken.abort(error);
      else if (isAppError(error)) log.warn({ code: error.code, data: error.data }, 'deletions not decided');
    }
    metrics?.setBreaker(breakerReport(follower.guard(), deletions.held()).reason);
  }

  const looking = repeat(
    {
      intervalMs: options.pollIntervalMs,
      async run() {
        try {
          await follower.look(signal);
        } catch (error) {
          if (signal.aborted) return;
          if (!isAppError(error)) throw error;
          log.warn({ code: error.code, data: error.data }, 'branch not read');
        }
        parts.begun();
        if (follower.pending().length > 0) void decide();
      },
    },
    signal,
  );
  const polling = repeat(
    {
      intervalMs: options.pollIntervalMs,
      minGapMs: pollGapMs,
      async run() {
        await decide();
        metrics?.setPreviews(countStates(previews));
        if (manager !== null && follower.looked() && (await poller.run(signal))) {
          looking.poke();
          polling.poke();
        }
      },
    },
    signal,
  );
  const resyncing = repeat({ intervalMs: resyncMs, run: async () => resync(previews, view.of, queue.add) }, signal);
  const hearing =
    manager?.followHints((head) => {
      if (head !== follower.head()) looking.poke();
      polling.poke();
    }, signal) ?? Promise.resolve();

  try {
    await Promise.all([looking.done, polling.done, resyncing.done, hearing, observer.run(signal)]);
  } catch (error) {
    broken.abort(error);
    throw error;
  } finally {
    await Promise.all([queue.stop(), looker.stop()]);
  }
  if (!outer.aborted) throw broken.signal.reason;
}

function restore(inventories: readonly Inventory[]): Map<string, PreviewState> {
  const previews = new Map<string, PreviewState>();
  for (const inventory of inventories) {
    const preview = previews.get(inventory.slug) ?? createPreviewState(inventory.slug);
    preview.inventories.set(inventory.incarnation, inventory);
    previews.set(inventory.slug, preview);
  }
  return previews;
}

function isCondemned(preview: PreviewState | undefined): boolean {
  if (preview === undefined) return false;
  return preview.verdicts.size > 0 || [...preview.inventories.values()].some(({ condemned }) => condemned !== null);
}

function orphanInventory(orphan: { namespace: string; slug: string; incarnation: number }): Inventory {
  return {
    ...orphan,
    namespaceUid: null,
    revision: null,
    objects: [],
    createdAt: Date.now(),
    condemned: 'an orphan that a person removed',
  };
}

/** What no watch has told, or could not be done before. */
function resync(
  previews: ReadonlyMap<string, PreviewState>,
  live: (pair: { slug: string; incarnation: number }) => Parameters<typeof hasDrift>[1],
  add: (slug: string) => void,
): void {
  for (const preview of previews.values()) {
    const inventory = appliedInventory(preview);
    const fine = inventory !== null && preview.settled && !hasDrift(inventory, live(inventory));
    if (!fine && (preview.wanted !== null || isCondemned(preview))) add(preview.slug);
  }
}

function countStates(previews: ReadonlyMap<string, PreviewState>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { states } of previews.values()) {
    for (const state of states.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
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
