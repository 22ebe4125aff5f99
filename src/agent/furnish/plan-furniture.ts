import { createHash } from 'node:crypto';
import type { Application } from '../../application/application.js';
import { canonicalJson } from '../../application/canonical-json.js';
import { AppError } from '../../error/app-error.js';
import type { FurnitureEntry, InventoryEntry } from '../inventory.js';
import { displayName, keyOf, type Manifest, manifestKey } from '../manifest.js';
import { missingSecret } from './copy-secret.js';
import type { FurnitureSettings } from './furniture-settings.js';
import { networkPolicy } from './network-policy.js';
import { requestedFurniture } from './requested-furniture.js';
import { boundsManifests, cappedBounds } from './resource-bounds.js';
import type { SecretSources } from './secret-sources.js';

/** One piece: known in full, or a secret that is read when it is copied. */
export type FurniturePiece = { key: string; want: string } & (
  | { kind: 'object'; manifest: Manifest }
  | { kind: 'copy'; name: string }
);

/** What a namespace is to hold beside the preview's own objects. */
export interface FurniturePlan {
  pieces: FurniturePiece[];
  /** Keys of copies whose source is gone: the copy stays as it is, and that is told. */
  orphaned: string[];
}

/** What is known of an object in the cluster. */
interface LiveFacts {
  uid: string;
  generation: number | null;
  print: string;
}

export interface PlanFurnitureInput {
  slug: string;
  application: Application;
  settings: FurnitureSettings;
  /** As the inventory has it. */
  known: readonly FurnitureEntry[];
}

/**
 * What the file and the agent's configuration ask for together. Throws `secret-missing` for a secret that was never
 * copied and cannot be, and `fence-refused` for annotations that cannot be followed.
 */
export async function planFurniture(
  sources: SecretSources | null,
  input: PlanFurnitureInput,
  signal: AbortSignal,
): Promise<FurniturePlan> {
  const { settings } = input;
  const requested = requestedFurniture(input.application);
  const policy = networkPolicy(settings.network);
  const bounds = cappedBounds(requested.resources, settings.resources);
  const manifests = [...(policy === null ? [] : [policy]), ...(bounds === null ? [] : boundsManifests(bounds))];
  const pieces: FurniturePiece[] = manifests.map((manifest) => ({
    kind: 'object',
    key: manifestKey(manifest),
    want: print(manifest),
    manifest,
  }));
  if (requested.secrets.length > 0) await sources?.synced(signal);
  const orphaned: string[] = [];
  for (const name of requested.secrets) {
    const key = keyOf({ apiVersion: 'v1', kind: 'Secret', name });
    const copied = input.known.find((entry) => keyOf(entry) === key);
    const source = sources?.print(name) ?? null;
    // A copy outlives its source: taking it away would break what runs.
    if (source === null && (copied === undefined || copied.want === '')) {
      throw missingSecret(input.slug, name, sources?.namespace ?? null);
    }
    if (source === null) orphaned.push(key);
    pieces.push({ kind: 'copy', key, name, want: source ?? copied?.want ?? '' });
  }
  return { pieces, orphaned };
}

/** Whether a piece must be written: it is not what is wanted now, or the cluster's is another or gone. */
export function isStale(
  piece: FurniturePiece,
  entry: FurnitureEntry | undefined,
  live: ReadonlyMap<string, LiveFacts>,
  isDrifted: (entry: InventoryEntry, live: LiveFacts | undefined) => boolean,
): boolean {
  return entry === undefined || entry.want !== piece.want || isDrifted(entry, live.get(piece.key));
}

/** Throws `fence-refused` when the preview's own objects have the place of a copied secret. */
export function refuseCollisions(slug: string, plan: FurniturePlan, manifests: readonly Manifest[]): void {
  const keys = new Set(plan.pieces.map(({ key }) => key));
  const taken = manifests.filter((manifest) => keys.has(manifestKey(manifest)));
  if (taken.length === 0) return;
  const refusals = taken.map((manifest) => ({
    object: displayName({ kind: manifest.kind, name: manifest.metadata.name }),
    reason: 'Mayfly puts an object of that name there',
  }));
  const names = refusals.map(({ object }) => object);
  throw new AppError({
    code: 'fence-refused',
    disposition: 'stall',
    publicMessage: `Preview ${slug} declares ${names.join(', ')}, which Mayfly copies into its namespace. Rename it, or take it out of \`secrets\` of the project.`,
    data: { refusals, object: names[0] ?? null },
  });
}

function print(manifest: Manifest): string {
  return createHash('sha256').update(canonicalJson(manifest)).digest('base64url').slice(0, 22);
}
