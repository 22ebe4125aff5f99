import { setTimeout as delay } from 'node:timers/promises';
import { isAppError } from '../error/app-error.js';
import type { Logger } from '../log/create-logger.js';
import type { Inventory } from './inventory.js';
import { type AgentState, createStateStore, type StateStore } from './memory/agent-state.js';
import { createInventoryStore, type InventoryStore } from './memory/inventory-store.js';
import type { MemoryDeps, MemoryPlace } from './memory/memory-deps.js';
import { createTornDown, type TornDown } from './memory/torn-down.js';

/** All that an agent remembers of its earlier runs. */
export interface Memory {
  state: AgentState;
  inventories: Inventory[];
  states: StateStore;
  store: InventoryStore;
  tornDown: TornDown;
}

const maxPauseMs = 10_000;

/**
 * Reads the agent's memory, waiting for the cluster as long as it takes. The agent's namespace is made when it is
 * missing. Throws what waiting does not mend, such as missing rights.
 */
export async function openMemory(
  deps: MemoryDeps,
  place: MemoryPlace,
  log: Logger,
  signal: AbortSignal,
): Promise<Memory> {
  const states = createStateStore(deps, place);
  const store = createInventoryStore(deps, place);
  const tornDown = createTornDown(deps, place);
  for (let failures = 0; ; failures += 1) {
    try {
      const state = await begin(deps, place, states, signal);
      const { inventories, unreadable } = await store.load(signal);
      if (unreadable.length > 0) log.error({ unreadable }, 'inventories cannot be read; what they own is left alone');
      await tornDown.load(signal);
      return { state, inventories, states, store, tornDown };
    } catch (error) {
      if (signal.aborted || !isAppError(error) || error.disposition !== 'retry') throw error;
      log.warn({ code: error.code, data: error.data }, 'waiting for the cluster');
      await delay(Math.min(maxPauseMs, 250 * 2 ** Math.min(failures, 6)), undefined, { signal });
    }
  }
}

async function begin(
  deps: MemoryDeps,
  place: MemoryPlace,
  states: StateStore,
  signal: AbortSignal,
): Promise<AgentState> {
  try {
    return await states.begin(signal);
  } catch (error) {
    if (!isAppError(error, 'kube-not-found')) throw error;
    await deps.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: place.namespace } }, signal);
    return states.begin(signal);
  }
}
