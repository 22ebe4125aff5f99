import { isObject, type JsonObject, type KubeObject, labelsAt, objectAt } from '../object.js';

/**
 * The defaults that the API server would fill in and that tools read back: replicas, strategies, restart policies,
 * ports' protocols. The object is the caller's own copy and is changed in place.
 */
export function fillDefaults(object: KubeObject): void {
  const spec = isObject(object.spec) ? object.spec : undefined;
  fillers[`${object.apiVersion}/${object.kind}`]?.(object, spec ?? {});
}

type Filler = (object: KubeObject, spec: JsonObject) => void;

const fillers: Record<string, Filler> = {
  'v1/Pod': (_, spec) => fillPodSpec(spec, 'Always'),
  'v1/Service': (_, spec) => fillService(spec),
  'v1/Secret': (object) => fillSecret(object),
  'v1/Namespace': (object) => fillNamespace(object),
  'v1/PersistentVolumeClaim': (object, spec) => {
    fill(spec, { volumeMode: 'Filesystem' });
    object.status ??= { phase: 'Pending' };
  },
  'apps/v1/Deployment': (_, spec) => {
    fill(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: {} });
    fillStrategy(spec.strategy, { maxSurge: '25%', maxUnavailable: '25%' });
    fillTemplate(spec, 'Always');
  },
  'apps/v1/ReplicaSet': (_, spec) => {
    fill(spec, { replicas: 1 });
    fillTemplate(spec, 'Always');
  },
  'apps/v1/StatefulSet': (_, spec) => {
    fill(spec, { replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10, updateStrategy: {} });
    fill(spec, { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' } });
    fillStrategy(spec.updateStrategy, { partition: 0 });
    fillTemplate(spec, 'Always');
  },
  'apps/v1/DaemonSet': (_, spec) => {
    fill(spec, { revisionHistoryLimit: 10, updateStrategy: {} });
    fillStrategy(spec.updateStrategy, { maxSurge: 0, maxUnavailable: 1 });
    fillTemplate(spec, 'Always');
  },
  'batch/v1/Job': (object, spec) => fillJob(object, spec),
  'batch/v1/CronJob': (_, spec) => {
    fill(spec, {
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    fillTemplate(objectAt(spec, 'jobTemplate', 'spec'), undefined);
  },
  'autoscaling/v2/HorizontalPodAutoscaler': (_, spec) => fill(spec, { minReplicas: 1 }),
  'networking.k8s.io/v1/NetworkPolicy': (_, spec) => {
    fill(spec, { policyTypes: spec.egress === undefined ? ['Ingress'] : ['Ingress', 'Egress'] });
  },
};

function fill(target: unknown, defaults: JsonObject): void {
  if (!isObject(target)) return;
  for (const [key, value] of Object.entries(defaults))
    if (target[key] === undefined) target[key] = structuredClone(value);
}

function fillStrategy(strategy: unknown, rollingUpdate: JsonObject): void {
  fill(strategy, { type: 'RollingUpdate' });
  if (!isObject(strategy) || strategy.type !== 'RollingUpdate') return;
  fill(strategy, { rollingUpdate: {} });
  fill(strategy.rollingUpdate, rollingUpdate);
}

function fillTemplate(spec: JsonObject, restartPolicy: string | undefined): void {
  const podSpec = objectAt(spec, 'template').spec;
  if (isObject(podSpec)) fillPodSpec(podSpec, restartPolicy);
}

function fillPodSpec(spec: JsonObject, restartPolicy: string | undefined): void {
  if (restartPolicy !== undefined) fill(spec, { restartPolicy });
  fill(spec, { dnsPolicy: 'ClusterFirst', schedulerName: 'default-scheduler', securityContext: {} });
  fill(spec, { terminationGracePeriodSeconds: 30 });
  if (spec.serviceAccountName !== undefined) fill(spec, { serviceAccount: spec.serviceAccountName });
  for (const field of ['initContainers', 'containers']) {
    const containers = spec[field];
    if (Array.isArray(containers)) for (const container of containers) fillContainer(container);
  }
}

function fillContainer(container: unknown): void {
  if (!isObject(container)) return;
  const image = typeof container.image === 'string' ? container.image : '';
  const name = image.split('/').at(-1) ?? '';
  const moves = !image.includes('@') && (!name.includes(':') || name.endsWith(':latest'));
  fill(container, { imagePullPolicy: moves ? 'Always' : 'IfNotPresent', resources: {} });
  fill(container, { terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File' });
  if (Array.isArray(container.ports)) for (const port of container.ports) fill(port, { protocol: 'TCP' });
  for (const probe of ['livenessProbe', 'readinessProbe', 'startupProbe']) {
    fill(container[probe], { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 });
    fill(objectAt(container, probe).httpGet, { path: '/', scheme: 'HTTP' });
  }
}

function fillService(spec: JsonObject): void {
  fill(spec, { type: 'ClusterIP', sessionAffinity: 'None' });
  if (spec.type !== 'ExternalName') {
    fill(spec, { internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
  }
  if (!Array.isArray(spec.ports)) return;
  for (const port of spec.ports.filter(isObject)) fill(port, { protocol: 'TCP', targetPort: port.port });
}

function fillSecret(object: KubeObject): void {
  fill(object, { type: 'Opaque' });
  const plain = object.stringData;
  if (!isObject(plain)) return;
  const data = { ...objectAt(object, 'data') };
  for (const [key, text] of Object.entries(plain)) data[key] = Buffer.from(String(text)).toString('base64');
  object.data = data;
  delete object.stringData;
}

function fillNamespace(object: KubeObject): void {
  const labels = labelsAt(object, 'metadata', 'labels');
  object.metadata.labels = { ...labels, 'kubernetes.io/metadata.name': object.metadata.name };
  object.spec ??= {};
  fill(object.spec, { finalizers: ['kubernetes'] });
  object.status ??= { phase: 'Active' };
}

function fillJob(object: KubeObject, spec: JsonObject): void {
  fill(spec, { backoffLimit: 6, completionMode: 'NonIndexed', suspend: false, manualSelector: false });
  fill(spec, { podReplacementPolicy: 'TerminatingOrFailed' });
  if (spec.completions === undefined && spec.parallelism === undefined) fill(spec, { completions: 1 });
  fill(spec, { parallelism: 1 });
  fillTemplate(spec, undefined);
  const { uid, name } = object.metadata;
  if (uid === undefined || spec.manualSelector === true) return;
  fill(spec, { selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } } });
  const marks = { 'batch.kubernetes.io/controller-uid': uid, 'batch.kubernetes.io/job-name': name };
  const labels = { ...marks, 'controller-uid': uid, 'job-name': name };
  const template = objectAt(spec, 'template');
  fill(template, { metadata: {} });
  const metadata = objectAt(template, 'metadata');
  metadata.labels = { ...objectAt(metadata, 'labels'), ...labels };
  if (object.metadata.labels === undefined) object.metadata.labels = { ...labelsAt(metadata, 'labels') };
}
