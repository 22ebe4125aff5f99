import { count, fields, type Manifest, records } from '../manifest.js';
import { degraded, type Health, healthy, progressing, suspended } from './health.js';

/** A Deployment is healthy when its newest pods are all there and available, and none of the old ones is left. */
export function deploymentHealth(deployment: Manifest): Health {
  const spec = fields(deployment.spec);
  const status = fields(deployment.status);
  if (spec.paused === true) return suspended('Deployment is paused');
  if (count(deployment.metadata.generation) > count(status.observedGeneration)) {
    return progressing('Waiting for rollout to finish: observed deployment generation less than desired generation');
  }
  const rollout = records(status.conditions).find((condition) => condition.type === 'Progressing');
  if (rollout?.reason === 'ProgressDeadlineExceeded') {
    return degraded(`Deployment "${deployment.metadata.name}" exceeded its progress deadline`);
  }
  const wanted = count(spec.replicas, 1);
  const updated = count(status.updatedReplicas);
  const all = count(status.replicas);
  const available = count(status.availableReplicas);
  if (updated < wanted) {
    return progressing(`Waiting for rollout to finish: ${updated} out of ${wanted} new replicas have been updated...`);
  }
  if (all > updated) {
    return progressing(`Waiting for rollout to finish: ${all - updated} old replicas are pending termination...`);
  }
  if (available < updated) {
    return progressing(`Waiting for rollout to finish: ${available} of ${updated} updated replicas are available...`);
  }
  return healthy();
}
