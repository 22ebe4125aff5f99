import { isAppError } from '../error/app-error.js';
import type { AgentOptions } from './agent-options.js';
import { createDeletions, type Deletions } from './deletions.js';
import { type BranchFollower, breakerReport, createBranchFollower } from './follow.js';
import { createLiveView } from './live-view.js';
import { createLooker } from './look-at-pods.js';
import { createProber } from './look-at-url.js';
import { createObserver, type Observer } from './observe.js';
import { findOrphans } from './orphans.js';
import { createPauses } from './pauses.js';
import { createPoller, type Poller } from './poll.js';
import { countStates, restorePreviews } from './preview-state.js';
import { type ReconcileDeps, reconcile, reportState } from './reconcile.js';
import { repeat } from './repeat.js';
import { compareWithCluster, takeUp } from './resync.js';
import { createRoom } from './room.js';
import {
  type AgentParts,
  deletionDeps,
  followDeps,
  logFailedRun,
  pollDeps,
  proberDeps,
  reconcileDeps,
  reconcileSettings,
  type Shared,
} from './wiring.js';
import { createWorkQueue, type WorkQueue } from './work-queue.js';

/** An agent put together, before it runs. */
interface Agent {
  shared: Shared;
  follower: BranchFollower;
  deletions: Deletions;
  poller: Poller;
  looker: Pick<WorkQueue, 'stop'>;
  prober: Pick<WorkQueue, 'stop'>;
}

const resyncMs = 180_000;
const pollGapMs = 1_000;

/** Puts the agent together and runs it until the signal aborts; rejects when it ends by itself. */
export async function startAgent(parts: AgentParts, options: AgentOptions, outer: AbortSignal): Promise<void> {
  const broken = new AbortController();
  const signal = AbortSignal.any([outer, broken.signal]);
  const agent = assemble(parts, options, signal);
  try {
    await runLoops(agent, (error) => broken.abort(error));
  } catch (error) {
    broken.abort(error);
    throw error;
  } finally {
    await Promise.all([agent.shared.queue.stop(), agent.looker.stop(), agent.prober.stop()]);
  }
  if (!outer.aborted) throw broken.signal.reason;
}

function assemble(parts: AgentParts, options: AgentOptions, signal: AbortSignal): Agent {
  const { cluster, memory, log } = parts;
  const previews = restorePreviews(memory.inventories);
  const observer = observerOf(parts);
  const pauses = createPauses(memory.states, memory.state.paused);
  const settings = reconcileSettings(options);
  const queue = createWorkQueue({
    concurrency: options.concurrency,
    async run(slug, until) {
      const preview = previews.get(slug);
      if (preview === undefined) return null;
      let againMs: number | null;
      try {
        againMs = await reconcile(deps, settings, preview, until);
      } finally {
        if (preview.inventories.size === 0) room.release(slug);
      }
      if (againMs === null && preview.wanted === null && preview.inventories.size === 0) previews.delete(slug);
      return againMs;
    },
    onError: (slug, error) => logFailedRun(log, slug, error),
  });
  const report = (slug: string) => {
    const preview = previews.get(slug);
    if (preview !== undefined && (preview.settled || preview.awaiting !== null))
      reportState(deps, preview, follower.head() ?? '');
  };
  const view = createLiveView({ cluster, previews, queue, report, log }, memory.state.installation, signal);
  const room = createRoom(options.limits?.previews ?? null, previews, (slug) => queue.add(slug));
  const shared: Shared = { parts, options, previews, observer, pauses, queue, view, room, signal };
  const follower = createBranchFollower(
    followDeps(shared),
    { agent: options.name, namespacePrefix: options.namespacePrefix, applications: options.branch.applications },
    memory.state,
  );
  const looker = createLooker({ diagnose: cluster.diagnose, previews, live: view.of, report, log });
  const prober = createProber(proberDeps(shared, report));
  const deps: ReconcileDeps = reconcileDeps(shared, follower, {
    scheduleLook: (slug, delayMs) => looker.add(slug, { delayMs }),
    scheduleProbe: (slug) => prober.add(slug),
  });
  const deletions = createDeletions(deletionDeps(shared, follower), memory.state.deletions);
  return { shared, follower, deletions, poller: createPoller(pollDeps(shared, follower, deletions)), looker, prober };
}

function observerOf({ manager, memory, log }: AgentParts): Observer {
  return createObserver(
    {
      send: async (observations, until) => manager?.observe(observations, until),
      onFailure: (error) => log.warn({ code: isAppError(error) ? error.code : null }, 'observations kept'),
    },
    memory.state.start,
  );
}

/** Looks at the branch, talks with the manager, and resyncs, each at its pace, until the signal aborts. */
async function runLoops(agent: Agent, onBug: (error: unknown) => void): Promise<void> {
  const { shared, follower, poller } = agent;
  const { parts, options, observer, signal } = shared;
  const { manager, log, metrics } = parts;

  async function look(): Promise<void> {
    try {
      await follower.look(signal);
      parts.readiness?.branchRead(follower.guard());
    } catch (error) {
      if (signal.aborted) return;
      if (!isAppError(error)) throw error;
      parts.readiness?.branchFailed(error.code);
      log.warn({ code: error.code, data: error.data }, 'branch not read');
    }
    parts.begun();
    // Not awaited: a manager that answers slowly must not delay the next look.
    if (follower.pending().length > 0) decide(agent).catch(onBug);
  }

  async function poll(): Promise<void> {
    await decide(agent);
    metrics?.setPreviews(countStates(shared.previews.values()));
    metrics?.setOrphans(findOrphans(shared.view.objects(), shared.previews, options.namespacePrefix).length);
    if (manager !== null && follower.looked() && (await poller.run(signal))) {
      looking.poke();
      polling.poke();
    }
  }

  let isListed = false;
  async function resync(): Promise<void> {
    // At the start everything is listed for the watches.
    if (isListed) await compareWithCluster(shared);
    isListed = true;
    if (!signal.aborted) takeUp(shared);
  }

  const looking = repeat({ intervalMs: options.pollIntervalMs, run: look }, signal);
  const polling = repeat({ intervalMs: options.pollIntervalMs, minGapMs: pollGapMs, run: poll }, signal);
  const resyncing = repeat({ intervalMs: resyncMs, run: resync }, signal);
  const hearing = manager?.followHints((head) => {
    if (head !== follower.head()) looking.poke();
    polling.poke();
  }, signal);
  await Promise.all([looking.done, polling.done, resyncing.done, hearing, observer.run(signal)]);
}

/** Decides what of the pending is torn down; what cannot be decided now is decided at the next poll. */
async function decide({ shared, follower, deletions }: Agent): Promise<void> {
  const { parts, signal } = shared;
  try {
    await deletions.decide(follower.pending(), follower.guard(), signal);
  } catch (error) {
    if (signal.aborted) return;
    if (!isAppError(error)) throw error;
    parts.log.warn({ code: error.code, data: error.data }, 'deletions not decided');
  }
  parts.metrics?.setBreaker(breakerReport(follower.guard(), deletions.held(), shared.previews.size).reason);
}
