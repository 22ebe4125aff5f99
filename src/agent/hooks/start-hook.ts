import { AppError, isAppError } from '../../error/app-error.js';
import { findObject } from '../find-object.js';
import { displayName, fields, groupOf, type Manifest, type ObjectReference } from '../manifest.js';
import { carriesMarks, type PreviewIdentity } from '../marks.js';
import { type GoneDeps, waitUntilGone } from '../wait-until-gone.js';

export interface StartHookDeps extends GoneDeps {
  create(object: Manifest, signal: AbortSignal): Promise<Manifest>;
  remove(reference: ObjectReference, options: { preconditions: { uid: string }; signal: AbortSignal }): Promise<void>;
}

export interface StartHookInput {
  identity: PreviewIdentity;
  manifest: Manifest;
  /** Names this run: one phase of one revision. */
  run: string;
  signal: AbortSignal;
}

/** On a hook's object: the run that it was made for, so that an agent that was killed finds it again. */
const runAnnotation = 'mayfly.dev/hook-run';

/** A Job that deletes itself stays at least this long, for its end must be seen. */
const minTtlSeconds = 300;

/** The name of one run of a hook. */
export function hookRun(revision: string, phase: string): string {
  return `${phase}-${revision.slice(0, 16)}`;
}

/**
 * Makes a hook's object, or finds the one that was made for this very run before. What is left of an earlier run is
 * deleted first, whatever the delete policies say: there is no other way to run under the same name. Throws
 * `hook-foreign` (stall) for an object that is not the preview's, `hook-terminating` (wait) while the old one goes.
 */
export async function startHook(deps: StartHookDeps, input: StartHookInput): Promise<Manifest> {
  const { signal } = input;
  const manifest = prepared(input.manifest, input.run);
  const { apiVersion, kind, metadata } = manifest;
  const reference = { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
  const made = await tryCreate(deps, manifest, signal);
  if (made !== null) return made;
  const found = await findObject(deps, reference, signal);
  if (found !== null) {
    const { uid = '', labels, annotations, deletionTimestamp } = found.metadata;
    if (!carriesMarks(labels, input.identity)) throw foreign(input, manifest);
    if (deletionTimestamp === undefined && annotations?.[runAnnotation] === input.run) return found;
    if (deletionTimestamp === undefined) await removeOld(deps, reference, uid, signal);
    if (!(await waitUntilGone(deps, { reference, uid }, signal))) throw terminating(input, manifest);
  }
  const again = await tryCreate(deps, manifest, signal);
  if (again === null) throw terminating(input, manifest);
  return again;
}

function prepared(manifest: Manifest, run: string): Manifest {
  const annotations = { ...manifest.metadata.annotations, [runAnnotation]: run };
  const marked = { ...manifest, metadata: { ...manifest.metadata, annotations } };
  if (`${groupOf(manifest.apiVersion)}/${manifest.kind}` !== 'batch/Job') return marked;
  const spec = fields(manifest.spec);
  const ttl = spec.ttlSecondsAfterFinished;
  if (typeof ttl !== 'number' || ttl >= minTtlSeconds) return marked;
  return { ...marked, spec: { ...spec, ttlSecondsAfterFinished: minTtlSeconds } };
}

async function tryCreate(deps: StartHookDeps, manifest: Manifest, signal: AbortSignal): Promise<Manifest | null> {
  try {
    return await deps.create(manifest, signal);
  } catch (error) {
    if (isAppError(error, 'kube-already-exists')) return null;
    throw error;
  }
}

async function removeOld(
  deps: StartHookDeps,
  reference: ObjectReference,
  uid: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    await deps.remove(reference, { preconditions: { uid }, signal });
  } catch (error) {
    if (!isAppError(error, 'kube-not-found') && !isAppError(error, 'kube-conflict')) throw error;
  }
}

function foreign({ identity }: StartHookInput, manifest: Manifest): AppError {
  const object = displayName({ kind: manifest.kind, name: manifest.metadata.name });
  return new AppError({
    code: 'hook-foreign',
    disposition: 'stall',
    publicMessage: `Preview ${identity.slug}: the hook ${object} cannot run: an object of that name exists that Mayfly did not make. Delete it, or give the hook another name.`,
    data: { object },
  });
}

function terminating({ identity }: StartHookInput, manifest: Manifest): AppError {
  const object = displayName({ kind: manifest.kind, name: manifest.metadata.name });
  return new AppError({
    code: 'hook-terminating',
    disposition: 'wait',
    publicMessage: `Preview ${identity.slug}: the hook ${object} runs once the one before it is gone; it is still being deleted.`,
    data: { object },
  });
}
