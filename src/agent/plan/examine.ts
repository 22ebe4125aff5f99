import { canonicalJson } from '../../application/canonical-json.js';
import { type AppError, isAppError } from '../../error/app-error.js';
import { findObject } from '../find-object.js';
import type { Manifest, ObjectReference } from '../manifest.js';
import { immutableError, isHeldByHand, refusalOf } from '../refusal.js';
import type { DesiredItem } from './desired-item.js';
import { withLiveValues, withoutIgnored } from './ignore-differences.js';

export interface ExamineDeps {
  get(reference: ObjectReference, signal: AbortSignal): Promise<Manifest>;
  /** Server-side apply of which nothing is written; answers what would be. */
  tryApply(object: Manifest, options: { force: boolean; signal: AbortSignal }): Promise<Manifest>;
  /** The same for a creation. */
  tryCreate(object: Manifest, signal: AbortSignal): Promise<Manifest>;
}

/** What must be done to an object that is in the cluster. `after`: what it would be then. */
export type Verdict =
  | { do: 'nothing'; live: Manifest }
  | { do: 'apply'; manifest: Manifest; force: boolean; live: Manifest | null; after: Manifest }
  | { do: 'recreate'; manifest: Manifest; uid: string; live: Manifest };

/**
 * Asks the API server what applying would change. Nothing is to be written where nothing differs but its own
 * book-keeping, status, and what the Application ignores. Throws, with the object's name, what it would refuse.
 */
export async function examine(deps: ExamineDeps, item: DesiredItem, signal: AbortSignal): Promise<Verdict> {
  const reading = findObject(deps, referenceOf(item.manifest), signal);
  // Without rules the dry run need not wait for what is there.
  const early = item.ignore.length === 0 ? attempt(deps, item.manifest, item.options.force, signal) : null;
  const [live, first] = await Promise.all([reading, early]);
  const manifest =
    live !== null && item.options.respectIgnore ? withLiveValues(item.manifest, live, item.ignore) : item.manifest;
  const answer = first ?? (await attempt(deps, manifest, item.options.force, signal));
  if (!(answer instanceof Error)) return compare(item, { manifest, force: item.options.force, live, after: answer });
  return settle(deps, { item, manifest, live, error: answer }, signal);
}

/** The API server refused: whether there is a way that the manifest or its options allow. */
async function settle(
  deps: ExamineDeps,
  input: { item: DesiredItem; manifest: Manifest; live: Manifest | null; error: AppError },
  signal: AbortSignal,
): Promise<Verdict> {
  const { item, live, error } = input;
  if (isAppError(error, 'kube-conflict') && live !== null) {
    // Others' values of ignored fields are theirs: nobody is fought over them.
    const manifest = withLiveValues(item.manifest, live, item.ignore);
    const yielding = item.ignore.length > 0 ? await attempt(deps, manifest, item.options.force, signal) : error;
    if (!(yielding instanceof Error)) {
      return compare(item, { manifest, force: item.options.force, live, after: yielding });
    }
    if (isHeldByHand(yielding)) {
      const forced = await attempt(deps, manifest, true, signal);
      if (!(forced instanceof Error)) return compare(item, { manifest, force: true, live, after: forced });
      throw refusalOf(item.manifest, forced);
    }
    throw refusalOf(item.manifest, yielding);
  }
  if (isAppError(error, 'kube-invalid') && live !== null && (await isTakenAsNew(deps, item.manifest, signal))) {
    const uid = live.metadata.uid ?? '';
    if (item.options.replace) return { do: 'recreate', manifest: item.manifest, uid, live };
    throw immutableError(item.manifest, error);
  }
  throw refusalOf(item.manifest, error);
}

/** What is refused as a change, and would not be as a new object, changes what cannot be changed. */
async function isTakenAsNew(deps: ExamineDeps, manifest: Manifest, signal: AbortSignal): Promise<boolean> {
  try {
    await deps.tryCreate(manifest, signal);
    return true;
  } catch (error) {
    if (signal.aborted || !isAppError(error)) throw error;
    // The usual answer is that it exists, which is said after all else was checked.
    return error.code !== 'kube-invalid';
  }
}

interface Change {
  manifest: Manifest;
  force: boolean;
  live: Manifest | null;
  after: Manifest;
}

function compare(item: DesiredItem, change: Change): Verdict {
  const { live, after } = change;
  if (live === null) return { do: 'apply', ...change };
  const before = canonicalJson(essence(withoutIgnored(live, live, item.ignore)));
  const then = canonicalJson(essence(withoutIgnored(after, live, item.ignore)));
  return before === then ? { do: 'nothing', live } : { do: 'apply', ...change };
}

/** An object without status and what the API server keeps for itself. */
export function essence(object: Manifest): unknown {
  const { status: _, ...content } = object;
  const { managedFields: __, resourceVersion: ___, generation: ____, selfLink: _____, ...metadata } = content.metadata;
  return { ...content, metadata };
}

async function attempt(
  deps: ExamineDeps,
  manifest: Manifest,
  force: boolean,
  signal: AbortSignal,
): Promise<Manifest | AppError> {
  try {
    return await deps.tryApply(manifest, { force, signal });
  } catch (error) {
    const settled = isAppError(error, 'kube-conflict') || isAppError(error, 'kube-invalid');
    if (signal.aborted || !settled) throw refusalOf(manifest, error);
    return error;
  }
}

function referenceOf({ apiVersion, kind, metadata }: Manifest): ObjectReference {
  return { apiVersion, kind, name: metadata.name, namespace: metadata.namespace };
}
