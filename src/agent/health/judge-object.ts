import { groupOf, type Manifest } from '../manifest.js';
import { daemonSetHealth } from './daemon-set.js';
import { deploymentHealth } from './deployment.js';
import { type Health, type HealthRule, healthy, progressing } from './health.js';
import { ingressHealth } from './ingress.js';
import { jobHealth } from './job.js';
import { persistentVolumeClaimHealth } from './persistent-volume-claim.js';
import { podHealth } from './pod.js';
import { serviceHealth } from './service.js';
import { statefulSetHealth } from './stateful-set.js';

/** By group and kind; a kind without a rule is healthy when it exists, as Argo CD has it. */
const rules: Record<string, HealthRule> = {
  '/Pod': podHealth,
  '/PersistentVolumeClaim': persistentVolumeClaimHealth,
  '/Service': serviceHealth,
  'apps/DaemonSet': daemonSetHealth,
  'apps/Deployment': deploymentHealth,
  'apps/StatefulSet': statefulSetHealth,
  'batch/Job': jobHealth,
  'networking.k8s.io/Ingress': ingressHealth,
};

/** The health of one object, by Argo CD's rules for its kind. */
export function judgeObject(object: Manifest): Health {
  if (object.metadata.deletionTimestamp !== undefined) return progressing('Pending deletion');
  const rule = rules[`${groupOf(object.apiVersion)}/${object.kind}`];
  return rule === undefined ? healthy() : rule(object);
}
