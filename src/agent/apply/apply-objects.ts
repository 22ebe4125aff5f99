import { isAppError } from '../../error/app-error.js';
import type { Manifest } from '../manifest.js';
import { isHeldByHand, refusalOf } from '../refusal.js';

export interface ApplyDeps {
  /** Server-side apply. */
  apply(object: Manifest, options: { force: boolean; signal: AbortSignal }): Promise<Manifest>;
}

/** Writes of one preview under way at once. */
const parallel = 8;

/**
 * Does one thing for each object, the steps one after the other and the objects of a step together. When one fails,
 * its step is finished, later ones are not begun, and the first error is thrown.
 */
export async function inApplyOrder<T>(
  steps: readonly (readonly T[])[],
  act: (object: T) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (const step of steps) {
    const failures: unknown[] = [];
    const waiting = [...step];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        signal.throwIfAborted();
        try {
          await act(next);
        } catch (error) {
          if (signal.aborted) throw error;
          failures.push(error);
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(parallel, step.length) }, work));
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Applies one object; answers it as the API server stored it. What only kubectl holds is taken over in any case. Throws
 * the refusal with the object's name; the bare `kube-conflict` and `kube-invalid` are its `cause`.
 */
export async function applyObject(
  deps: ApplyDeps,
  object: Manifest,
  options: { force: boolean; signal: AbortSignal },
): Promise<Manifest> {
  try {
    return await deps.apply(object, options);
  } catch (error) {
    if (isAppError(error) && isHeldByHand(error)) {
      return deps.apply(object, { force: true, signal: options.signal }).catch((again: unknown) => {
        throw refusalOf(object, again);
      });
    }
    throw refusalOf(object, error);
  }
}
