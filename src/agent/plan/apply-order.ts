import { groupOf } from '../manifest.js';
import { compareStages } from './stage.js';

/**
 * In which order kinds are applied, lowest first; those of one step go together, and removal takes the reverse. What
 * is named here is needed by what comes later; all other kinds come with the workloads.
 */
const steps: readonly (readonly string[])[] = [
  ['/ServiceAccount'],
  ['/Secret', '/ConfigMap'],
  ['/PersistentVolumeClaim'],
  ['/Service'],
  ['policy/PodDisruptionBudget'],
  [],
  ['autoscaling/HorizontalPodAutoscaler'],
  [
    'networking.k8s.io/Ingress',
    'gateway.networking.k8s.io/HTTPRoute',
    'gateway.networking.k8s.io/GRPCRoute',
    'gateway.networking.k8s.io/TLSRoute',
  ],
];

const stepOfKind = new Map(steps.flatMap((kinds, step) => kinds.map((kind) => [kind, step] as const)));
const workloadStep = steps.findIndex((kinds) => kinds.length === 0);

/** The step in which a kind is applied; a number to compare, no more. */
function applyStep(object: { apiVersion: string; kind: string }): number {
  return stepOfKind.get(`${groupOf(object.apiVersion)}/${object.kind}`) ?? workloadStep;
}

/** Groups objects by step, lowest first. */
export function inSteps<T extends { apiVersion: string; kind: string }>(objects: readonly T[]): T[][] {
  const groups = new Map<number, T[]>();
  for (const object of objects) {
    const step = applyStep(object);
    groups.set(step, [...(groups.get(step) ?? []), object]);
  }
  return [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
}

/** Groups what is to be removed: the last stage first, and within a stage the last kinds first. */
export function removalSteps<T extends { apiVersion: string; kind: string; stage?: number[] | undefined }>(
  objects: readonly T[],
): T[][] {
  const sorted = [...objects].sort((a, b) => compareStages(b.stage, a.stage));
  const stages: T[][] = [];
  for (const object of sorted) {
    const last = stages.at(-1);
    if (last !== undefined && compareStages(last[0]?.stage, object.stage) === 0) last.push(object);
    else stages.push([object]);
  }
  return stages.flatMap((stage) => inSteps(stage).reverse());
}
