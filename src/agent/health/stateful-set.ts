import { count, fields, type Manifest, text } from '../manifest.js';
import { type Health, healthy, progressing } from './health.js';

/** A StatefulSet is healthy when all its pods are ready and, unless it is updated by hand, of the newest revision. */
export function statefulSetHealth(set: Manifest): Health {
  const spec = fields(set.spec);
  const status = fields(set.status);
  const observed = count(status.observedGeneration);
  if (observed === 0 || count(set.metadata.generation) > observed) {
    return progressing('Waiting for statefulset spec update to be observed...');
  }
  const wanted = count(spec.replicas, 1);
  const ready = count(status.readyReplicas);
  const updated = count(status.updatedReplicas);
  if (ready < wanted) return progressing(`Waiting for ${wanted - ready} pods to be ready...`);

  const strategy = fields(spec.updateStrategy);
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate !== undefined) {
    const expected = wanted - count(fields(strategy.rollingUpdate).partition);
    if (updated < expected) {
      return progressing(
        `Waiting for partitioned roll out to finish: ${updated} out of ${expected} new pods have been updated...`,
      );
    }
    return healthy(`partitioned roll out complete: ${updated} new pods have been updated...`);
  }
  if (strategy.type === 'OnDelete') return healthy(`statefulset has ${ready} ready pods`);

  const revision = text(status.updateRevision);
  if (revision !== text(status.currentRevision)) {
    return progressing(`waiting for statefulset rolling update to complete ${updated} pods at revision ${revision}...`);
  }
  return healthy(
    `statefulset rolling update complete ${count(status.currentReplicas)} pods at revision ${text(status.currentRevision)}...`,
  );
}
