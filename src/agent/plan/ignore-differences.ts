import { z } from 'zod';
import { AppError } from '../../error/app-error.js';
import { globMatches } from '../../preview/glob.js';
import { fields, groupOf, type Manifest, records, text } from '../manifest.js';
import { managedPaths } from './managed-paths.js';
import { isAsleep, isChangedBySleep } from './put-to-sleep.js';

/** Fields of some objects whose differences do not count. */
export interface IgnoreRule {
  group: string;
  kind: string;
  name?: string | undefined;
  namespace?: string | undefined;
  /** Each a path of keys. */
  paths: readonly (readonly string[])[];
  /** Fields that these managers own. */
  managers: readonly string[];
}

const texts = z.array(z.string().max(1_024)).max(100).nullish();
const ruleSchema = z.object({
  group: z.string().max(253).nullish(),
  kind: z.string().max(253),
  name: z.string().max(253).nullish(),
  namespace: z.string().max(253).nullish(),
  jsonPointers: texts,
  jqPathExpressions: texts,
  managedFieldsManagers: texts,
});
const rulesSchema = z.array(ruleSchema).max(100).nullish();

/**
 * Reads `spec.ignoreDifferences`. Throws, both of disposition stall, `sync-invalid` for another shape, and
 * `sync-unsupported` for `jqPathExpressions`, which would be another language to be run on a stranger's word.
 */
export function readIgnoreRules(ignoreDifferences: unknown): IgnoreRule[] {
  const parsed = rulesSchema.safeParse(ignoreDifferences);
  if (!parsed.success) {
    const where = parsed.error.issues[0]?.path.join('.') ?? '';
    throw refused('sync-invalid', `spec.ignoreDifferences${where === '' ? '' : `.${where}`} cannot be read`);
  }
  return (parsed.data ?? []).map((rule) => {
    if ((rule.jqPathExpressions ?? []).length > 0) {
      throw refused(
        'sync-unsupported',
        'spec.ignoreDifferences has jqPathExpressions, which are not supported; name the fields with jsonPointers',
      );
    }
    return {
      group: rule.group ?? '',
      kind: rule.kind,
      name: rule.name ?? undefined,
      namespace: rule.namespace ?? undefined,
      paths: (rule.jsonPointers ?? []).map(pathOf),
      managers: rule.managedFieldsManagers ?? [],
    };
  });
}

function pathOf(pointer: string): string[] {
  if (!pointer.startsWith('/')) {
    throw refused('sync-invalid', `the JSON pointer ${pointer.slice(0, 100)} does not begin with /`);
  }
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** The rules that speak of an object. */
export function rulesFor(manifest: Manifest, rules: readonly IgnoreRule[]): IgnoreRule[] {
  return rules.filter(
    (rule) =>
      globMatches(rule.group, groupOf(manifest.apiVersion)) &&
      globMatches(rule.kind, manifest.kind) &&
      (rule.name === undefined || rule.name === '' || rule.name === manifest.metadata.name) &&
      (rule.namespace === undefined || rule.namespace === '' || rule.namespace === manifest.metadata.namespace),
  );
}

/** A copy without the ignored fields. `live` says which fields the named managers own. */
export function withoutIgnored(object: Manifest, live: Manifest, rules: readonly IgnoreRule[]): Manifest {
  if (rules.length === 0) return object;
  const copy = structuredClone(object);
  for (const path of ignoredPaths(copy, live, rules)) removeAt(copy, path);
  return copy;
}

/**
 * A copy in which the ignored fields are as the cluster has them: whoever set them keeps his value, and no field that
 * was written once goes back to its default for want of being named.
 */
export function withLiveValues(manifest: Manifest, live: Manifest, rules: readonly IgnoreRule[]): Manifest {
  if (rules.length === 0) return manifest;
  const copy = structuredClone(manifest);
  for (const path of ignoredPaths(copy, live, rules)) {
    if (valueAt(copy, path) === undefined) continue;
    const value = valueAt(live, path);
    if (value === undefined) removeAt(copy, path);
    else setAt(copy, path, structuredClone(value));
  }
  return copy;
}

/** Each once, later items of a list first, so that what is removed moves nothing that is still to be removed. */
function ignoredPaths(object: Manifest, live: Manifest, rules: readonly IgnoreRule[]): (readonly string[])[] {
  const managers = new Set(rules.flatMap((rule) => rule.managers));
  const owned = records(live.metadata.managedFields)
    .filter((entry) => managers.has(text(entry.manager)))
    .flatMap((entry) => managedPaths(object, fields(entry.fieldsV1)));
  // What sleep changes is nobody else's: ignored, it would never sleep, or stay at zero when it wakes.
  const sleeps = isAsleep(object) || isAsleep(live);
  const paths = [...rules.flatMap((rule) => rule.paths), ...owned].filter(
    (path) => !(sleeps && isChangedBySleep(object, path)),
  );
  const once = new Map(paths.map((path) => [JSON.stringify(path), path])).values();
  return [...once].sort((a, b) => b.length - a.length || comparePaths(b, a));
}

/** Items of lists by their number: `9` comes before `10`. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((key, index) => key !== b[index]);
  const [left = '', right = ''] = [a[at], b[at]];
  return Number(left) - Number(right) || (left < right ? -1 : 1);
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => {
    if (Array.isArray(value)) return /^\d+$/.test(key) ? value[Number(key)] : undefined;
    const record = fields(value);
    return Object.hasOwn(record, key) ? record[key] : undefined;
  }, object);
}

function setAt(object: unknown, path: readonly string[], value: unknown): void {
  const key = path.at(-1) ?? '';
  const parent = valueAt(object, path.slice(0, -1));
  if (Array.isArray(parent)) parent[Number(key)] = value;
  else fields(parent)[key] = value;
}

function removeAt(object: unknown, path: readonly string[]): void {
  const key = path.at(-1) ?? '';
  const parent = valueAt(object, path.slice(0, -1));
  if (Array.isArray(parent)) {
    if (/^\d+$/.test(key)) parent.splice(Number(key), 1);
  } else if (Object.hasOwn(fields(parent), key)) {
    delete fields(parent)[key];
  }
}

function refused(code: string, what: string): AppError {
  return new AppError({
    code,
    disposition: 'stall',
    publicMessage: `The Application cannot be followed: ${what}. Correct it.`,
  });
}
