import { AppError, isAppError } from '../../error/app-error.js';
import type { FurnitureEntry, InventoryEntry } from '../inventory.js';
import { contentPrint, displayName, keyOf, type Manifest, type ObjectReference } from '../manifest.js';
import { carriesMarks, marksOf, type PreviewIdentity } from '../marks.js';
import { waitUntilGone } from '../wait-until-gone.js';
import { type CopySecretDeps, copySecret } from './copy-secret.js';
import type { FurniturePiece, FurniturePlan } from './plan-furniture.js';

export interface ApplyFurnitureDeps extends CopySecretDeps {
  apply(object: Manifest, options: { force: boolean; signal: AbortSignal }): Promise<Manifest>;
  remove(
    reference: ObjectReference,
    options: { preconditions: { uid: string; resourceVersion?: string }; signal: AbortSignal },
  ): Promise<void>;
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
 * has no `want` yet, so that a crash in between writes it again, and no UID, for it may be made anew.
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
    return dirty.has(piece.key) ? { ...entry, want: '', uid: null } : entry;
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
  const whole = { ...manifest, metadata };
  try {
    try {
      return await deps.apply(whole, { force: true, signal });
    } catch (error) {
      if (!isAppError(error, 'kube-invalid') || !(await makeWay(deps, whole, identity, signal))) throw error;
      return await deps.apply(whole, { force: true, signal });
    }
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

/**
 * Of a secret neither type nor immutable data can be changed: a copy whose source has changed in one of them is deleted, as it was
 * read and only when it is Mayfly's. Answers whether it is gone.
 */
async function makeWay(
  deps: ApplyFurnitureDeps,
  wanted: Manifest,
  identity: PreviewIdentity,
  signal: AbortSignal,
): Promise<boolean> {
  if (wanted.kind !== 'Secret') return false;
  const { apiVersion, kind } = wanted;
  const reference = { apiVersion, kind, name: wanted.metadata.name, namespace: wanted.metadata.namespace };
  const found = await deps.get(reference, signal);
  const { uid, resourceVersion, labels } = found.metadata;
  const isFixed = found.type !== wanted.type || found.immutable === true;
  if (!isFixed || uid === undefined || !carriesMarks(labels, identity)) return false;
  const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  await deps.remove(reference, { preconditions, signal });
  return waitUntilGone(deps, { reference, uid }, signal);
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
