import type { SlotUsage } from '../../preview/policy.js';
import { aheadElsewhere } from '../../preview/quota.js';
import type { DecideSettings, Occupancy } from './needs.js';

type Limits = ReturnType<DecideSettings['slotLimits']>;

/** What the pure decision must know of the limits, from the counts of all projects. */
export function usageOf(occupancy: readonly Occupancy[], project: string, limits: Limits): SlotUsage {
  const own = occupancy.find((line) => line.project === project);
  const others = occupancy.filter((line) => line.project !== project);
  return {
    project: own?.used ?? 0,
    total: occupancy.reduce((sum, line) => sum + line.used, 0),
    maxTotal: limits.total,
    ahead: own?.waitingBefore ?? 0,
    aheadElsewhere: aheadElsewhere(
      others.map((line) => ({ used: line.used, max: maxOf(limits, line), waitingBefore: line.waitingBefore })),
    ),
  };
}

/**
 * Who may take a slot that became free: the first of the project's own line, and the first of all whose project has
 * room. Each decides for itself, so that one too many does no harm.
 */
export function headsOfLines(occupancy: readonly Occupancy[], project: string, limits: Limits): string[] {
  const own = occupancy.find((line) => line.project === project)?.head;
  let first: NonNullable<Occupancy['head']> | undefined;
  for (const line of occupancy) {
    if (line.head === null || line.used >= maxOf(limits, line)) continue;
    if (first === undefined || line.head.since < first.since) first = line.head;
  }
  const subjects = [own?.subject, first?.subject].filter((subject) => subject !== undefined);
  return [...new Set(subjects)];
}

/** A project that left the configuration takes nothing more. */
function maxOf(limits: Limits, line: Occupancy): number {
  return limits.projects.get(line.project) ?? 0;
}
