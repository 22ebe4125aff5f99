import type { Inventory, InventoryEntry } from '../inventory.js';
import { contentPrint, fields, keyOf, type Manifest, manifestKey } from '../manifest.js';
import { inSteps } from './apply-order.js';

/** What the plan needs to know of an object in the cluster. */
export interface LiveFacts {
  uid: string;
  /** null for kinds without one. */
  generation: number | null;
  /** Fingerprint of what it holds. */
  print: string;
}

export interface Plan {
  /** Objects to apply, in steps; those of one step go together. */
  steps: Manifest[][];
  /** What the inventory lists and the file no longer asks for, in the order of removal. */
  prune: InventoryEntry[];
  /** What the inventory must list before anything is written: all that is, was or will be there. */
  entries: InventoryEntry[];
}

export interface PlanInput {
  desired: readonly Manifest[];
  inventory: Inventory | null;
  /** Fingerprint of the file. */
  revision: string;
  /** By key; what is absent is not in the cluster. */
  live: ReadonlyMap<string, LiveFacts>;
}

/**
 * What must be done so that the cluster holds the desired objects. A new revision applies all of them; the same one
 * only what is missing or was changed since it was applied, so that nothing is written where nothing differs.
 */
export function makePlan(input: PlanInput): Plan {
  const known = new Map((input.inventory?.objects ?? []).map((entry) => [keyOf(entry), entry]));
  const applied = input.inventory?.revision === input.revision;
  const keys = new Set(input.desired.map(manifestKey));
  const dirty = input.desired.filter((manifest) => {
    const entry = known.get(manifestKey(manifest));
    return !applied || entry === undefined || isDrifted(entry, input.live.get(manifestKey(manifest)));
  });
  const superfluous = [...known.values()].filter((entry) => !keys.has(keyOf(entry)));
  return {
    steps: inSteps(dirty),
    prune: inSteps(superfluous).reverse().flat(),
    entries: [...input.desired.map((manifest) => entryOf(manifest, known.get(manifestKey(manifest)))), ...superfluous],
  };
}

/**
 * Whether the object is missing, another one, or no longer what was applied. What the cluster itself
 * writes counts for no kind that has a generation; for the others it may count once, and applying what is equal is harmless.
 */
export function isDrifted(entry: InventoryEntry, live: LiveFacts | undefined): boolean {
  if (live === undefined) return !entry.once;
  if (entry.uid !== live.uid) return true;
  return entry.generation !== null && live.generation !== null
    ? live.generation > entry.generation
    : entry.print !== live.print;
}

function entryOf(manifest: Manifest, known: InventoryEntry | undefined): InventoryEntry {
  return {
    apiVersion: manifest.apiVersion,
    kind: manifest.kind,
    name: manifest.metadata.name,
    uid: known?.uid ?? null,
    generation: known?.generation ?? null,
    print: known?.print ?? null,
    once: runsOnce(manifest),
  };
}

/** A Job that the cluster removes by itself once it ended: made once a revision, or it would run for ever. */
function runsOnce(manifest: Manifest): boolean {
  return manifest.kind === 'Job' && fields(manifest.spec).ttlSecondsAfterFinished !== undefined;
}

/** The entries after the API server answered: each with what was written last. */
export function withAnswers(entries: readonly InventoryEntry[], answers: readonly Manifest[]): InventoryEntry[] {
  const byKey = new Map(answers.map((answer) => [manifestKey(answer), answer]));
  return entries.map((entry) => {
    const answer = byKey.get(keyOf(entry));
    if (answer === undefined) return entry;
    return {
      ...entry,
      uid: answer.metadata.uid ?? null,
      generation: answer.metadata.generation ?? null,
      print: contentPrint(answer),
    };
  });
}
