import { count, fields, type Manifest } from '../manifest.js';
import { type Health, healthy, progressing } from './health.js';

/** A DaemonSet is healthy when every node that wants one has an available pod of the newest template. */
export function daemonSetHealth(set: Manifest): Health {
  const status = fields(set.status);
  const name = set.metadata.name;
  if (count(set.metadata.generation) > count(status.observedGeneration)) {
    return progressing('Waiting for rollout to finish: observed daemon set generation less than desired generation');
  }
  const wanted = count(status.desiredNumberScheduled);
  const updated = count(status.updatedNumberScheduled);
  const available = count(status.numberAvailable);
  if (fields(fields(set.spec).updateStrategy).type === 'OnDelete') {
    return healthy(`daemon set ${updated} out of ${wanted} new pods have been updated`);
  }
  if (updated < wanted) {
    return progressing(
      `Waiting for daemon set "${name}" rollout to finish: ${updated} out of ${wanted} new pods have been updated...`,
    );
  }
  if (available < wanted) {
    return progressing(
      `Waiting for daemon set "${name}" rollout to finish: ${available} of ${wanted} updated pods are available...`,
    );
  }
  return healthy();
}
