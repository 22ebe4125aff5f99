import { fields, type Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, healthy, progressing } from './health.js';

/**
 * Kinds without a rule of their own, as kstatus has it: `observedGeneration` first, then the conditions Reconciling and
 * Stalled, then Ready. One that says nothing of itself, such as a ConfigMap, is healthy because it exists.
 */
export function anyKindHealth(object: Manifest): Health {
  const { generation } = object.metadata;
  const { observedGeneration } = fields(object.status);
  if (generation !== undefined && typeof observedGeneration === 'number' && observedGeneration !== generation) {
    return progressing(`its controller has seen generation ${observedGeneration} of ${generation}`);
  }
  const conditions = conditionsOf(object) ?? [];
  for (const { type, status, reason, message } of conditions) {
    if (status !== 'True') continue;
    if (type === 'Reconciling') return progressing(message || reason);
    if (type === 'Stalled') return degraded(message || reason);
  }
  // Whether one that is not ready will ever be, this condition cannot tell.
  const ready = conditions.find(({ type, status }) => type === 'Ready' && /^(True|False|Unknown)$/.test(status));
  if (ready === undefined || ready.status === 'True') return healthy(ready?.message ?? '');
  return progressing(ready.message || ready.reason);
}
