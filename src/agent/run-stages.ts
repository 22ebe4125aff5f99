import type { ObservedObject } from '../protocol/observations.js';
import { inApplyOrder } from './apply/apply-objects.js';
import type { InventoryEntry } from './inventory.js';
import { groupOf, keyOf, manifestKey } from './manifest.js';
import { inSteps } from './plan/apply-order.js';
import type { DesiredItem } from './plan/desired-item.js';
import { endedIn } from './plan/make-plan.js';
import { inStages, isAfterSync } from './plan/stage.js';
import { asksToStay } from './plan/sync-options.js';
import { type PruneDeps, pruneObjects } from './prune/prune-objects.js';
import { runHook } from './run-hook.js';
import type { Sync } from './sync.js';
import { writeItem } from './write-item.js';

/** What must be healthy, or have ended, before the rest is done. */
export interface Waiting {
  what: 'wave' | 'hook';
  objects: ObservedObject[];
}

/**
 * Does what the plan says, stage by stage: a later one begins only when all objects of the earlier ones are healthy and
 * their hooks have succeeded. Within a stage nothing is waited for. Level-based: it is called again until it answers
 * null, and does nothing twice. Throws the first failure.
 */
export async function runStages(sync: Sync): Promise<Waiting | null> {
  const { plan } = sync;
  const stages = inStages([...plan.needs.keys()]);
  let pruned = false;
  for (const [index, stage] of stages.entries()) {
    const [first] = stage;
    if (!pruned && first !== undefined && isAfterSync(first.stage)) {
      await prune(sync, plan.prune);
      pruned = true;
    }
    const todo = stage.filter((item) => plan.needs.get(item) !== 'nothing');
    if (todo.length === 0) continue;
    const unwell = sync.isGated ? unwellItems(sync, stages.slice(0, index).flat()) : [];
    if (unwell.length > 0) return { what: 'wave', objects: unwell };
    const running = await doStage(sync, todo);
    if (running.length > 0) return { what: 'hook', objects: running };
  }
  if (!pruned) await prune(sync, plan.prune);
  if (plan.pruneLast.length === 0) return null;
  const unwell = sync.isGated ? unwellItems(sync, stages.flat()) : [];
  if (unwell.length > 0) return { what: 'wave', objects: unwell };
  await prune(sync, plan.pruneLast);
  return null;
}

/** Writes the objects of a stage and takes its hooks a step further; answers those that still run. */
async function doStage(sync: Sync, todo: readonly DesiredItem[]): Promise<ObservedObject[]> {
  const running: ObservedObject[] = [];
  const steps = inSteps(todo.map((item) => ({ ...named(item), item })));
  await inApplyOrder(
    steps,
    async ({ item }) => {
      if (item.hook === null) return writeItem(sync, item);
      const left = await runHook(sync, item, item.hook);
      if (left !== null) running.push(left);
    },
    sync.signal,
  );
  return running;
}

/** Those whose health does not let the next stage begin. */
function unwellItems(sync: Sync, items: readonly DesiredItem[]): ObservedObject[] {
  const live = sync.live.of(sync.pair);
  return items.flatMap((item): ObservedObject[] => {
    const entry = sync.ledger.entry(item.key);
    const { apiVersion, kind, name } = named(item);
    const is = (health: ObservedObject['health'], message: string | null): ObservedObject[] => [
      { group: groupOf(apiVersion), kind, name, health, message },
    ];
    if (item.hook !== null) {
      const ended = item.hook.idle || endedIn(entry?.hook, sync.revision)[item.hook.phase] === 'Succeeded';
      return ended ? [] : is('Progressing', 'the hook has not ended');
    }
    const found = live.get(item.key);
    if (found === undefined) return entry?.once ? [] : is('Missing', null);
    const other = found.uid !== entry?.uid || (found.generation ?? 0) < (entry?.generation ?? 0);
    if (other) return is('Progressing', 'waiting for the applied object to be seen');
    const { status, message } = found.health;
    const passes = status === 'Healthy' || (status === 'Suspended' && sync.isAsleep);
    // What a pod's program printed last is for the diagnosis, which redacts it.
    return passes ? [] : is(status, kind === 'Pod' ? null : message || null);
  });
}

/** Removes entries and takes them out of the inventory, but for those that stay or could not be confirmed. */
async function prune(sync: Sync, entries: readonly InventoryEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const { cluster, ledger, live } = sync;
  const before = ledger.inventory();
  const deps: PruneDeps = {
    get: (reference, signal) => cluster.get(reference, signal),
    remove(reference, options) {
      sync.noteWrite();
      return cluster.remove(reference, options);
    },
  };
  const kept = await pruneObjects(deps, {
    identity: sync.identity,
    namespace: before.namespace,
    entries,
    asksToStay,
    onStay: (entry) => ledger.replace({ ...entry, leftover: 'keep' }),
    // Known to be going before the watch tells it; what the watch has seen go meanwhile must not come back.
    onGoing(found) {
      if (live.of(sync.pair).get(manifestKey(found))?.uid === found.metadata.uid) live.record(found);
    },
    signal: sync.signal,
  });
  const gone = entries.filter((entry) => !kept.includes(entry));
  if (gone.length > 0) ledger.drop(new Set(gone.map(keyOf)));
  // What was learnt is to be persisted.
  if (ledger.inventory() !== before) sync.noteWrite();
}

function named({ manifest }: DesiredItem): { apiVersion: string; kind: string; name: string } {
  return { apiVersion: manifest.apiVersion, kind: manifest.kind, name: manifest.metadata.name };
}
