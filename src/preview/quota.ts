import type { Policy, SlotUsage } from './policy.js';

/** One other project, as far as its line stands before a preview. */
export interface ProjectLine {
  /** Slots that its previews hold. */
  used: number;
  /** `limits.previews` of that project. */
  max: number;
  /** Its previews that joined their line before the preview in question. */
  waitingBefore: number;
}

/**
 * How many previews of other projects could take a slot before this one. Those whose own project is full cannot, and
 * must not hold up the rest.
 */
export function aheadElsewhere(others: ProjectLine[]): number {
  return others.reduce((sum, line) => sum + Math.min(line.waitingBefore, Math.max(0, line.max - line.used)), 0);
}

/** Whether a preview that holds no slot may take one now; first come, first served, and nobody is evicted. */
export function slotIsFree(policy: Pick<Policy, 'maxPreviews'>, usage: SlotUsage): boolean {
  const roomInProject = policy.maxPreviews - usage.project - usage.ahead;
  const roomInTotal = usage.maxTotal - usage.total - usage.ahead - usage.aheadElsewhere;
  return roomInProject > 0 && roomInTotal > 0;
}
