import type { StateStore } from './memory/agent-state.js';

/** What a pause is of: `*` all previews of this agent, `project:<path>` those of a project, otherwise a slug. */
export type PauseScope = string;

export interface Pause {
  scope: PauseScope;
  /** Who ordered it. */
  by: string;
}

/** What is known of a preview that may be paused. */
interface PausedSubject {
  slug: string;
  /** Paths of its projects, as far as known. */
  projects: readonly string[];
  /** A person paused it by an annotation on its namespace. */
  isAnnotated: boolean;
}

/** Previews that a person told the agent not to touch. */
export interface Pauses {
  /** Who paused it, as the end of the sentence 'paused by …'; null: nobody did. */
  by(subject: PausedSubject): string | null;
  /** Returns when it will outlive a restart. */
  set(scope: PauseScope, paused: boolean, by: string, signal: AbortSignal): Promise<void>;
  all(): Pause[];
}

export const everything: PauseScope = '*';
const projectPrefix = 'project:';

export function projectScope(path: string): PauseScope {
  return projectPrefix + path;
}

/** Path of the project that a scope is of; null for any other. */
export function projectOfScope(scope: PauseScope): string | null {
  return scope.startsWith(projectPrefix) ? scope.slice(projectPrefix.length) : null;
}

export function createPauses(states: Pick<StateStore, 'save'>, remembered: readonly Pause[]): Pauses {
  let pauses = new Map(remembered.map((pause) => [pause.scope, pause]));
  return {
    by({ slug, projects, isAnnotated }) {
      const scopes = [slug, ...projects.map(projectScope), everything];
      const found = scopes.flatMap((scope) => pauses.get(scope) ?? []).at(0);
      if (found !== undefined) return found.by;
      return isAnnotated ? 'the annotation mayfly.dev/paused on its namespace' : null;
    },
    async set(scope, pause, by, signal) {
      const next = new Map(pauses);
      if (pause) next.set(scope, { scope, by });
      else next.delete(scope);
      await states.save({ paused: [...next.values()] }, signal);
      pauses = next;
    },
    all: () => [...pauses.values()],
  };
}
