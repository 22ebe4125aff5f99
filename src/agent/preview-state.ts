import { annotation } from '../application/application.js';
import type { Diagnosis, ObservationMessage, ObservedObject } from '../protocol/observations.js';
import type { WantedPreview } from './branch/read-file.js';
import type { Inventory } from './inventory.js';
import type { ProbeState } from './probe/probe-state.js';

/** Why the wanted revision is not applied. */
export interface Problem {
  revision: string;
  state: 'applying' | 'refused' | 'degraded';
  diagnosis: Diagnosis;
}

/** What the last look at the pods found. */
interface Finding {
  revision: string;
  diagnosis: Diagnosis;
  /** It will not get better by waiting. */
  stuck: boolean;
}

/** All that the agent knows of one slug while it runs; the inventories alone outlive it. */
export interface PreviewState {
  readonly slug: string;
  /** What the branch asks for; null: nothing, or nothing that may be applied. */
  wanted: WantedPreview | null;
  /** What is in the cluster, by incarnation: one, but while one makes way for the next. */
  readonly inventories: Map<number, Inventory>;
  /** The wanted revision was found applied, or was applied, since this agent started: its health can be told. */
  settled: boolean;
  problem: Problem | null;
  /** Objects of the wanted revision that the rest of it waits for; null: nothing is waited for. */
  awaiting: readonly ObservedObject[] | null;
  finding: Finding | null;
  /** What its URL answered; null: it was not asked. */
  probe: ProbeState | null;
  /** Failed attempts at the wanted revision in a row. */
  failures: number;
  /** Looks at the pods of the wanted revision so far. */
  looks: number;
  /** When repairs were due, newest last: a fight with another program must not become a storm. */
  repairs: number[];
  /** Incarnations whose end was decided, and why; the inventory is told before anything is removed. */
  readonly verdicts: Map<number, string>;
  /** Who paused it when it was last looked at; null: nobody. */
  pausedBy: string | null;
  /** Since when its namespace is being deleted, milliseconds since the epoch. */
  terminatingSince: number | null;
  /** State of each incarnation that was reported last. */
  readonly states: Map<number, ObservationMessage['state']>;
}

export function createPreviewState(slug: string): PreviewState {
  return {
    slug,
    wanted: null,
    inventories: new Map(),
    settled: false,
    problem: null,
    awaiting: null,
    finding: null,
    probe: null,
    failures: 0,
    looks: 0,
    repairs: [],
    verdicts: new Map(),
    pausedBy: null,
    terminatingSince: null,
    states: new Map(),
  };
}

/** Takes what the branch asks for now; what was learnt of another revision is forgotten. */
export function setWanted(preview: PreviewState, wanted: WantedPreview | null): void {
  const same = preview.wanted?.revision === wanted?.revision && preview.wanted?.incarnation === wanted?.incarnation;
  preview.wanted = wanted;
  if (same) return;
  preview.settled = false;
  preview.problem = null;
  preview.awaiting = null;
  preview.finding = null;
  preview.probe = null;
  preview.failures = 0;
  preview.looks = 0;
  preview.repairs = [];
}

/** The inventory of the wanted incarnation, once its wanted revision was applied in full. */
export function appliedInventory(preview: PreviewState): Inventory | null {
  const { wanted } = preview;
  const inventory = wanted === null ? undefined : preview.inventories.get(wanted.incarnation);
  return inventory !== undefined && inventory.condemned === null && inventory.revision === wanted?.revision
    ? inventory
    : null;
}

/** The inventory of the wanted incarnation while a part of its revision is applied, and the rest waits for it. */
export function awaitedInventory({ wanted, awaiting, inventories }: PreviewState): Inventory | null {
  const inventory = wanted === null || awaiting === null ? undefined : inventories.get(wanted.incarnation);
  return inventory?.condemned === null ? inventory : null;
}

/**
 * Paths of the projects that a preview is of, from its file and from what was applied of it: several for one that merge
 * requests share, such as `acme/shop!42 acme/cart!7`.
 */
export function projectsOf(preview: PreviewState): string[] {
  const wanted = preview.wanted === null ? undefined : annotation(preview.wanted.application, 'merge-request');
  const kept = [...preview.inventories.values()].map(({ mergeRequests }) => mergeRequests);
  const references = [wanted, ...kept].flatMap((text) => (text ?? '').split(' '));
  return [...new Set(references.map((reference) => reference.replace(/!\d+$/, '')).filter((path) => path !== ''))];
}

/** Whether the end of one of its incarnations was decided. */
export function isCondemned(preview: PreviewState): boolean {
  return preview.verdicts.size > 0 || [...preview.inventories.values()].some(({ condemned }) => condemned !== null);
}

/** What an earlier run of the agent left in the cluster. */
export function restorePreviews(inventories: readonly Inventory[]): Map<string, PreviewState> {
  const previews = new Map<string, PreviewState>();
  for (const inventory of inventories) {
    const preview = previews.get(inventory.slug) ?? createPreviewState(inventory.slug);
    preview.inventories.set(inventory.incarnation, inventory);
    previews.set(inventory.slug, preview);
  }
  return previews;
}

/** How many incarnations are in each state. */
export function countStates(previews: Iterable<PreviewState>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { states } of previews) {
    for (const state of states.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return counts;
}
