import { equal, isObject, type JsonObject } from '../object.js';
import { itemKey, listRule } from './list-keys.js';

const order = '$setElementOrder/';
const fromPrimitives = '$deleteFromPrimitiveList/';

/**
 * Strategic merge patch as kubectl sends it: lists merge by their keys; `$patch: delete | replace`, `$retainKeys`,
 * `$setElementOrder/…` and `$deleteFromPrimitiveList/…` are obeyed.
 */
export function strategicMerge(target: unknown, patch: unknown, path: readonly string[] = []): unknown {
  if (!isObject(patch)) return patch;
  if (patch.$patch === 'replace') return without(patch, '$patch');
  let base: JsonObject = isObject(target) ? { ...target } : {};
  const retained = patch.$retainKeys;
  if (Array.isArray(retained))
    base = Object.fromEntries(Object.entries(base).filter(([key]) => retained.includes(key)));
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$retainKeys' || key === '$patch' || key.startsWith(order)) continue;
    if (key.startsWith(fromPrimitives)) {
      removeScalars(base, key.slice(fromPrimitives.length), value);
    } else if (value === null) {
      delete base[key];
    } else if (isObject(value) && value.$patch === 'delete') {
      delete base[key];
    } else if (Array.isArray(value)) {
      base[key] = mergeList(base[key], value, patch[order + key], [...path, key]);
    } else {
      base[key] = strategicMerge(base[key], value, [...path, key]);
    }
  }
  return base;
}

function mergeList(target: unknown, patch: unknown[], wishedOrder: unknown, path: readonly string[]): unknown[] {
  const rule = listRule(path);
  const live = Array.isArray(target) ? target : [];
  if (rule === 'atomic') return patch;
  if (rule === 'set') return [...live, ...patch.filter((item) => !live.some((other) => equal(other, item)))];
  if (patch.some((item) => isObject(item) && item.$patch === 'replace' && Object.keys(item).length === 1)) {
    return patch.filter((item) => !isObject(item) || item.$patch !== 'replace');
  }
  // A Service's ports are keyed by port alone in this patch, a container's by containerPort.
  const by = rule.by.slice(0, 1);
  let result = [...live];
  for (const item of patch) {
    const key = itemKey(item, by);
    const index = result.findIndex((other) => key !== undefined && itemKey(other, by) === key);
    if (isObject(item) && item.$patch === 'delete') result = result.filter((_, i) => i !== index);
    else if (index < 0) result.push(strategicMerge({}, item, path));
    else result[index] = strategicMerge(result[index], item, path);
  }
  return Array.isArray(wishedOrder) ? reorder(result, wishedOrder, by) : result;
}

function reorder(list: unknown[], wished: unknown[], by: readonly string[]): unknown[] {
  const rank = new Map(wished.map((item, i) => [itemKey(item, by), i]));
  const rankOf = (item: unknown) => rank.get(itemKey(item, by)) ?? Number.MAX_SAFE_INTEGER;
  return list.toSorted((a, b) => rankOf(a) - rankOf(b));
}

function removeScalars(base: JsonObject, field: string, gone: unknown): void {
  const live = base[field];
  if (!Array.isArray(live) || !Array.isArray(gone)) return;
  base[field] = live.filter((item) => !gone.some((other) => equal(other, item)));
}

function without(map: JsonObject, key: string): JsonObject {
  const { [key]: _, ...rest } = map;
  return rest;
}
