import type { Phase, Preview } from './preview.js';

/** Where each phase may lead. A row only ever moves along these arrows. */
export const transitions: Readonly<Record<Phase, readonly Phase[]>> = {
  waiting: ['deploying', 'stopped'],
  deploying: ['deploying', 'ready', 'failed', 'asleep', 'stopping'],
  ready: ['deploying', 'failed', 'asleep', 'stopping'],
  failed: ['deploying', 'ready', 'asleep', 'stopping'],
  asleep: ['deploying', 'failed', 'stopping'],
  stopping: ['stopped', 'deploying', 'ready'],
  stopped: [],
};

/** Phases that hold a slot of the limits: something of it is, or is about to be, in the cluster. */
const slotPhases: readonly Phase[] = ['deploying', 'ready', 'failed', 'asleep', 'stopping'];

/** Phases in which the file of the preview stands in the branch. */
const filePhases: readonly Phase[] = ['deploying', 'ready', 'failed', 'asleep'];

export function canTransition(from: Phase, to: Phase): boolean {
  return transitions[from].includes(to);
}

export function holdsSlot(phase: Phase): boolean {
  return slotPhases.includes(phase);
}

export function hasFile(phase: Phase): boolean {
  return filePhases.includes(phase);
}

/**
 * The preview in another phase, with `patch` applied. What belongs to the phase that it leaves (what it waited for,
 * why it failed, since when it deploys) is cleared, so that no phase shows another's words.
 * Throws on an arrow that does not exist: that is a fault of the program, never of its input.
 */
export function transition(preview: Preview, to: Phase, patch: Partial<Preview> = {}): Preview {
  if (!canTransition(preview.phase, to)) {
    throw new Error(`no transition from ${preview.phase} to ${to}`);
  }
  const cleared: Partial<Preview> = {
    waitingFor: null,
    waitingSince: null,
    cause: null,
    message: null,
    ...(to === 'deploying' ? {} : { deployingSince: null }),
    ...(to === 'stopping' || to === 'stopped' ? { heldStop: null } : {}),
    ...(to === 'stopped' ? { unknownSince: null } : {}),
  };
  return { ...preview, ...cleared, ...patch, phase: to };
}
