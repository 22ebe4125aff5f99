import { AppError, isAppError } from '../../error/app-error.js';
import { displayName, type Manifest, type ObjectReference } from '../manifest.js';
import { type GoneDeps, waitUntilGone } from '../wait-until-gone.js';
import { type ApplyDeps, applyObject } from './apply-objects.js';

export interface RecreateDeps extends ApplyDeps, GoneDeps {
  remove(reference: ObjectReference, options: { preconditions: { uid: string }; signal: AbortSignal }): Promise<void>;
}

/**
 * Deletes the object of this UID and makes it again as the manifest says. A crash in between finds it missing, and
 * makes it. Throws `apply-terminating` (wait) while the old one is still going.
 */
export async function recreateObject(
  deps: RecreateDeps,
  input: { manifest: Manifest; uid: string; force: boolean },
  signal: AbortSignal,
): Promise<Manifest> {
  const { manifest, uid } = input;
  const { apiVersion, kind, metadata } = manifest;
  const reference = { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
  try {
    await deps.remove(reference, { preconditions: { uid }, signal });
  } catch (error) {
    // Gone, or another one already: what is there now is applied to.
    if (!isAppError(error, 'kube-not-found') && !isAppError(error, 'kube-conflict')) throw error;
  }
  if (!(await waitUntilGone(deps, { reference, uid }, signal))) {
    const name = displayName({ kind, name: metadata.name });
    throw new AppError({
      code: 'apply-terminating',
      disposition: 'wait',
      publicMessage: `${name} is made again once the one before it is gone; it is still being deleted.`,
      data: { object: name },
    });
  }
  return applyObject(deps, manifest, { force: input.force, signal });
}
