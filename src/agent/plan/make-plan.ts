import type { HookRecord, Inventory, InventoryEntry } from '../inventory.js';
import { contentPrint, fields, keyOf, type Manifest } from '../manifest.js';
import { removalSteps } from './apply-order.js';
import { type DesiredItem, isDeletedAfter } from './desired-item.js';
import { keptStage } from './stage.js';

/** What the plan needs to know of an object in the cluster. */
export interface LiveFacts {
  uid: string;
  /** null for kinds without one. */
  generation: number | null;
  /** Fingerprint of what it holds. */
  print: string;
  /** Its deletion was asked for and is not done. Default false. */
  terminating?: boolean;
}

/**
 * What an object needs. `create`: it is not in the cluster. `examine`: it is, and may differ. `run`: a hook that has
 * not ended. `nothing`: it is as it was applied, which needs no request.
 */
type Need = 'create' | 'examine' | 'run' | 'nothing';

export interface Plan {
  /** By item; every one of the desired is there. */
  needs: ReadonlyMap<DesiredItem, Need>;
  /** What the inventory lists and the file no longer asks for, in the order of removal. */
  prune: InventoryEntry[];
  /** The same, of what goes only when all else is healthy. */
  pruneLast: InventoryEntry[];
  /** What the inventory must list before anything is written: all that is, was or will be there. */
  entries: InventoryEntry[];
}

export interface PlanInput {
  desired: readonly DesiredItem[];
  inventory: Inventory | null;
  /** Fingerprint of the file. */
  revision: string;
  /** By key; what is absent is not in the cluster. */
  live: ReadonlyMap<string, LiveFacts>;
}

/**
 * What must be done so that the cluster holds the desired objects. What was applied last as it is desired now, and was
 * not changed since, needs nothing, whatever else the revision changes.
 */
export function makePlan(input: PlanInput): Plan {
  const known = new Map((input.inventory?.objects ?? []).map((entry) => [keyOf(entry), entry]));
  const needs = new Map(input.desired.map((item) => [item, needOf(item, known.get(item.key), input)]));
  const wanted = new Map(input.desired.map((item) => [item.key, item]));
  const leftover = [...known.values()].filter((entry) => !wanted.has(keyOf(entry))).map(withoutPlace);
  const going = leftover.filter((entry) => entry.leftover === 'prune');
  const entries = [...wanted.values()].flatMap((item) => {
    const entry = known.get(item.key);
    if (item.hook?.idle && entry === undefined) return [];
    return [entryOf(item, entry, needs.get(item) ?? 'nothing', input.revision)];
  });
  return {
    needs,
    prune: removalSteps(going.filter((entry) => entry.prune !== 'last')).flat(),
    pruneLast: removalSteps(going.filter((entry) => entry.prune === 'last')).flat(),
    entries: [...entries, ...leftover],
  };
}

function needOf(item: DesiredItem, entry: InventoryEntry | undefined, input: PlanInput): Need {
  if (item.hook !== null) {
    const ended = endedIn(entry?.hook, input.revision)[item.hook.phase] === 'Succeeded';
    // Noted before its object is deleted: whoever was killed in between has left that undone.
    const left = isDeletedAfter(item.hook, 'Succeeded') && input.live.get(item.key)?.uid === entry?.uid;
    return item.hook.idle || (ended && !left) ? 'nothing' : 'run';
  }
  const live = input.live.get(item.key);
  if (live === undefined) {
    const made = entry?.once === true && entry.uid !== null && entry.applied === item.print;
    const thisRevision = (input.inventory?.target ?? input.inventory?.revision) === input.revision;
    return made && thisRevision ? 'nothing' : 'create';
  }
  // What was about to be removed is wanted again: how far that went is looked at.
  if (entry === undefined || entry.leftover === 'prune') return 'examine';
  return entry.applied === item.print && !isDrifted(entry, live) ? 'nothing' : 'examine';
}

/** How a hook's runs for a revision ended; what it did for another says nothing. */
export function endedIn(record: HookRecord | undefined, revision: string): HookRecord['ended'] {
  return record?.revision === revision ? record.ended : {};
}

/**
 * Whether the object is missing, another one, or no longer what was applied. What the cluster itself
 * writes counts for no kind that has a generation; for the others it may count once, and looking at what is equal is
 * harmless. A hook is not kept in step.
 */
export function isDrifted(entry: InventoryEntry, live: LiveFacts | undefined): boolean {
  if (entry.leftover === 'keep' || (entry.hook !== undefined && entry.leftover === undefined)) return false;
  // What was not confirmed to be gone is looked at until it is; while a finalizer holds it, there is nothing new to see.
  if (entry.leftover === 'prune') return !(live?.terminating === true && (entry.uid ?? live.uid) === live.uid);
  if (live === undefined) return !entry.once;
  if (entry.uid !== live.uid) return true;
  return entry.generation !== null && live.generation !== null
    ? live.generation > entry.generation
    : entry.print !== live.print;
}

function withoutPlace(entry: InventoryEntry): InventoryEntry {
  return { ...entry, leftover: entry.prune === 'never' ? 'keep' : 'prune' };
}

function entryOf(item: DesiredItem, known: InventoryEntry | undefined, need: Need, revision: string): InventoryEntry {
  const { manifest, options, hook } = item;
  const stage = keptStage(item.stage);
  return {
    apiVersion: manifest.apiVersion,
    kind: manifest.kind,
    name: manifest.metadata.name,
    uid: known?.uid ?? null,
    generation: known?.generation ?? null,
    print: known?.print ?? null,
    once: hook !== null || runsOnce(manifest),
    // A crash halfway leaves it unknown what was written last.
    ...(need !== 'nothing' || known?.applied === undefined ? {} : { applied: known.applied }),
    ...(stage === undefined ? {} : { stage }),
    ...(options.prune === 'yes' ? {} : { prune: options.prune }),
    ...(hook === null ? {} : { hook: hook.idle ? known?.hook : recordFor(known?.hook, revision) }),
  };
}

function recordFor(known: HookRecord | undefined, revision: string): HookRecord {
  return known?.revision === revision ? known : { revision, run: null, ended: {} };
}

/** A Job that the cluster removes by itself once it ended: made once a revision, or it would run for ever. */
function runsOnce(manifest: Manifest): boolean {
  return manifest.kind === 'Job' && fields(manifest.spec).ttlSecondsAfterFinished !== undefined;
}

/** An entry after the API server answered: with what it holds now. */
export function withAnswer(entry: InventoryEntry, answer: Manifest, applied: string): InventoryEntry {
  return {
    ...entry,
    uid: answer.metadata.uid ?? null,
    generation: answer.metadata.generation ?? null,
    print: contentPrint(answer),
    applied,
  };
}
