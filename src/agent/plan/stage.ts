/** When something is done within a sync, in Argo CD's words. */
export type HookPhase = 'PreSync' | 'Sync' | 'PostSync';

/**
 * Where an object stands in the order of a sync: phase and wave of the preview's own Application, then phase and wave
 * within a child Application. Compared number by number; what has the same stage goes together.
 */
export type Stage = readonly [phase: number, wave: number, childPhase: number, childWave: number];

const phaseOrder: Readonly<Record<HookPhase, number>> = { PreSync: 0, Sync: 1, PostSync: 2 };

/** The stage of what has neither hook nor wave. */
const plainStage: Stage = [phaseOrder.Sync, 0, phaseOrder.Sync, 0];

const waveAnnotation = 'argocd.argoproj.io/sync-wave';
const helmWeight = 'helm.sh/hook-weight';

export interface StageInput {
  phase: HookPhase;
  wave: number;
  /** Wave of the child Application that declares it; null: the preview's own does. */
  childWave: number | null;
}

export function stageOf({ phase, wave, childWave }: StageInput): Stage {
  return childWave === null
    ? [phaseOrder[phase], wave, phaseOrder.Sync, 0]
    : [phaseOrder.Sync, childWave, phaseOrder[phase], wave];
}

/** The wave of an object, or Helm's weight of a hook; null for what is no whole number. 0 where there is none. */
export function waveOf(annotations: Readonly<Record<string, string>> | undefined): number | null {
  const written = annotations?.[waveAnnotation] ?? annotations?.[helmWeight] ?? '0';
  return /^\s*[+-]?\d{1,9}\s*$/.test(written) ? Number(written) : null;
}

/** Negative when `a` comes first; what has no stage is plain. */
export function compareStages(a: readonly number[] | undefined, b: readonly number[] | undefined): number {
  const [left, right] = [a ?? plainStage, b ?? plainStage];
  for (const [index, value] of left.entries()) {
    const difference = value - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Whether it comes after all that belongs to the sync itself: what is no longer wanted has gone by then. */
export function isAfterSync(stage: readonly number[]): boolean {
  return (stage[0] ?? 0) > phaseOrder.Sync;
}

/** Groups by stage, the first one first. */
export function inStages<T extends { stage: Stage }>(items: readonly T[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = item.stage.join();
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return [...groups.values()].sort((a, b) => compareStages(a[0]?.stage, b[0]?.stage));
}

/** What an inventory keeps of a stage: nothing for the plain one. */
export function keptStage(stage: Stage): number[] | undefined {
  return compareStages(stage, plainStage) === 0 ? undefined : [...stage];
}
