import type { Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, healthy, progressing } from './health.js';

/** A kind of Strimzi is healthy when it is Ready, and degraded when its operator calls it NotReady. */
export function strimziHealth(object: Manifest): Health {
  for (const { type, status, reason, message } of conditionsOf(object) ?? []) {
    if (status !== 'True') continue;
    // A cluster that is being created is not ready for a good reason.
    if (type === 'NotReady' && !(object.kind === 'Kafka' && reason === 'Creating')) return degraded(message);
    if (type === 'Ready') return healthy();
  }
  return progressing('its operator has not finished with it');
}
