import { AppError, isAppError } from '../../error/app-error.js';
import type { FurnitureEntry, InventoryEntry } from '../inventory.js';
import { contentPrint, displayName, keyOf, type Manifest } from '../manifest.js';
import { marksOf, type PreviewIdentity } from '../marks.js';
import { type CopySecretDeps, copySecret } from './copy-secret.js';
import type { FurniturePiece, FurniturePlan } from './plan-furniture.js';

export interface ApplyFurnitureDeps extends CopySecretDeps {
  apply(object: Manifest, options: { force: boolean; signal: AbortSignal }): Promise<Manifest>;
}

export interface ApplyFurnitureInput {
  identity: PreviewIdentity;
  namespace: string;
  secretsFrom: string | null;
  /** Those that must be written. */
  stale: readonly FurniturePiece[];
  /** What `furnitureEntries` answered, and the inventory holds since. */
  entries: readonly FurnitureEntry[];
  /** Hears each object as the API server stored it. */
  onAnswer(stored: Manifest): void;
  signal: AbortSignal;
}

/**
 * The inventory's entries before anything is written: all that is, was or will be there. What is about to be written
 * has no `want` yet, so that a crash in between writes it again.
 */
export function furnitureEntries(
  plan: FurniturePlan,
  stale: readonly FurniturePiece[],
  known: readonly FurnitureEntry[],
): FurnitureEntry[] {
  const byKey = new Map(known.map((entry) => [keyOf(entry), entry]));
  const dirty = new Set(stale.map(({ key }) => key));
  const wanted = new Set(plan.pieces.map(({ key }) => key));
  const entries = plan.pieces.map((piece) => {
    const entry = byKey.get(piece.key) ?? newEntry(piece);
    return dirty.has(piece.key) ? { ...entry, want: '' } : entry;
  });
  return [...entries, ...known.filter((entry) => !wanted.has(keyOf(entry)))];
}

/**
 * Writes what is stale, taking every field: these objects are Mayfly's alone. Answers the entries with what was
 * written; throws the first refusal with the object's name.
 */
export async function applyFurniture(deps: ApplyFurnitureDeps, input: ApplyFurnitureInput): Promise<FurnitureEntry[]> {
  const written = new Map<string, FurnitureEntry>();
  const byKey = new Map(input.entries.map((entry) => [keyOf(entry), entry]));
  await Promise.all(
    input.stale.map(async (piece) => {
      const stored = await applyPiece(deps, piece, input);
      input.onAnswer(stored);
      written.set(piece.key, { ...(byKey.get(piece.key) ?? newEntry(piece)), ...answerOf(stored), want: piece.want });
    }),
  );
  return input.entries.map((entry) => written.get(keyOf(entry)) ?? entry);
}

async function applyPiece(
  deps: ApplyFurnitureDeps,
  piece: FurniturePiece,
  input: ApplyFurnitureInput,
): Promise<Manifest> {
  const { identity, namespace, signal } = input;
  const manifest =
    piece.kind === 'object'
      ? piece.manifest
      : await copySecret(deps, { slug: identity.slug, namespace: input.secretsFrom ?? '', name: piece.name }, signal);
  const metadata = { ...manifest.metadata, namespace, labels: marksOf(identity) };
  try {
    return await deps.apply({ ...manifest, metadata }, { force: true, signal });
  } catch (error) {
    if (signal.aborted || !isAppError(error)) throw error;
    const object = displayName({ kind: manifest.kind, name: manifest.metadata.name });
    const words = typeof error.data.words === 'string' ? error.data.words : error.publicMessage;
    throw new AppError({
      code: error.code,
      disposition: error.code === 'kube-not-found' ? 'retry' : error.disposition,
      publicMessage: `Preview ${identity.slug}: ${object} cannot be put into its namespace: ${words}`,
      data: { ...error.data, object },
      cause: error,
    });
  }
}

function newEntry(piece: FurniturePiece): FurnitureEntry {
  const { apiVersion, kind, name } =
    piece.kind === 'copy'
      ? { apiVersion: 'v1', kind: 'Secret', name: piece.name }
      : { ...piece.manifest, name: piece.manifest.metadata.name };
  return { apiVersion, kind, name, uid: null, generation: null, print: null, once: false, want: '' };
}

function answerOf(stored: Manifest): Pick<InventoryEntry, 'uid' | 'generation' | 'print'> {
  const { uid, generation } = stored.metadata;
  return { uid: uid ?? null, generation: generation ?? null, print: contentPrint(stored) };
}
