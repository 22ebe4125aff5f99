import { isObject, type JsonObject } from '../object.js';

/** How a list merges: by the keys of its items, as a set of scalars, or as one value. */
export type ListRule = { by: readonly string[] } | 'set' | 'atomic';

const byName = { by: ['name'] };

/** Lists that merge item by item, by the name of their field. Others are replaced as a whole. */
const listRules: Record<string, ListRule> = {
  containers: byName,
  initContainers: byName,
  ephemeralContainers: byName,
  volumes: byName,
  env: byName,
  imagePullSecrets: byName,
  secrets: byName,
  schedulingGates: byName,
  resourceClaims: byName,
  webhooks: byName,
  volumeMounts: { by: ['mountPath'] },
  volumeDevices: { by: ['devicePath'] },
  hostAliases: { by: ['ip'] },
  topologySpreadConstraints: { by: ['topologyKey', 'whenUnsatisfiable'] },
  conditions: { by: ['type'] },
  ownerReferences: { by: ['uid'] },
  finalizers: 'set',
};

/** Maps that are one value: an applied selector replaces the one before. */
const atomicMaps = new Set([
  'selector',
  'podSelector',
  'namespaceSelector',
  'labelSelector',
  'nodeSelector',
  'secretKeyRef',
  'configMapKeyRef',
  'fieldRef',
  'resourceFieldRef',
  'scaleTargetRef',
  'roleRef',
]);

/** The rule of the list at a path (field names only; an item adds no step). */
export function listRule(path: readonly string[]): ListRule {
  const field = path.at(-1) ?? '';
  if (field === 'ports') {
    const parent = path.at(-2) ?? '';
    if (parent === 'containers' || parent === 'initContainers') return { by: ['containerPort', 'protocol'] };
    return path.length === 2 && parent === 'spec' ? { by: ['port', 'protocol'] } : 'atomic';
  }
  return listRules[field] ?? 'atomic';
}

export function isAtomicMap(path: readonly string[]): boolean {
  return atomicMaps.has(path.at(-1) ?? '');
}

/** What makes an item of a keyed list the same item; undefined where a key is missing. */
export function itemKey(item: unknown, by: readonly string[]): string | undefined {
  if (!isObject(item)) return undefined;
  const values = by.map((key) => item[key] ?? (key === 'protocol' ? 'TCP' : undefined));
  return values.includes(undefined) ? undefined : JSON.stringify(values);
}

/** The items of a keyed list by their keys; undefined when an item has none, so that the list is one value. */
export function keyed(list: readonly unknown[], by: readonly string[]): Map<string, JsonObject> | undefined {
  const items = new Map<string, JsonObject>();
  for (const item of list) {
    const key = itemKey(item, by);
    if (key === undefined || !isObject(item)) return undefined;
    items.set(key, item);
  }
  return items;
}
