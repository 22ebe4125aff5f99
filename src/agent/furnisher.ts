import type { Logger } from '../log/create-logger.js';
import type { ObservedObject } from '../protocol/observations.js';
import type { WantedPreview } from './branch/read-file.js';
import { type ApplyFurnitureDeps, applyFurniture, furnitureEntries } from './furnish/apply-furniture.js';
import type { FurnitureSettings } from './furnish/furniture-settings.js';
import { type FurniturePlan, isStale, planFurniture, refuseCollisions } from './furnish/plan-furniture.js';
import type { SecretSources } from './furnish/secret-sources.js';
import type { FurnitureEntry, Inventory } from './inventory.js';
import type { LiveObject } from './live/live-objects.js';
import { keyOf, type Manifest } from './manifest.js';
import type { PreviewIdentity } from './marks.js';
import { isDrifted } from './plan/make-plan.js';
import { type PruneDeps, pruneObjects } from './prune/prune-objects.js';

export interface FurnisherDeps {
  cluster: ApplyFurnitureDeps & PruneDeps;
  /** null: no secrets are copied. */
  sources: SecretSources | null;
  live(pair: { slug: string; incarnation: number }): ReadonlyMap<string, LiveObject>;
  /** Takes the answer of a write. */
  record(object: Manifest): void;
  log: Logger;
}

/** What is to be done to one namespace, once it is there. */
export interface Furnishing {
  /** Nothing is to be written or removed. */
  isDone: boolean;
  /** What the inventory must list before anything is written. */
  entries: FurnitureEntry[];
  /** Throws `fence-refused` when the preview's own objects have the place of the agent's. */
  refuseCollisions(manifests: readonly Manifest[]): void;
  /** Writes and removes; answers the entries as they are then. */
  apply(identity: PreviewIdentity, namespace: string, signal: AbortSignal): Promise<FurnitureEntry[]>;
}

/** Keeps quota, limits, network policy and copied secrets of every preview as file and configuration say. */
export interface Furnisher {
  plan(wanted: WantedPreview, inventory: Inventory | null, signal: AbortSignal): Promise<Furnishing>;
  /** What a person should see beside the preview's objects: copies whose source is gone. */
  remarks(slug: string): ObservedObject[];
}

export function createFurnisher(deps: FurnisherDeps, settings: FurnitureSettings): Furnisher {
  /** Keys of copies without a source, by slug. */
  const orphaned = new Map<string, string[]>();

  function note(slug: string, plan: FurniturePlan): void {
    const before = orphaned.get(slug) ?? [];
    for (const key of plan.orphaned.filter((each) => !before.includes(each))) {
      deps.log.warn({ slug, object: key, namespace: settings.secretsFrom }, 'source of a copied secret is gone');
    }
    if (plan.orphaned.length === 0) orphaned.delete(slug);
    else orphaned.set(slug, plan.orphaned);
  }

  return {
    async plan(wanted, inventory, signal) {
      const { slug, application } = wanted;
      const known = inventory?.furniture ?? [];
      const plan = await planFurniture(deps.sources, { slug, application, settings, known }, signal);
      note(slug, plan);
      const live = deps.live(wanted);
      const byKey = new Map(known.map((entry) => [keyOf(entry), entry]));
      const stale = plan.pieces.filter((piece) => isStale(piece, byKey.get(piece.key), live, isDrifted));
      const entries = furnitureEntries(plan, stale, known);
      const wantedKeys = new Set(plan.pieces.map(({ key }) => key));
      const superfluous = entries.filter((entry) => !wantedKeys.has(keyOf(entry)));
      return {
        isDone: stale.length === 0 && superfluous.length === 0,
        entries,
        refuseCollisions: (manifests) => refuseCollisions(slug, plan, manifests),
        async apply(identity, namespace, until) {
          const { secretsFrom } = settings;
          const input = { identity, namespace, secretsFrom, stale, entries, onAnswer: deps.record, signal: until };
          const written = await applyFurniture(deps.cluster, input);
          if (superfluous.length === 0) return written;
          const kept = await pruneObjects(deps.cluster, { identity, namespace, entries: superfluous, signal: until });
          const gone = new Set(superfluous.filter((entry) => !kept.includes(entry)).map(keyOf));
          return written.filter((entry) => !gone.has(keyOf(entry)));
        },
      };
    },
    remarks: (slug) =>
      (orphaned.get(slug) ?? []).map((key) => ({
        group: '',
        kind: 'Secret',
        name: key.slice(key.lastIndexOf('/') + 1),
        health: 'Healthy',
        message: `its source in the namespace ${settings.secretsFrom ?? ''} is gone; the copy stays as it was`,
      })),
  };
}
