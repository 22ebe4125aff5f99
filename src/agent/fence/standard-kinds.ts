import { AppError } from '../../error/app-error.js';
import { groupOf } from '../manifest.js';

/** Kinds of the groups that every cluster serves, for judging manifests where there is none to ask. */
const namespaced: Readonly<Record<string, readonly string[]>> = {
  '': [
    'ConfigMap',
    'Endpoints',
    'Event',
    'LimitRange',
    'PersistentVolumeClaim',
    'Pod',
    'PodTemplate',
    'ReplicationController',
    'ResourceQuota',
    'Secret',
    'Service',
    'ServiceAccount',
  ],
  apps: ['ControllerRevision', 'DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  autoscaling: ['HorizontalPodAutoscaler'],
  batch: ['CronJob', 'Job'],
  'networking.k8s.io': ['Ingress', 'NetworkPolicy'],
  policy: ['PodDisruptionBudget'],
};

const clusterScoped: Readonly<Record<string, readonly string[]>> = {
  '': ['ComponentStatus', 'Namespace', 'Node', 'PersistentVolume'],
  'networking.k8s.io': ['IPAddress', 'IngressClass', 'ServiceCIDR'],
};

/**
 * Whether objects of a kind live in namespaces, by a table of Kubernetes' own kinds. A kind of another group is taken to
 * be namespaced, since only a cluster knows. Rejects, as a cluster would, for a kind that such a group does not have.
 */
export async function isStandardNamespaced(apiVersion: string, kind: string): Promise<boolean> {
  const group = groupOf(apiVersion);
  if (clusterScoped[group]?.includes(kind)) return false;
  const known = namespaced[group];
  if (known === undefined || known.includes(kind)) return true;
  throw new AppError({
    code: 'kube-unknown-kind',
    disposition: 'stall',
    publicMessage: `Kubernetes has no kind ${kind} in ${apiVersion}. Correct apiVersion and kind.`,
    data: { apiVersion, kind },
  });
}
