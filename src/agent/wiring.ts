import { annotation } from '../application/application.js';
import { isAppError } from '../error/app-error.js';
import type { Mirror } from '../git/mirror.js';
import type { AgentDeps, AgentOptions } from './agent-options.js';
import { allowsExplained } from './branch/guards.js';
import { pauseReport } from './carry-out.js';
import type { Cluster } from './cluster.js';
import type { DeletionDeps, Deletions } from './deletions.js';
import { diagnose } from './diagnose/diagnose.js';
import { lonelyServices } from './diagnose/lonely-services.js';
import type { BranchFollower, FollowDeps } from './follow.js';
import type { NetworkSettings } from './furnish/furniture-settings.js';
import { createSecretSources } from './furnish/secret-sources.js';
import { createFurnisher, type Furnisher } from './furnisher.js';
import type { Inventory } from './inventory.js';
import type { ManagerClient } from './link/manager-client.js';
import type { LiveView } from './live-view.js';
import type { ProberDeps } from './look-at-url.js';
import type { Observer } from './observe.js';
import { findOrphans, type Orphan } from './orphans.js';
import { type Pauses, projectOfScope } from './pauses.js';
import type { PollDeps } from './poll.js';
import { createPreviewState, isCondemned, type PreviewState, projectsOf } from './preview-state.js';
import { sendProbe } from './probe/send-probe.js';
import type { ReconcileDeps, ReconcileSettings } from './reconcile.js';
import type { Memory } from './remember.js';
import type { Room } from './room.js';
import { createSourceLoader } from './source/load-source.js';
import type { Sources } from './sources.js';
import { type UnblockResult, unblock } from './teardown/unblock.js';
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
  room: Room;
  signal: AbortSignal;
}

const sourceTimeoutMs = 60_000;
const rememberHeadMs = 500;
/** What an agent without a manager is told. */
const unexplained = { explanation: null, lives: false };
/** Without a word of the configuration the agent makes no network policy. */
const openNetwork: NetworkSettings = { policy: 'open', allowFrom: [], denyTo: [] };

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
      // A number far above all that is known is somebody's slip: to note it would refuse every incarnation to come.
      const living = shared.previews.get(pair.slug)?.inventories.keys() ?? [];
      const known = Math.max(memory.tornDown.highest(pair.slug), ...living);
      // A signal of its own: what many wait for is not counted against the others.
      if (pair.incarnation <= known + 1) saved(memory.tornDown.raise(pair, AbortSignal.any([signal])));
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
  later: Pick<ReconcileDeps, 'scheduleLook' | 'scheduleProbe'>,
): ReconcileDeps {
  const { parts, options, previews, observer, view } = shared;
  const { cluster, memory, log, metrics } = parts;
  const furnisher = furnisherOf(shared);
  return {
    deploy: {
      furnisher,
      source: createSourceLoader(parts.sources, {
        allowed: options.repositories.map(({ pattern }) => pattern),
        timeoutMs: sourceTimeoutMs,
      }),
      cluster: cluster.objects,
      saveInventory: (inventory, until) => memory.store.save(inventory, until),
      live: view,
      diagnose: (input) => diagnose(cluster.diagnose, { ...input, now: Date.now() }),
    },
    retire: {
      cluster: cluster.objects,
      removeInventory: (inventory, until) => memory.store.remove(inventory, until),
      expectTornDown: memory.tornDown.expect,
      rememberTornDown: (inventory, until) => memory.tornDown.raise(inventory, until),
    },
    live: view.of,
    tornDown: (slug) => memory.tornDown.highest(slug),
    trusted(slug) {
      const head = follower.head();
      const installation = view.installation();
      if (!follower.looked() || head === null || installation === null) return null;
      const guard = follower.guard();
      // A branch that is not trusted moves nothing but what is condemned, where that is allowed.
      const preview = previews.get(slug);
      const allowed = guard === null || (allowsExplained(guard) && preview !== undefined && isCondemned(preview));
      return allowed ? { installation, head } : null;
    },
    async pausedBy(slug, until) {
      // Before the namespaces were listed nobody knows what a person wrote on them.
      await view.synced([{ apiVersion: 'v1', kind: 'Namespace' }], until);
      return pausedBy(shared, slug);
    },
    room: shared.room,
    remarks: furnisher.remarks,
    report: observer.report,
    forget: observer.forget,
    ...later,
    observeDuration: (durationMs) => metrics?.observeStage({ stage: 'reconcile', durationMs }),
    log,
  };
}

function pausedBy({ previews, pauses, view }: Shared, slug: string): string | null {
  const preview = previews.get(slug);
  const projects = preview === undefined ? [] : projectsOf(preview);
  return pauses.by({ slug, projects, isAnnotated: view.annotated().has(slug) });
}

function furnisherOf({ parts, options, previews, queue, view, signal }: Shared): Furnisher {
  const { cluster, log } = parts;
  const { secretsFrom = null, network = openNetwork } = options;
  const onChange = (name: string) => {
    const quoted = JSON.stringify(name);
    for (const { slug, wanted } of previews.values()) {
      if (wanted !== null && annotation(wanted.application, 'secrets')?.includes(quoted)) queue.add(slug);
    }
  };
  const { watchSecrets } = cluster;
  const sources = secretsFrom === null ? null : createSecretSources({ watchSecrets, onChange }, secretsFrom, signal);
  return createFurnisher(
    { cluster: cluster.objects, sources, live: view.of, record: view.record, log },
    { resources: options.limits?.resources ?? null, secretsFrom, network },
  );
}

export function proberDeps({ parts, options, previews, view }: Shared, report: (slug: string) => void): ProberDeps {
  const { cluster, log } = parts;
  const settings = { allowLoopback: options.probe?.allowLoopback ?? false };
  return {
    send: (request, until) => sendProbe(settings, request, until),
    explain: (namespace, until) => lonelyServices(cluster.diagnose, namespace, until),
    hosts: options.hosts,
    previews,
    live: view.of,
    report,
    log,
  };
}

export function deletionDeps(shared: Shared, follower: BranchFollower): DeletionDeps {
  const { parts, previews, observer, queue } = shared;
  const { manager, memory, log } = parts;
  return {
    previews,
    explain: async (pairs, until) => (manager === null ? pairs.map(() => unexplained) : manager.explain(pairs, until)),
    remember: (done, until) => memory.states.save({ deletions: done }, until),
    isPaused: (slug) => pausedBy(shared, slug) !== null,
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
    poll: async (body, until) =>
      manager === null ? { orders: [], unheard: [] } : noted(parts.readiness, manager.poll(body, until)),
    repeat: observer.repeat,
    previews,
    follower,
    deletions,
    paused: () => pauseReport(pauses.all(), [...view.annotated()], projectOfScope),
    orphans: () => findOrphans(view.objects(), previews, options.namespacePrefix),
    async pause(scope, paused, by, until) {
      await pauses.set(scope, paused, by, until);
      // What is under way stops at once, what waited goes on.
      for (const slug of previews.keys()) {
        if ((pausedBy(shared, slug) !== null) === paused) queue.add(slug, { supersede: paused });
      }
    },
    unblock: (order, until) => unblockPreview(shared, order, until),
    removeOrphan(orphan) {
      const preview = previews.get(orphan.slug) ?? createPreviewState(orphan.slug);
      previews.set(orphan.slug, preview);
      preview.inventories.set(orphan.incarnation, orphanInventory(orphan));
      queue.add(orphan.slug);
    },
    log,
  };
}

/** The incarnation that is being torn down, or the orphan, whose end a person wants to hasten. */
async function unblockPreview(
  { parts, options, previews, view }: Shared,
  order: { slug: string; incarnation: number | null; finalizer: string },
  signal: AbortSignal,
): Promise<UnblockResult> {
  const installation = view.installation();
  const { slug, finalizer } = order;
  const kept = [...(previews.get(slug)?.inventories.values() ?? [])];
  const found = [...kept, ...findOrphans(view.objects(), previews, options.namespacePrefix)].find(
    (each) => each.slug === slug && (order.incarnation === null || each.incarnation === order.incarnation),
  );
  if (found === undefined || installation === null) {
    return { done: false, detail: `Nothing was done: nothing of ${slug} is in the cluster ${options.name}.` };
  }
  const { namespace, namespaceUid, incarnation } = found;
  const identity = { installation, slug, incarnation };
  return unblock(parts.cluster.unblock, { identity, namespace, namespaceUid, finalizer, signal });
}

function orphanInventory(orphan: Orphan): Inventory {
  return {
    slug: orphan.slug,
    incarnation: orphan.incarnation,
    namespace: orphan.namespace,
    namespaceUid: orphan.namespaceUid,
    revision: null,
    objects: [],
    createdAt: Date.now(),
    condemned: 'an orphan that a person removed',
  };
}

/** Notes whether the manager answered. */
async function noted<T>(readiness: AgentDeps['readiness'], asking: Promise<T>): Promise<T> {
  try {
    const answer = await asking;
    readiness?.managerPolled(null);
    return answer;
  } catch (error) {
    if (isAppError(error)) readiness?.managerPolled(error.code);
    throw error;
  }
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
