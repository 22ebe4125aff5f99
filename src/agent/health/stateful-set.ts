import { count, fields, type Manifest, text } from '../manifest.js';
import { type Health, healthy, progressing } from './health.js';

/** A StatefulSet is healthy when all its pods are ready and, unless it is updated by hand, of the newest revision. */
export function statefulSetHealth(set: Manifest): Health {
  const spec = fields(set.spec);
  const status = fields(set.status);
  const observed = count(status.observedGeneration);
  if (observed === 0 || count(set.metadata.generation) > observed) {
    return progressing('its newest specification has not been looked at yet');
  }
  const wanted = typeof spec.replicas === 'number' ? spec.replicas : null;
  const ready = count(status.readyReplicas);
  const updated = count(status.updatedReplicas);
  if (wanted !== null && ready < wanted) return progressing(`${ready} of ${wanted} pods are ready`);

  const strategy = fields(spec.updateStrategy);
  if (strategy.type === 'RollingUpdate' && typeof strategy.rollingUpdate === 'object') {
    const { partition } = fields(strategy.rollingUpdate);
    // Pods below the partition stay at the old revision on purpose.
    const expected = wanted !== null && typeof partition === 'number' ? wanted - partition : 0;
    return updated < expected
      ? progressing(`${updated} of ${expected} pods above the partition are of the newest revision`)
      : healthy(`${updated} pods above the partition are of the newest revision`);
  }
  if (strategy.type === 'OnDelete') return healthy(`${ready} pods are ready`);

  const revision = text(status.updateRevision);
  if (revision !== text(status.currentRevision)) {
    return progressing(`${updated} pods are of the newest revision ${revision}`);
  }
  return healthy(`${count(status.currentReplicas)} pods are of the newest revision ${revision}`);
}
