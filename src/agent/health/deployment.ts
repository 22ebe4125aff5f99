import { count, fields, type Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, healthy, progressing, suspended } from './health.js';

/** A Deployment is healthy when its newest pods are all there and available, and none of the old ones is left. */
export function deploymentHealth(deployment: Manifest): Health {
  const spec = fields(deployment.spec);
  const status = fields(deployment.status);
  if (spec.paused === true) return suspended('it is paused');
  if (count(deployment.metadata.generation) > count(status.observedGeneration)) {
    return progressing('its newest specification has not been looked at yet');
  }
  const rollout = conditionsOf(deployment)?.find(({ type }) => type === 'Progressing');
  if (rollout?.reason === 'ProgressDeadlineExceeded') return degraded('its rollout exceeded the progress deadline');
  const updated = count(status.updatedReplicas);
  const all = count(status.replicas);
  const available = count(status.availableReplicas);
  // The API server always fills in a number; an object without one wants none in particular.
  if (typeof spec.replicas === 'number' && updated < spec.replicas) {
    return progressing(`${updated} of ${spec.replicas} replicas are of the newest template`);
  }
  if (all > updated) return progressing(`${all - updated} old replicas have not ended yet`);
  if (available < updated) return progressing(`${available} of ${updated} new replicas are available`);
  return healthy();
}
