import type { Logger } from '../log/create-logger.js';
import type { Cluster } from './cluster.js';
import { judgeObject } from './health/judge-object.js';
import { createLiveObjects, type Kind, type LiveObject, type LiveObjects } from './live/live-objects.js';
import { keyOf, type Manifest } from './manifest.js';
import { isDrifted } from './plan/make-plan.js';
import { appliedInventory, isCondemned, type PreviewState } from './preview-state.js';
import { nextRepairMs } from './reconcile.js';
import type { WorkQueue } from './work-queue.js';

export interface LiveViewDeps {
  cluster: Pick<Cluster, 'watch' | 'listPages'>;
  previews: ReadonlyMap<string, PreviewState>;
  queue: Pick<WorkQueue, 'add' | 'isRunning'>;
  /** Tells the manager how a preview is now. */
  report(slug: string): void;
  log: Logger;
}

/** The live objects of the pinned installation, and what their changes set off: a report, a repair, an end. */
export interface LiveView {
  /** Begins to follow the cluster, once it is known whose objects to follow. */
  begin(installation: string): void;
  installation(): string | null;
  objects(): LiveObjects | null;
  of(pair: { slug: string; incarnation: number }): ReadonlyMap<string, LiveObject>;
  follow(kinds: readonly Kind[]): void;
  synced(kinds: readonly Kind[], signal: AbortSignal): Promise<void>;
  record(object: Manifest): void;
  /** Slugs that a person paused by an annotation on their namespace. */
  annotated(): ReadonlySet<string>;
}

const nothing: ReadonlyMap<string, LiveObject> = new Map();

export function createLiveView(deps: LiveViewDeps, pinned: string | null, signal: AbortSignal): LiveView {
  const { previews, queue } = deps;
  let installation: string | null = null;
  let objects: LiveObjects | null = null;
  /** Slugs whose objects changed since the last report: many events of one moment make one report. */
  const changed = new Set<string>();
  const annotated = new Set<string>();

  function flush(): void {
    const slugs = [...changed];
    changed.clear();
    for (const slug of slugs) if (!queue.isRunning(slug)) deps.report(slug);
  }

  function notePause(pair: { slug: string; incarnation: number }, key: string): void {
    const { slug } = pair;
    const paused = objects?.of(pair).get(key)?.paused === true;
    if (paused === annotated.has(slug)) return;
    if (paused) annotated.add(slug);
    else annotated.delete(slug);
    deps.log.info({ slug, paused }, 'annotation mayfly.dev/paused of a namespace changed');
    // What is under way stops at once; afterwards what changed meanwhile is taken up.
    queue.add(slug, { supersede: paused });
  }

  /** The next wave, or what comes after a hook, may be due: its health has changed for good or ill. */
  function wakeWaiting(pair: { slug: string; incarnation: number }, preview: PreviewState, key: string): void {
    const isAwaited = preview.awaiting?.some(({ group, kind, name }) => `${group}/${kind}/${name}` === key) === true;
    const health = objects?.of(pair).get(key)?.health.status;
    if (isAwaited && health !== 'Progressing') queue.add(pair.slug);
  }

  function onChange(
    pair: { slug: string; incarnation: number },
    change: { key: string; deleted: boolean; appeared: boolean },
  ): void {
    if (change.key.startsWith('/Namespace/')) notePause(pair, change.key);
    const preview = previews.get(pair.slug);
    if (preview === undefined) return;
    // One that appears was given back its labels, it may be: what failed for want of them can go on.
    const isDue = change.deleted || (change.appeared && (preview.problem !== null || isCondemned(preview)));
    if (isDue && change.key.startsWith('/Namespace/')) queue.add(pair.slug);
    if (preview.wanted?.incarnation === pair.incarnation) wakeWaiting(pair, preview, change.key);
    if (preview.wanted?.incarnation !== pair.incarnation || !preview.settled) return;
    if (changed.size === 0) setImmediate(flush);
    changed.add(pair.slug);
    // What changes while it is being applied is looked at when that is over.
    const inventory = appliedInventory(preview);
    if (inventory === null || queue.isRunning(pair.slug)) return;
    const entry = [...inventory.objects, ...(inventory.furniture ?? [])].find((each) => keyOf(each) === change.key);
    if (entry !== undefined && isDrifted(entry, objects?.of(pair).get(change.key))) {
      deps.log.info({ slug: pair.slug, object: change.key, deleted: change.deleted }, 'drift is repaired');
      queue.add(pair.slug, { delayMs: nextRepairMs(preview, Date.now()) });
    }
  }

  function begin(id: string): void {
    installation = id;
    const { watch, listPages } = deps.cluster;
    objects = createLiveObjects({ watch, listPages, judge: judgeObject, onChange }, id, signal);
    objects.follow([{ apiVersion: 'v1', kind: 'Namespace' }]);
    for (const { inventories } of previews.values()) {
      for (const { objects: own, furniture = [] } of inventories.values()) objects.follow([...own, ...furniture]);
    }
  }

  if (pinned !== null) begin(pinned);
  return {
    begin,
    installation: () => installation,
    objects: () => objects,
    of: (pair) => objects?.of(pair) ?? nothing,
    follow: (kinds) => objects?.follow(kinds),
    synced: async (kinds, until) => objects?.synced(kinds, until),
    record: (object) => objects?.record(object),
    annotated: () => annotated,
  };
}
