import { type Manifest, text } from '../manifest.js';
import { type Condition, conditionsOf, readConditions } from './conditions.js';
import { degraded, type Health, healthy, progressing, unknown } from './health.js';

/** Reasons for which it cannot do its work, by the type of the condition that names them. */
const failures: Readonly<Record<string, ReadonlySet<string>>> = {
  AbleToScale: new Set(['FailedGetScale', 'FailedUpdateScale']),
  ScalingActive: new Set([
    'FailedGetResourceMetric',
    'FailedGetObjectMetric',
    'FailedGetPodsMetric',
    'FailedGetExternalMetric',
    'FailedComputeMetricsReplicas',
    'InvalidSelector',
  ]),
};

/** Where autoscaling/v1, which has no conditions in its status, keeps them as JSON. */
const conditionsAnnotation = 'autoscaling.alpha.kubernetes.io/conditions';

/** A HorizontalPodAutoscaler is healthy when it can scale its target or is at a limit, unless it lacks what it scales by. */
export function horizontalPodAutoscalerHealth(autoscaler: Manifest): Health {
  const conditions = autoscaler.apiVersion === 'autoscaling/v1' ? annotated(autoscaler) : conditionsOf(autoscaler);
  if (conditions === 'unreadable') return unknown(`its annotation ${conditionsAnnotation} is not JSON`);
  const failed = conditions?.find(({ type, reason }) => failures[type]?.has(reason) === true);
  if (failed !== undefined) return degraded(failed.message);
  const fine = conditions?.find(
    ({ type, status }) => (type === 'AbleToScale' || type === 'ScalingLimited') && status === 'True',
  );
  return fine === undefined ? progressing('it has not scaled anything yet') : healthy(fine.message);
}

function annotated(autoscaler: Manifest): Condition[] | 'unreadable' {
  const json = text(autoscaler.metadata.annotations?.[conditionsAnnotation]);
  if (json === '') return [];
  try {
    return readConditions(JSON.parse(json));
  } catch (error) {
    if (error instanceof SyntaxError) return 'unreadable';
    throw error;
  }
}
