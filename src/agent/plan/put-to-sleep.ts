import { fields, groupOf, type Manifest } from '../manifest.js';

/** On an object that was put to sleep, so that what was changed in it is declared again when it wakes. */
const asleepAnnotation = 'mayfly.dev/asleep';

/** KEDA scales from zero by itself unless this says how many there are to be. */
const kedaPause = 'autoscaling.keda.sh/paused-replicas';

/** How an object is put to sleep: fields of its `spec`, and annotations. */
interface Sleep {
  spec: Readonly<Record<string, unknown>>;
  annotations?: Readonly<Record<string, string>>;
}

const scaledToZero: Sleep = { spec: { replicas: 0 } };

/** By group and kind. A HorizontalPodAutoscaler is left: Kubernetes disables it while its target is at zero. */
const sleeps: Readonly<Record<string, Sleep>> = {
  'apps/Deployment': scaledToZero,
  'apps/StatefulSet': scaledToZero,
  'apps/ReplicaSet': scaledToZero,
  '/ReplicationController': scaledToZero,
  'argoproj.io/Rollout': scaledToZero,
  'batch/CronJob': { spec: { suspend: true } },
  'keda.sh/ScaledObject': { spec: {}, annotations: { [kedaPause]: '0' } },
};

/** Kinds whose health says nothing while what they scale is at zero. */
const idleKinds: ReadonlySet<string> = new Set([...Object.keys(sleeps), 'autoscaling/HorizontalPodAutoscaler']);

/** The object as it is while its preview sleeps; one that runs nothing is left as it is. */
export function putToSleep(object: Manifest): Manifest {
  const sleep = sleepOf(object);
  if (sleep === undefined) return object;
  const annotations = { ...object.metadata.annotations, ...sleep.annotations, [asleepAnnotation]: 'true' };
  return { ...object, metadata: { ...object.metadata, annotations }, spec: { ...fields(object.spec), ...sleep.spec } };
}

/** Whether an object of this kind is put to sleep, or idle while others are. */
export function isIdleKind(object: { group: string; kind: string }): boolean {
  return idleKinds.has(`${object.group}/${object.kind}`);
}

/** Whether this very object was put to sleep. */
export function isAsleep(object: Manifest): boolean {
  return object.metadata.annotations?.[asleepAnnotation] === 'true' && sleepOf(object) !== undefined;
}

/** Whether a path of keys leads to what sleep changes in an object, or to what holds that. */
export function isChangedBySleep(object: Manifest, path: readonly string[]): boolean {
  const { spec = {}, annotations = {} } = sleepOf(object) ?? {};
  const changed = [
    ...Object.keys(spec).map((key) => ['spec', key]),
    ...Object.keys(annotations).map((key) => ['metadata', 'annotations', key]),
  ];
  return changed.some((keys) => path.length <= keys.length && path.every((key, index) => key === keys[index]));
}

function sleepOf(object: Manifest): Sleep | undefined {
  const key = `${groupOf(object.apiVersion)}/${object.kind}`;
  return Object.hasOwn(sleeps, key) ? sleeps[key] : undefined;
}
