import { isAppError } from '../error/app-error.js';
import type { ObjectReference } from './manifest.js';

/** The object as the API server has it now; null: there is none. Throws every other refusal. */
export async function findObject<T>(
  deps: { get(reference: ObjectReference, signal?: AbortSignal): Promise<T> },
  reference: ObjectReference,
  signal?: AbortSignal,
): Promise<T | null> {
  try {
    return await deps.get(reference, signal);
  } catch (error) {
    if (isAppError(error, 'kube-not-found')) return null;
    throw error;
  }
}
