import { count, fields, type Manifest } from '../manifest.js';
import { type Health, healthy, progressing } from './health.js';

/** A DaemonSet is healthy when every node that wants one has an available pod of the newest template. */
export function daemonSetHealth(set: Manifest): Health {
  const status = fields(set.status);
  if (count(set.metadata.generation) > count(status.observedGeneration)) {
    return progressing('its newest specification has not been looked at yet');
  }
  const wanted = count(status.desiredNumberScheduled);
  const updated = count(status.updatedNumberScheduled);
  const available = count(status.numberAvailable);
  if (fields(fields(set.spec).updateStrategy).type === 'OnDelete') {
    return healthy(`${updated} of ${wanted} pods are of the newest template`);
  }
  if (updated < wanted) return progressing(`${updated} of ${wanted} pods are of the newest template`);
  if (available < wanted) return progressing(`${available} of ${wanted} pods are available`);
  return healthy();
}
