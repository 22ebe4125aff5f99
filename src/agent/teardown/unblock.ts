import { isAppError } from '../../error/app-error.js';
import { findObject } from '../find-object.js';
import { displayName, type Manifest, type ObjectReference } from '../manifest.js';
import { carriesMarks, type PreviewIdentity } from '../marks.js';

export interface UnblockDeps {
  get(reference: ObjectReference, signal: AbortSignal): Promise<Manifest>;
  /** Every namespaced kind that the API server serves; `silent`: groups that do not answer. */
  listKinds(signal: AbortSignal): Promise<{ kinds: { apiVersion: string; kind: string }[]; silent: string[] }>;
  listIn(kind: { apiVersion: string; kind: string }, namespace: string, signal: AbortSignal): Promise<Manifest[]>;
  mergePatch(reference: ObjectReference, patch: unknown, signal: AbortSignal): Promise<Manifest>;
}

export interface UnblockInput {
  identity: PreviewIdentity;
  namespace: string;
  /** null: the inventory does not know it; its marks alone say whose it is. */
  namespaceUid: string | null;
  finalizer: string;
  signal: AbortSignal;
}

export interface UnblockResult {
  done: boolean;
  /** What was done, or why nothing was: a sentence. */
  detail: string;
}

const attempts = 3;
const shown = 10;

/**
 * Removes one finalizer, by name, from the objects that are being deleted in a namespace of a preview that is being
 * deleted, and from that namespace itself. Each is written only in the state in which it was read; nothing else of it
 * changes. Only ever called on a person's word.
 */
export async function unblock(deps: UnblockDeps, input: UnblockInput): Promise<UnblockResult> {
  const { namespace, finalizer, signal } = input;
  const reference = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
  const found = await findObject(deps, reference, signal);
  const refusal = refuse(found, input);
  if (found === null || refusal !== null) return { done: false, detail: refusal ?? '' };
  const removed: string[] = [];
  const failed: string[] = [];
  const { kinds, silent } = await deps.listKinds(signal);
  for (const blocked of await blockedObjects(deps, kinds, input, failed)) {
    await removeFrom(deps, blocked, finalizer, { removed, failed, signal });
  }
  await removeFrom(deps, reference, finalizer, { removed, failed, signal });
  return told(finalizer, namespace, removed, [...failed, ...silent.map((each) => `${each} does not answer`)]);
}

/** Why nothing is touched; null: it may be. */
function refuse(found: Manifest | null, { identity, namespace, namespaceUid }: UnblockInput): string | null {
  if (found === null) return `Nothing was done: the namespace ${namespace} is gone.`;
  const { uid, labels, deletionTimestamp } = found.metadata;
  if (!carriesMarks(labels, identity) || (namespaceUid !== null && namespaceUid !== uid)) {
    return `Nothing was done: the namespace ${namespace} is not the one that was made for ${identity.slug}#${identity.incarnation}.`;
  }
  return deletionTimestamp === undefined ? `Nothing was done: the namespace ${namespace} is not being deleted.` : null;
}

async function blockedObjects(
  deps: UnblockDeps,
  kinds: { apiVersion: string; kind: string }[],
  { namespace, finalizer, signal }: UnblockInput,
  failed: string[],
): Promise<ObjectReference[]> {
  const found = await Promise.all(
    kinds.map(async ({ apiVersion, kind }) => {
      try {
        const objects = await deps.listIn({ apiVersion, kind }, namespace, signal);
        return objects
          .filter((object) => isBlockedBy(object, finalizer))
          .map(({ metadata }) => ({ apiVersion, kind, name: metadata.name, namespace }));
      } catch (error) {
        if (signal.aborted || !isAppError(error)) throw error;
        // Kinds that a preview may not have are not the agent's to see, either.
        if (error.code !== 'kube-forbidden' && error.code !== 'kube-not-found')
          failed.push(`${kind}: ${error.publicMessage}`);
        return [];
      }
    }),
  );
  return found.flat();
}

function isBlockedBy({ metadata }: Manifest, finalizer: string): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(finalizer);
}

/** Reads it once more and takes the finalizer off exactly what was read; what changed in between is read again. */
async function removeFrom(
  deps: UnblockDeps,
  reference: ObjectReference,
  finalizer: string,
  result: { removed: string[]; failed: string[]; signal: AbortSignal },
): Promise<void> {
  const { signal } = result;
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    try {
      const object = await findObject(deps, reference, signal);
      if (object === null || !isBlockedBy(object, finalizer)) return;
      const { uid, resourceVersion, finalizers = [] } = object.metadata;
      const rest = finalizers.filter((each) => each !== finalizer);
      await deps.mergePatch(reference, { metadata: { uid, resourceVersion, finalizers: rest } }, signal);
      result.removed.push(displayName(reference));
      return;
    } catch (error) {
      if (signal.aborted || !isAppError(error)) throw error;
      if (error.code === 'kube-not-found') return;
      if (error.code !== 'kube-conflict' || attempt === attempts) {
        result.failed.push(`${displayName(reference)}: ${error.publicMessage}`);
        return;
      }
    }
  }
}

function told(finalizer: string, namespace: string, removed: string[], failed: string[]): UnblockResult {
  const list = (names: string[]) =>
    names.length <= shown ? names.join(', ') : `${names.slice(0, shown).join(', ')} and ${names.length - shown} more`;
  const trouble = failed.length === 0 ? '' : ` Not seen or not changed: ${list(failed)}`;
  return removed.length === 0
    ? { done: false, detail: `Nothing in ${namespace} that the agent may see waits for ${finalizer}.${trouble}` }
    : { done: true, detail: `${finalizer} was removed from ${list(removed)}.${trouble}` };
}
