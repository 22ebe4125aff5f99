import type { StateStore } from './memory/agent-state.js';

/** Previews that a person told the agent not to touch. */
export interface Pauses {
  has(slug: string): boolean;
  /** `null` stands for all previews. Returns when it will outlive a restart. */
  set(slug: string | null, paused: boolean, signal: AbortSignal): Promise<void>;
}

const all = '*';

export function createPauses(states: Pick<StateStore, 'save'>, remembered: readonly string[]): Pauses {
  const paused = new Set(remembered);
  return {
    has: (slug) => paused.has(slug) || paused.has(all),
    async set(slug, pause, signal) {
      const next = new Set(paused);
      if (pause) next.add(slug ?? all);
      else next.delete(slug ?? all);
      await states.save({ paused: [...next] }, signal);
      paused.clear();
      for (const each of next) paused.add(each);
    },
  };
}
