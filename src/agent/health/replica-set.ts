import { count, fields, type Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, healthy, progressing } from './health.js';

/** A ReplicaSet is healthy when all its pods are available, and degraded when it may not make them. */
export function replicaSetHealth(set: Manifest): Health {
  const { replicas } = fields(set.spec);
  const status = fields(set.status);
  if (count(set.metadata.generation) > count(status.observedGeneration)) {
    return progressing('its newest specification has not been looked at yet');
  }
  const failure = conditionsOf(set)?.find(({ type }) => type === 'ReplicaFailure');
  if (failure?.status === 'True') return degraded(failure.message);
  const available = count(status.availableReplicas);
  if (typeof replicas === 'number' && available < replicas) {
    return progressing(`${available} of ${replicas} replicas are available`);
  }
  return healthy();
}
