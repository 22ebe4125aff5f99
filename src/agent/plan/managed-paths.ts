import { canonicalJson } from '../../application/canonical-json.js';
import { fields } from '../manifest.js';

/**
 * The paths in an object of the fields that an entry of `managedFields` owns. Its keys are `f:<field>`,
 * `k:<keys of a list's item as JSON>`, `v:<item of a set as JSON>` and `.` for the thing itself; a key without members
 * is a leaf. What the object does not have is left out.
 */
export function managedPaths(object: unknown, owned: Readonly<Record<string, unknown>>): string[][] {
  return Object.entries(owned).flatMap(([key, below]) => {
    const step = stepOf(object, key);
    if (step === null) return [];
    const members = Object.entries(fields(below)).filter(([name]) => name !== '.');
    if (members.length === 0) return [[step.key]];
    return managedPaths(step.value, Object.fromEntries(members)).map((path) => [step.key, ...path]);
  });
}

function stepOf(object: unknown, key: string): { key: string; value: unknown } | null {
  const named = key.slice(2);
  if (key.startsWith('f:')) {
    const record = fields(object);
    return Object.hasOwn(record, named) ? { key: named, value: record[named] } : null;
  }
  if (!Array.isArray(object)) return null;
  const index = key.startsWith('k:') ? itemWith(object, named) : key.startsWith('v:') ? itemLike(object, named) : -1;
  return index < 0 ? null : { key: String(index), value: object[index] };
}

function itemWith(list: readonly unknown[], keys: string): number {
  const wanted = Object.entries(fields(jsonOf(keys)));
  return list.findIndex((item) => wanted.every(([key, value]) => fields(item)[key] === value));
}

function itemLike(list: readonly unknown[], value: string): number {
  const wanted = canonicalJson(jsonOf(value));
  return list.findIndex((item) => canonicalJson(item) === wanted);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
