import { fields, type Manifest, text } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, type HealthStatus, progressing, suspended } from './health.js';

/** The operator's phases, which are its own sentences; any other is Unknown. */
const phases: ReadonlyMap<string, HealthStatus> = new Map([
  ['Cluster in healthy state', 'Healthy'],
  ['Setting up primary', 'Progressing'],
  ['Creating a new replica', 'Progressing'],
  ['Upgrading cluster', 'Progressing'],
  ['Waiting for the instances to become active', 'Progressing'],
  ['Promoting to primary cluster', 'Progressing'],
  ['Switchover in progress', 'Degraded'],
  ['Failing over', 'Degraded'],
  ['Upgrading Postgres major version', 'Degraded'],
  ['Cluster upgrade delayed', 'Degraded'],
  ['Waiting for user action', 'Degraded'],
  ['Primary instance is being restarted in-place', 'Degraded'],
  ['Primary instance is being restarted without a switchover', 'Degraded'],
  ['Cluster cannot execute instance online upgrade due to missing architecture binary', 'Degraded'],
  ['Online upgrade in progress', 'Degraded'],
  ['Applying configuration', 'Degraded'],
  ['Unable to create required cluster objects', 'Suspended'],
  ['Cluster cannot proceed to reconciliation due to an unknown plugin being required', 'Suspended'],
  ['Cluster has incomplete or invalid image catalog', 'Suspended'],
  ['Cluster is unrecoverable and needs manual intervention', 'Suspended'],
]);

/** A Cluster of CloudNativePG, by the phase in its status; one that hibernates or is left alone is Suspended. */
export function cloudNativePgHealth(cluster: Manifest): Health {
  if (cluster.metadata.annotations?.['cnpg.io/reconciliationLoop'] === 'disabled') {
    return suspended('its reconciliation is switched off');
  }
  const status = fields(cluster.status);
  const message = text(status.phaseReason);
  const conditions = conditionsOf(cluster);
  if (conditions === null) return progressing(message);
  const hibernation = conditions.find(({ type }) => type === 'cnpg.io/hibernation');
  if (hibernation !== undefined) {
    return hibernation.status === 'True' ? suspended(hibernation.message) : degraded(hibernation.message);
  }
  return { status: phases.get(text(status.phase)) ?? 'Unknown', message };
}
