import { canonicalJson } from '../../application/canonical-json.js';
import { isAppError } from '../../error/app-error.js';
import { displayName, fields, type Manifest } from '../manifest.js';
import type { DesiredItem } from './desired-item.js';
import { type ExamineDeps, essence, examine, type Verdict } from './examine.js';

/** What applying would do to one object, and where. */
export interface ObjectDiff {
  /** `Kind/name`. */
  object: string;
  change: 'none' | 'create' | 'update' | 'recreate' | 'refused';
  /** Why it would be refused; null otherwise. */
  reason: string | null;
  /** Of an update: what the object has and would have. Values of secrets are not shown. */
  fields: FieldDiff[];
}

interface FieldDiff {
  /** `.spec.replicas`; items of lists by their index. */
  path: string;
  /** JSON; null where there is nothing. */
  from: string | null;
  to: string | null;
}

/** Objects that are looked at together. */
const parallel = 8;
const maxShown = 200;
const hidden = '(secret)';

/**
 * What applying the objects would change, in their order; nothing is written. A hook would run when its revision is
 * applied, and is not compared. Rejects only when the cluster does not answer.
 */
export async function diffLive(
  deps: ExamineDeps,
  items: readonly DesiredItem[],
  signal: AbortSignal,
): Promise<ObjectDiff[]> {
  const diffs: ObjectDiff[] = [];
  const kept = items.filter((item) => item.hook === null);
  for (let start = 0; start < kept.length; start += parallel) {
    const some = kept.slice(start, start + parallel);
    diffs.push(...(await Promise.all(some.map((item) => diffOne(deps, item, signal)))));
  }
  return diffs;
}

async function diffOne(deps: ExamineDeps, item: DesiredItem, signal: AbortSignal): Promise<ObjectDiff> {
  const object = displayName({ kind: item.manifest.kind, name: item.manifest.metadata.name });
  try {
    return { object, reason: null, ...changeOf(await examine(deps, item, signal)) };
  } catch (error) {
    if (signal.aborted || !isAppError(error)) throw error;
    // In a namespace that is not there yet everything is new.
    if (error.code === 'kube-not-found') return { object, change: 'create', reason: null, fields: [] };
    if (error.disposition === 'retry') throw error;
    return { object, change: 'refused', reason: error.publicMessage, fields: [] };
  }
}

function changeOf(verdict: Verdict): Pick<ObjectDiff, 'change' | 'fields'> {
  switch (verdict.do) {
    case 'nothing':
      return { change: 'none', fields: [] };
    case 'recreate':
      return { change: 'recreate', fields: [] };
    case 'apply':
      return verdict.live === null
        ? { change: 'create', fields: [] }
        : { change: 'update', fields: fieldDiffs(verdict.live, verdict.after) };
    default:
      return verdict satisfies never;
  }
}

function fieldDiffs(live: Manifest, after: Manifest): FieldDiff[] {
  const isSecret = live.kind === 'Secret';
  return leaves(essence(live), essence(after), '').map(({ path, from, to }) => {
    const shown = (value: unknown) => {
      if (value === undefined) return null;
      // An annotation may hold the whole of it, as kubectl's of what it applied last does.
      return isSecret && !/^\.(type|immutable|metadata\.labels)\b/.test(path) ? hidden : cut(canonicalJson(value));
    };
    return { path, from: shown(from), to: shown(to) };
  });
}

function leaves(from: unknown, to: unknown, path: string): { path: string; from: unknown; to: unknown }[] {
  if (from !== undefined && to !== undefined && canonicalJson(from) === canonicalJson(to)) return [];
  const lists = Array.isArray(from) && Array.isArray(to);
  if (!lists && !(isRecord(from) && isRecord(to))) return [{ path, from, to }];
  const [left, right] = [fields({ ...(from as object) }), fields({ ...(to as object) })];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].flatMap((key) =>
    leaves(left[key], right[key], lists ? `${path}[${key}]` : `${path}${/^\w+$/.test(key) ? `.${key}` : `["${key}"]`}`),
  );
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function cut(text: string): string {
  return text.length <= maxShown ? text : `${text.slice(0, maxShown - 1)}…`;
}
