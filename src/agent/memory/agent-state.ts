import { z } from 'zod';
import { isAppError } from '../../error/app-error.js';
import { createMemory, readMemory } from './config-map.js';
import { type MemoryDeps, type MemoryPlace, memoryReference } from './memory-deps.js';

/** What an agent must not forget when it is restarted. */
export interface AgentState {
  /** Raised at each start: the first half of every observation's `seq`. */
  start: number;
  /** The installation whose branch this agent follows, pinned when it was first read; null before that. */
  installation: string | null;
  /** The newest head of the branch that was trusted; null before the first. */
  head: string | null;
  /** Deletions of the last hour. */
  deletions: { at: number; explained: boolean; old: boolean }[];
  /** What a person told the agent not to touch: a slug, `project:` and a path, or `*` for all; and who did. */
  paused: { scope: string; by: string }[];
}

/** Keeps the state in one ConfigMap, field by field. */
export interface StateStore {
  /** Reads the state and raises its start number; two starts at once get different numbers. */
  begin(signal?: AbortSignal): Promise<AgentState>;
  /** Writes some fields; returns when the cluster has them. */
  save(change: Partial<AgentState>, signal?: AbortSignal): Promise<void>;
}

const stateSchema = z.object({
  start: z.number().int().nonnegative().catch(0),
  installation: z.string().nullable().catch(null),
  head: z.string().nullable().catch(null),
  deletions: z.array(z.object({ at: z.number(), explained: z.boolean(), old: z.boolean() })).catch([]),
  paused: z
    .array(
      z.union([
        z.object({ scope: z.string(), by: z.string() }),
        // An older agent kept the scope alone.
        z.string().transform((scope) => ({ scope, by: 'an operator' })),
      ]),
    )
    .catch([]),
});

const name = 'state';
const attempts = 5;

export function createStateStore(deps: MemoryDeps, place: MemoryPlace): StateStore {
  const reference = memoryReference(place, name);

  async function tryBegin(signal?: AbortSignal): Promise<AgentState> {
    const found = await readMemory(deps, place, name, signal);
    const state = parseState(found?.data ?? {});
    // Above every number that was given before, also when this memory was lost or is another cluster's.
    const begun = { ...state, start: Math.max(state.start + 1, Math.floor(Date.now() / 1_000)) };
    if (found === null) {
      await createMemory(deps, place, { name, part: 'state', data: printState(begun) }, signal);
    } else {
      const { resourceVersion } = found;
      await deps.mergePatch(reference, { metadata: { resourceVersion }, data: printState(begun) }, signal);
    }
    return begun;
  }

  return {
    async begin(signal) {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await tryBegin(signal);
        } catch (error) {
          const raced = isAppError(error, 'kube-conflict') || isAppError(error, 'kube-already-exists');
          if (!raced || attempt === attempts) throw error;
        }
      }
    },
    save: async (change, signal) => void (await deps.mergePatch(reference, { data: printState(change) }, signal)),
  };
}

/** Each field is JSON in a key of its own, so that one can be written without reading the others. */
function printState(state: Partial<AgentState>): Record<string, string> {
  return Object.fromEntries(Object.entries(state).map(([key, value]) => [key, JSON.stringify(value)]));
}

/** A field that cannot be read is as good as absent; the guards hold without it. */
function parseState(data: Record<string, unknown>): AgentState {
  const values = Object.entries(data).map(([key, value]) => {
    try {
      return [key, typeof value === 'string' ? JSON.parse(value) : undefined];
    } catch (error) {
      if (error instanceof SyntaxError) return [key, undefined];
      throw error;
    }
  });
  return stateSchema.parse(Object.fromEntries(values));
}
