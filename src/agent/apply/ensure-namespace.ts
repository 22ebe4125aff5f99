import { AppError, isAppError } from '../../error/app-error.js';
import { findObject } from '../find-object.js';
import type { Manifest, ObjectReference } from '../manifest.js';
import { carriesMarks, installationLabel, type PreviewIdentity, previewLabel } from '../marks.js';

export interface NamespaceDeps {
  create(object: Manifest, signal: AbortSignal): Promise<Manifest>;
  apply(object: Manifest, options: { force: boolean; signal: AbortSignal }): Promise<Manifest>;
  get(reference: ObjectReference, signal: AbortSignal): Promise<Manifest>;
}

export interface EnsureInput {
  identity: PreviewIdentity;
  desired: Manifest;
  /** Of the namespace that the inventory knows; null before it was made. */
  uid: string | null;
  signal: AbortSignal;
}

/**
 * Makes the namespace, or brings its labels up to date when it is this incarnation's already. Throws
 * `namespace-foreign` (stall) for one that somebody else made, which is never adopted, and `namespace-terminating`
 * (wait) while an old one is still going.
 */
export async function ensureNamespace(deps: NamespaceDeps, input: EnsureInput): Promise<Manifest> {
  const { desired, signal } = input;
  if (input.uid === null) {
    try {
      return await deps.create(desired, signal);
    } catch (error) {
      if (!isAppError(error, 'kube-already-exists')) throw error;
    }
  }
  const found = await readNamespace(deps, desired.metadata.name, signal);
  if (found === null) return ensureAgain(deps, input);
  refuseForeign(found, input);
  if (isCurrent(found, desired)) return found;
  return deps.apply(
    { ...desired, metadata: { ...desired.metadata, uid: found.metadata.uid ?? '' } },
    { force: true, signal },
  );
}

/** It was deleted under our feet. What it held is gone; the incarnation gets a new one. */
function ensureAgain(deps: NamespaceDeps, input: EnsureInput): Promise<Manifest> {
  return deps.create(input.desired, input.signal);
}

/** null: there is none. */
export function readNamespace(
  deps: Pick<NamespaceDeps, 'get'>,
  name: string,
  signal: AbortSignal,
): Promise<Manifest | null> {
  return findObject(deps, { apiVersion: 'v1', kind: 'Namespace', name }, signal);
}

function refuseForeign(found: Manifest, input: EnsureInput): void {
  const { name, labels, deletionTimestamp, uid } = found.metadata;
  const { identity } = input;
  const ofThisSlug = labels?.[installationLabel] === identity.installation && labels?.[previewLabel] === identity.slug;
  if (deletionTimestamp !== undefined && ofThisSlug) {
    throw new AppError({
      code: 'namespace-terminating',
      disposition: 'wait',
      publicMessage: `Preview ${identity.slug} waits: its old namespace ${name} is still being deleted.`,
      data: { namespace: name },
    });
  }
  // The marks hold the installation's random id: whoever set them all is this agent, before it could note the UID.
  if (!carriesMarks(labels, identity)) {
    throw new AppError({
      code: 'namespace-foreign',
      disposition: 'stall',
      publicMessage: `Preview ${identity.slug} cannot be deployed: namespace ${name} exists and was not made for it. An operator has to remove that namespace, or give this preview another name; Mayfly never takes one over.`,
      data: { namespace: name, uid, object: `Namespace/${name}` },
    });
  }
}

function isCurrent(found: Manifest, desired: Manifest): boolean {
  return (
    holds(found.metadata.labels, desired.metadata.labels) &&
    holds(found.metadata.annotations, desired.metadata.annotations)
  );
}

function holds(found: Record<string, string> | undefined, wanted: Record<string, string> | undefined): boolean {
  return Object.entries(wanted ?? {}).every(([key, value]) => found?.[key] === value);
}
