import { AppError, isAppError } from '../../error/app-error.js';
import { displayName, type Manifest } from '../manifest.js';

export interface ApplyDeps {
  /** Server-side apply. */
  apply(object: Manifest, options: { force: boolean; signal: AbortSignal }): Promise<Manifest>;
}

/** Writes of one preview under way at once. */
const parallel = 8;

/**
 * Applies the steps one after the other, the objects of a step together. `onAnswer` hears each object as the API
 * server stored it. When one is refused, its step is finished, later ones are not begun, and the error of the first
 * is thrown with the object's name in `data.object`.
 */
export async function applyObjects(
  deps: ApplyDeps,
  steps: readonly Manifest[][],
  onAnswer: (stored: Manifest) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const step of steps) {
    const failures: unknown[] = [];
    const waiting = [...step];
    const work = async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        signal.throwIfAborted();
        try {
          onAnswer(await applyOne(deps, next, signal));
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

async function applyOne(deps: ApplyDeps, object: Manifest, signal: AbortSignal): Promise<Manifest> {
  try {
    return await deps.apply(object, { force: false, signal });
  } catch (error) {
    if (isAppError(error, 'kube-conflict') && isByHand(error)) return deps.apply(object, { force: true, signal });
    throw named(object, error);
  }
}

/** Whether only kubectl holds the fields: a change by hand, which Git wins over. Controllers' fields stay theirs. */
function isByHand(error: AppError): boolean {
  const managers = conflictingManagers(error);
  return managers.length > 0 && managers.every((manager) => manager.startsWith('kubectl'));
}

/** Names from `conflict with "NAME" …`, the one form in which the API server tells whose the fields are. */
function conflictingManagers(error: AppError): string[] {
  const causes = Array.isArray(error.data.causes) ? error.data.causes : [];
  return causes.flatMap((cause: { message?: unknown }) => {
    const name = typeof cause.message === 'string' ? /^conflict with "([^"]+)"/.exec(cause.message)?.[1] : undefined;
    return name === undefined ? [] : [name];
  });
}

function named(object: Manifest, error: unknown): unknown {
  if (!isAppError(error)) return error;
  const name = displayName({ kind: object.kind, name: object.metadata.name });
  const managers = isAppError(error, 'kube-conflict') ? conflictingManagers(error) : [];
  const words = typeof error.data.words === 'string' ? error.data.words : error.publicMessage;
  return new AppError({
    code: error.code,
    // A field that another program holds stays held until a person decides.
    disposition: managers.length > 0 ? 'stall' : dispositionOf(error),
    publicMessage: `${name} cannot be applied: ${words}`,
    data: { ...error.data, object: name },
    cause: error,
  });
}

/** The namespace may have gone under our feet, or still be going: the next try begins with it. */
function dispositionOf(error: AppError): AppError['disposition'] {
  const causes = Array.isArray(error.data.causes) ? error.data.causes : [];
  const terminating = causes.some((cause: { reason?: unknown }) => cause.reason === 'NamespaceTerminating');
  if (terminating) return 'wait';
  return error.code === 'kube-not-found' ? 'retry' : error.disposition;
}
