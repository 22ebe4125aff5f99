import { AppError, isAppError } from '../error/app-error.js';
import { displayName, type Manifest } from './manifest.js';

/** Who holds a field that was to be set. */
interface Holder {
  manager: string;
  /** Written as a whole or in part by a client (`kubectl apply`, `edit`, `scale`), not by applying on the server. */
  isUpdate: boolean;
  field: string;
}

/** Holders of the fields of a refused apply; empty for any other error. */
function holdersOf(error: AppError): Holder[] {
  if (!isAppError(error, 'kube-conflict')) return [];
  return causesOf(error).flatMap(({ message, field }) => {
    // `conflict with "NAME" [with subresource "SUB"] [using VERSION]`, the one form in which the API server tells it;
    // a version is named for updates alone.
    const match = /^conflict with "([^"]+)"( with subresource "[^"]+")?( using )?/.exec(message);
    const manager = match?.[1];
    return manager === undefined ? [] : [{ manager, isUpdate: match?.[3] !== undefined, field }];
  });
}

/** Whether only kubectl on somebody's machine holds the fields: a change by hand, which Git wins over. */
export function isHeldByHand(error: AppError): boolean {
  const holders = holdersOf(error);
  return holders.length > 0 && holders.every(({ manager, isUpdate }) => isUpdate && manager.startsWith('kubectl'));
}

/** The error of an object that the API server does not take, with its name and what can be done. */
export function refusalOf(object: Manifest, error: unknown): unknown {
  if (!isAppError(error) || error.data.object !== undefined) return error;
  const name = displayName({ kind: object.kind, name: object.metadata.name });
  const holders = holdersOf(error);
  const words = typeof error.data.words === 'string' ? error.data.words : error.publicMessage;
  return new AppError({
    code: error.code,
    // A field that another program holds stays held until a person decides.
    disposition: holders.length > 0 ? 'stall' : dispositionOf(error),
    publicMessage: `${name} cannot be applied: ${holders.length > 0 ? heldWords(holders) : words}`,
    data: { ...error.data, object: name },
    cause: error,
  });
}

/** The error of a change that the API server allows only for a new object. */
export function immutableError(object: Manifest, error: AppError): AppError {
  const name = displayName({ kind: object.kind, name: object.metadata.name });
  const named = causesOf(error).map(({ field, message }) => `${field}: ${message}`);
  const why = named.length > 0 ? named.join('; ').slice(0, 1_000) : String(error.data.words ?? '');
  return new AppError({
    code: 'apply-immutable',
    disposition: 'stall',
    publicMessage: `${name} cannot be applied: the change is to a field that is immutable (${why}). Give the object another name, or let it be deleted and made again with the annotation argocd.argoproj.io/sync-options: Replace=true, which loses what it holds.`,
    data: { ...error.data, object: name },
    cause: error,
  });
}

function heldWords(holders: readonly Holder[]): string {
  const fields = holders.slice(0, 5).map(({ manager, field }) => `${field} is held by ${manager}`);
  const more = holders.length > fields.length ? `, and ${holders.length - fields.length} more` : '';
  return `${fields.join(', ')}${more}. Leave the fields out of the manifest, name them in ignoreDifferences, or take them with the annotation mayfly.dev/force-conflicts: "true".`;
}

/** The namespace may have gone under our feet, or still be going: the next try begins with it. */
function dispositionOf(error: AppError): AppError['disposition'] {
  if (causesOf(error).some(({ reason }) => reason === 'NamespaceTerminating')) return 'wait';
  return error.code === 'kube-not-found' ? 'retry' : error.disposition;
}

function causesOf(error: AppError): { reason: string; field: string; message: string }[] {
  const causes = Array.isArray(error.data.causes) ? error.data.causes : [];
  return causes.map((cause: { reason?: unknown; field?: unknown; message?: unknown }) => ({
    reason: String(cause.reason ?? ''),
    field: String(cause.field ?? ''),
    message: String(cause.message ?? ''),
  }));
}
