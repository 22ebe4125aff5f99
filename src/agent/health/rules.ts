import { anyKindHealth } from './any-kind.js';
import { apiServiceHealth } from './api-service.js';
import { applicationHealth } from './application.js';
import { certificateHealth } from './certificate.js';
import { cloudNativePgHealth } from './cloud-native-pg.js';
import { cronJobHealth } from './cron-job.js';
import { daemonSetHealth } from './daemon-set.js';
import { deploymentHealth } from './deployment.js';
import { externalSecretHealth } from './external-secret.js';
import { type FluxKind, fluxHealth, fluxHelmRepositoryHealth } from './flux.js';
import { gatewayHealth, grpcRouteHealth, httpRouteHealth } from './gateway-api.js';
import type { HealthRule } from './health.js';
import { horizontalPodAutoscalerHealth } from './horizontal-pod-autoscaler.js';
import { ingressHealth } from './ingress.js';
import { jobHealth } from './job.js';
import { scaledJobHealth, scaledObjectHealth } from './keda.js';
import { knativeServiceHealth } from './knative-service.js';
import { persistentVolumeClaimHealth } from './persistent-volume-claim.js';
import { podHealth } from './pod.js';
import { podDisruptionBudgetHealth } from './pod-disruption-budget.js';
import { judgedByCondition } from './ready-condition.js';
import { replicaSetHealth } from './replica-set.js';
import { rolloutHealth } from './rollout.js';
import { sealedSecretHealth } from './sealed-secret.js';
import { serviceHealth } from './service.js';
import { statefulSetHealth } from './stateful-set.js';
import { strimziHealth } from './strimzi.js';
import { workflowHealth } from './workflow.js';

const source: FluxKind = { also: ['ArtifactInStorage'], successes: 2, underWay: 'Unknown' };
const plain: FluxKind = { also: [], successes: 1, underWay: 'Unknown' };
const scanned: FluxKind = { also: [], successes: 1, underWay: 'False' };

/** By group and kind, whatever the version. */
const rules: Readonly<Record<string, HealthRule>> = {
  '/PersistentVolumeClaim': persistentVolumeClaimHealth,
  '/Pod': podHealth,
  '/Service': serviceHealth,
  'apiregistration.k8s.io/APIService': apiServiceHealth,
  'apps/DaemonSet': daemonSetHealth,
  'apps/Deployment': deploymentHealth,
  'apps/ReplicaSet': replicaSetHealth,
  'apps/StatefulSet': statefulSetHealth,
  'argoproj.io/Application': applicationHealth,
  'argoproj.io/Rollout': rolloutHealth,
  'argoproj.io/Workflow': workflowHealth,
  'autoscaling/HorizontalPodAutoscaler': horizontalPodAutoscalerHealth,
  'batch/CronJob': cronJobHealth,
  'batch/Job': jobHealth,
  'bitnami.com/SealedSecret': sealedSecretHealth,
  'cert-manager.io/Certificate': certificateHealth,
  'cert-manager.io/ClusterIssuer': judgedByCondition('Ready', 'it is being set up'),
  'cert-manager.io/Issuer': judgedByCondition('Ready', 'it is being set up'),
  'extensions/Ingress': ingressHealth,
  'external-secrets.io/ClusterSecretStore': judgedByCondition('Ready', 'its store has not been reached yet'),
  'external-secrets.io/ExternalSecret': externalSecretHealth,
  'external-secrets.io/PushSecret': judgedByCondition('Ready', 'it has not been pushed yet'),
  'external-secrets.io/SecretStore': judgedByCondition('Ready', 'its store has not been reached yet'),
  'gateway.networking.k8s.io/GRPCRoute': grpcRouteHealth,
  'gateway.networking.k8s.io/Gateway': gatewayHealth,
  'gateway.networking.k8s.io/HTTPRoute': httpRouteHealth,
  'helm.toolkit.fluxcd.io/HelmRelease': fluxHealth({ ...source, also: ['Released', 'TestSuccess'] }),
  'image.toolkit.fluxcd.io/ImagePolicy': fluxHealth({
    ...scanned,
    reasons: ['NewGeneration', 'AccessingRepository', 'ApplyingPolicy'],
    neverSuspended: true,
  }),
  'image.toolkit.fluxcd.io/ImageRepository': fluxHealth({ ...scanned, reasons: ['NewGeneration', 'Scanning'] }),
  'image.toolkit.fluxcd.io/ImageUpdateAutomation': fluxHealth(plain),
  'kafka.strimzi.io/Kafka': strimziHealth,
  'kafka.strimzi.io/KafkaBridge': strimziHealth,
  'kafka.strimzi.io/KafkaConnect': strimziHealth,
  'kafka.strimzi.io/KafkaConnector': strimziHealth,
  'kafka.strimzi.io/KafkaTopic': strimziHealth,
  'kafka.strimzi.io/KafkaUser': strimziHealth,
  'keda.sh/ScaledJob': scaledJobHealth,
  'keda.sh/ScaledObject': scaledObjectHealth,
  'kustomize.toolkit.fluxcd.io/Kustomization': fluxHealth(plain),
  'networking.k8s.io/Ingress': ingressHealth,
  'notification.toolkit.fluxcd.io/Receiver': fluxHealth({ ...plain, underWay: null }),
  'onepassword.com/OnePasswordItem': judgedByCondition('Ready', 'it has not been fetched yet'),
  'policy/PodDisruptionBudget': podDisruptionBudgetHealth,
  'postgresql.cnpg.io/Cluster': cloudNativePgHealth,
  'serving.knative.dev/Service': knativeServiceHealth,
  'source.toolkit.fluxcd.io/Bucket': fluxHealth(source),
  'source.toolkit.fluxcd.io/GitRepository': fluxHealth(source),
  'source.toolkit.fluxcd.io/HelmChart': fluxHealth(source),
  'source.toolkit.fluxcd.io/HelmRepository': fluxHelmRepositoryHealth(source),
  'source.toolkit.fluxcd.io/OCIRepository': fluxHealth(source),
};

/** Versions of the kinds that Argo CD judges in one of them only; any other version of theirs is Unknown. */
const onlyVersions: Readonly<Record<string, readonly string[]>> = {
  '/PersistentVolumeClaim': ['v1'],
  '/Pod': ['v1'],
  '/Service': ['v1'],
  'apps/DaemonSet': ['apps/v1'],
  'apps/Deployment': ['apps/v1'],
  'apps/ReplicaSet': ['apps/v1'],
  'apps/StatefulSet': ['apps/v1'],
  'autoscaling/HorizontalPodAutoscaler': ['autoscaling/v1', 'autoscaling/v2'],
  'batch/Job': ['batch/v1'],
};

/** The rule for a kind. */
export function ruleFor(groupKind: string): HealthRule {
  return Object.hasOwn(rules, groupKind) ? (rules[groupKind] ?? anyKindHealth) : anyKindHealth;
}

/** Whether objects of this kind can be judged in this version. */
export function isVersionKnown(groupKind: string, apiVersion: string): boolean {
  return !Object.hasOwn(onlyVersions, groupKind) || onlyVersions[groupKind]?.includes(apiVersion) !== false;
}
