import type { Manifest } from '../manifest.js';
import type { ResourceBounds } from './furniture-settings.js';
import { lesserQuantity, partOfCpu, partOfMemory } from './quantity.js';

/** Name of the quota, the limits and the network policy; the fence keeps it from previews. */
export const furnitureName = 'mayfly';

/**
 * A container that names no limit gets this part of the namespace's bound, and one that names no request the smaller
 * part: a preview of a handful of containers fits without saying anything.
 */
const limitParts = 8;
const requestParts = { cpu: 40, memory: 64 };

/** What the file asks for, as far as the cap allows; without a word of the file, the cap. */
export function cappedBounds(requested: ResourceBounds | null, cap: ResourceBounds | null): ResourceBounds | null {
  const pods = Math.min(requested?.pods ?? Number.POSITIVE_INFINITY, cap?.pods ?? Number.POSITIVE_INFINITY);
  const bounds: ResourceBounds = {
    cpu: lesserQuantity(requested?.cpu, cap?.cpu),
    memory: lesserQuantity(requested?.memory, cap?.memory),
    pods: Number.isFinite(pods) ? pods : undefined,
  };
  return Object.values(bounds).every((bound) => bound === undefined) ? null : bounds;
}

/**
 * The ResourceQuota, and with bounds of CPU or memory the LimitRange that gives every container the limit without which
 * the quota would refuse it.
 */
export function boundsManifests(bounds: ResourceBounds): Manifest[] {
  const { cpu, memory, pods } = bounds;
  const hard = {
    ...(cpu === undefined ? {} : { 'limits.cpu': cpu, 'requests.cpu': cpu }),
    ...(memory === undefined ? {} : { 'limits.memory': memory, 'requests.memory': memory }),
    ...(pods === undefined ? {} : { pods: String(pods) }),
  };
  const metadata = { name: furnitureName };
  const quota: Manifest = { apiVersion: 'v1', kind: 'ResourceQuota', metadata, spec: { hard } };
  if (cpu === undefined && memory === undefined) return [quota];
  const limit = {
    type: 'Container',
    default: {
      ...(cpu === undefined ? {} : { cpu: partOfCpu(cpu, limitParts) }),
      ...(memory === undefined ? {} : { memory: partOfMemory(memory, limitParts) }),
    },
    defaultRequest: {
      ...(cpu === undefined ? {} : { cpu: partOfCpu(cpu, requestParts.cpu) }),
      ...(memory === undefined ? {} : { memory: partOfMemory(memory, requestParts.memory) }),
    },
  };
  return [quota, { apiVersion: 'v1', kind: 'LimitRange', metadata, spec: { limits: [limit] } }];
}
