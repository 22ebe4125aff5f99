import { suffixOf } from '../cluster-state.js';
import { isObject } from '../object.js';

/** The label that tells the pods of one template from those of another. */
export const hashLabel = 'pod-template-hash';

/** A short name for a pod template: the same for the same content. */
export function templateHash(template: unknown): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(canonical(template))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return suffixOf(hash);
}

/** JSON with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
}
