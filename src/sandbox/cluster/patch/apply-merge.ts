import { equal, isObject, type JsonObject } from '../object.js';
import { isAtomicMap, keyed, listRule } from './list-keys.js';

/**
 * What server-side apply makes of an object: the manager's fields win, the fields that it applied before and no longer
 * names go, unless another manager applied them too. There are no conflicts: the last one that applies wins.
 */
export function applyMerge(
  live: JsonObject,
  applied: JsonObject,
  before: JsonObject | undefined,
  others: readonly JsonObject[],
): JsonObject {
  const merged = mergeMaps(live, applied, []);
  return before === undefined ? merged : dropFromMap(merged, before, [applied, ...others], []);
}

function mergeMaps(live: JsonObject, applied: JsonObject, path: readonly string[]): JsonObject {
  const result: JsonObject = { ...live };
  for (const [key, value] of Object.entries(applied)) result[key] = mergeValues(live[key], value, [...path, key]);
  return result;
}

function mergeValues(live: unknown, applied: unknown, path: readonly string[]): unknown {
  if (isObject(live) && isObject(applied) && !isAtomicMap(path)) return mergeMaps(live, applied, path);
  if (Array.isArray(live) && Array.isArray(applied)) return mergeLists(live, applied, path);
  return applied;
}

function mergeLists(live: unknown[], applied: unknown[], path: readonly string[]): unknown[] {
  const rule = listRule(path);
  if (rule === 'atomic') return applied;
  if (rule === 'set') return [...live, ...applied.filter((item) => !live.some((other) => equal(item, other)))];
  const present = keyed(live, rule.by);
  const wished = keyed(applied, rule.by);
  if (present === undefined || wished === undefined) return applied;
  return mergedOrder([...present.keys()], [...wished.keys()]).map((key) => {
    const item = wished.get(key);
    return item === undefined ? present.get(key) : mergeMaps(present.get(key) ?? {}, item, path);
  });
}

/**
 * The order of a merged list: shared items stand as applied, items of others stay where they were among them, and what
 * is new comes where it is applied.
 */
function mergedOrder(live: readonly string[], applied: readonly string[]): string[] {
  const wanted = new Set(applied);
  const there = new Set(live);
  const shared = applied.filter((key) => there.has(key));
  const order: string[] = [];
  let [left, right] = [0, 0];
  while (left < live.length || right < applied.length) {
    const mine = live[left];
    const theirs = applied[right];
    const isLiveOnly = mine !== undefined && !wanted.has(mine);
    if (isLiveOnly) {
      order.push(mine);
      left += 1;
    } else if (mine !== undefined && mine !== theirs && (theirs === undefined || mine !== shared[0])) {
      // It has its place by the applied order already, or will have it later.
      left += 1;
    } else if (theirs !== undefined) {
      order.push(theirs);
      right += 1;
      if (theirs === shared[0]) shared.shift();
      if (theirs === mine) left += 1;
    }
  }
  return order;
}

/** Takes out of `now` what `before` names and none of `keepers` does. */
function dropFromMap(
  now: JsonObject,
  before: JsonObject,
  keepers: readonly JsonObject[],
  path: readonly string[],
): JsonObject {
  const result: JsonObject = { ...now };
  for (const [key, value] of Object.entries(before)) {
    if (!(key in result)) continue;
    const kept = dropValue(
      result[key],
      value,
      keepers.flatMap((keeper) => (key in keeper ? [keeper[key]] : [])),
      [...path, key],
    );
    if (kept === undefined) delete result[key];
    else result[key] = kept;
  }
  return result;
}

function dropValue(now: unknown, before: unknown, keepers: unknown[], path: readonly string[]): unknown {
  if (isObject(now) && isObject(before) && !isAtomicMap(path)) {
    const rest = dropFromMap(now, before, keepers.filter(isObject), path);
    return keepers.length === 0 && Object.keys(rest).length === 0 ? undefined : rest;
  }
  if (Array.isArray(now) && Array.isArray(before)) return dropFromList(now, before, keepers, path);
  return keepers.length === 0 ? undefined : now;
}

function dropFromList(now: unknown[], before: unknown[], keepers: unknown[], path: readonly string[]): unknown {
  const rule = listRule(path);
  if (rule === 'atomic') return keepers.length === 0 ? undefined : now;
  const lists = keepers.filter(Array.isArray) as unknown[][];
  let rest: unknown[];
  if (rule === 'set') {
    const keep = (item: unknown) => lists.some((list) => list.some((other) => equal(item, other)));
    rest = now.filter((item) => keep(item) || !before.some((other) => equal(item, other)));
  } else {
    rest = dropItems(now, before, lists, rule.by, path);
  }
  return rest.length === 0 && keepers.length === 0 ? undefined : rest;
}

function dropItems(
  now: unknown[],
  before: unknown[],
  keepers: unknown[][],
  by: readonly string[],
  path: readonly string[],
): unknown[] {
  const present = keyed(now, by);
  const earlier = keyed(before, by);
  if (present === undefined || earlier === undefined) return now;
  const kept = keepers.map((list) => keyed(list, by));
  const result: unknown[] = [];
  for (const [key, item] of present) {
    const old = earlier.get(key);
    const still = kept.flatMap((items) => [items?.get(key) ?? []].flat());
    if (old === undefined) result.push(item);
    else if (still.length > 0) result.push(dropFromMap(item, old, still, path));
  }
  return result;
}
