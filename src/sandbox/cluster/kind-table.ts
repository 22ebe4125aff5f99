import type { Kind } from './kind.js';

type Row = Pick<Kind, 'kind' | 'plural'> & Partial<Kind>;

const workload = { generation: true, status: true, categories: ['all'] } as const;
const cluster = { namespaced: false } as const;

/** What the stand-in serves, by group version, in the order in which discovery lists it. */
export const kindTable: Record<string, Row[]> = {
  v1: [
    { kind: 'ConfigMap', plural: 'configmaps', short: ['cm'] },
    { kind: 'Endpoints', plural: 'endpoints', singular: 'endpoints', short: ['ep'] },
    { kind: 'Event', plural: 'events', short: ['ev'], fields: eventFields('involvedObject', 'reportingComponent') },
    { kind: 'LimitRange', plural: 'limitranges', short: ['limits'] },
    { kind: 'Namespace', plural: 'namespaces', short: ['ns'], ...cluster, status: true, fields: ['status.phase'] },
    { kind: 'Node', plural: 'nodes', short: ['no'], ...cluster, status: true, fields: ['spec.unschedulable'] },
    { kind: 'PersistentVolumeClaim', plural: 'persistentvolumeclaims', short: ['pvc'], status: true },
    { kind: 'PersistentVolume', plural: 'persistentvolumes', short: ['pv'], ...cluster, status: true },
    {
      kind: 'Pod',
      plural: 'pods',
      short: ['po'],
      ...workload,
      fields: ['spec.nodeName', 'spec.restartPolicy', 'spec.schedulerName', 'spec.serviceAccountName', 'status.phase'],
    },
    { kind: 'ResourceQuota', plural: 'resourcequotas', short: ['quota'], status: true },
    { kind: 'Secret', plural: 'secrets', fields: ['type'] },
    { kind: 'ServiceAccount', plural: 'serviceaccounts', short: ['sa'] },
    { kind: 'Service', plural: 'services', short: ['svc'], status: true, categories: ['all'] },
  ],
  'apps/v1': [
    { kind: 'ControllerRevision', plural: 'controllerrevisions' },
    { kind: 'DaemonSet', plural: 'daemonsets', short: ['ds'], ...workload },
    { kind: 'Deployment', plural: 'deployments', short: ['deploy'], ...workload, scale: true },
    { kind: 'ReplicaSet', plural: 'replicasets', short: ['rs'], ...workload, scale: true, fields: ['status.replicas'] },
    { kind: 'StatefulSet', plural: 'statefulsets', short: ['sts'], ...workload, scale: true },
  ],
  'events.k8s.io/v1': [
    {
      kind: 'Event',
      plural: 'events',
      short: ['ev'],
      storage: 'events',
      fields: eventFields('regarding', 'reportingController'),
    },
  ],
  'authentication.k8s.io/v1': [
    { kind: 'SelfSubjectReview', plural: 'selfsubjectreviews', ...cluster, verbs: ['create'] },
  ],
  'authorization.k8s.io/v1': [
    { kind: 'SelfSubjectAccessReview', plural: 'selfsubjectaccessreviews', ...cluster, verbs: ['create'] },
    { kind: 'SelfSubjectRulesReview', plural: 'selfsubjectrulesreviews', ...cluster, verbs: ['create'] },
  ],
  'autoscaling/v2': [
    { kind: 'HorizontalPodAutoscaler', plural: 'horizontalpodautoscalers', short: ['hpa'], ...workload },
  ],
  'batch/v1': [
    { kind: 'CronJob', plural: 'cronjobs', short: ['cj'], ...workload },
    { kind: 'Job', plural: 'jobs', ...workload, fields: ['status.successful'] },
  ],
  'networking.k8s.io/v1': [
    { kind: 'IngressClass', plural: 'ingressclasses', ...cluster, generation: true },
    { kind: 'Ingress', plural: 'ingresses', short: ['ing'], generation: true, status: true },
    { kind: 'NetworkPolicy', plural: 'networkpolicies', short: ['netpol'], generation: true },
  ],
  'policy/v1': [
    { kind: 'PodDisruptionBudget', plural: 'poddisruptionbudgets', short: ['pdb'], generation: true, status: true },
  ],
  'rbac.authorization.k8s.io/v1': [
    { kind: 'ClusterRoleBinding', plural: 'clusterrolebindings', ...cluster },
    { kind: 'ClusterRole', plural: 'clusterroles', ...cluster },
    { kind: 'RoleBinding', plural: 'rolebindings' },
    { kind: 'Role', plural: 'roles' },
  ],
  'storage.k8s.io/v1': [{ kind: 'StorageClass', plural: 'storageclasses', short: ['sc'], ...cluster }],
  'coordination.k8s.io/v1': [{ kind: 'Lease', plural: 'leases' }],
  'discovery.k8s.io/v1': [{ kind: 'EndpointSlice', plural: 'endpointslices' }],
};

function eventFields(about: string, reporter: string): string[] {
  const parts = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath'];
  return [...parts.map((part) => `${about}.${part}`), 'reason', reporter, 'type'];
}
