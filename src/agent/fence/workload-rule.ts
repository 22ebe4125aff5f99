import { fields, groupOf, type Manifest, text } from '../manifest.js';
import { refuseIf } from './fence-rule.js';

/** Where each kind keeps the specification of its pods. */
const podSpecPaths: Readonly<Record<string, readonly string[]>> = {
  '/Pod': ['spec'],
  '/PodTemplate': ['template', 'spec'],
  '/ReplicationController': ['spec', 'template', 'spec'],
  'apps/Deployment': ['spec', 'template', 'spec'],
  'apps/ReplicaSet': ['spec', 'template', 'spec'],
  'apps/StatefulSet': ['spec', 'template', 'spec'],
  'apps/DaemonSet': ['spec', 'template', 'spec'],
  'batch/Job': ['spec', 'template', 'spec'],
  'batch/CronJob': ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
};

/**
 * Refuses what the namespace's pod-security level does not look at: pods that push others aside or choose their node,
 * secrets that hold a cluster identity, and claims that take a given volume.
 */
export function workloadRule(manifest: Manifest): string[] {
  const kind = `${groupOf(manifest.apiVersion)}/${manifest.kind}`;
  if (kind === '/Secret') return judgeSecret(manifest);
  if (kind === '/PersistentVolumeClaim') return judgeClaim(fields(manifest.spec));
  const path = podSpecPaths[kind];
  if (path === undefined) return [];
  const pod = path.reduce((value, key) => fields(value[key]), fields(manifest));
  const claims = fields(manifest.spec).volumeClaimTemplates;
  return [
    ...refuseIf(text(pod.priorityClassName).startsWith('system-'), 'a system priority class is refused'),
    ...refuseIf(text(pod.nodeName) !== '', 'spec.nodeName is refused: the scheduler chooses the node'),
    ...(Array.isArray(claims) ? claims.flatMap((claim) => judgeClaim(fields(fields(claim).spec))) : []),
  ];
}

function judgeSecret(manifest: Manifest): string[] {
  const type = text(manifest.type);
  return refuseIf(
    type === 'kubernetes.io/service-account-token' || type === 'bootstrap.kubernetes.io/token',
    `a Secret of type ${type} is refused: it would hold a cluster identity`,
  );
}

function judgeClaim(spec: Record<string, unknown>): string[] {
  const elsewhere = text(fields(spec.dataSourceRef).namespace) !== '';
  return [
    ...refuseIf(text(spec.volumeName) !== '', 'spec.volumeName is refused: it may name the volume of another'),
    ...refuseIf(elsewhere, 'spec.dataSourceRef.namespace is refused: data of other namespaces is not the preview’s'),
  ];
}
