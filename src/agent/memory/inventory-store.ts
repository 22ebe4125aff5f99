import { z } from 'zod';
import { isAppError } from '../../error/app-error.js';
import type { Inventory } from '../inventory.js';
import { pairKey } from '../inventory.js';
import { fields } from '../manifest.js';
import { agentLabel, incarnationLabel, memoryLabel, previewLabel } from '../marks.js';
import { createMemory } from './config-map.js';
import { type MemoryDeps, type MemoryPlace, memoryReference } from './memory-deps.js';

/** Keeps what each incarnation has in the cluster, one ConfigMap each, in the agent's own namespace. */
export interface InventoryStore {
  /** All of them, and the names of ConfigMaps that cannot be read: those are left alone, and with them what they own. */
  load(signal?: AbortSignal): Promise<{ inventories: Inventory[]; unreadable: string[] }>;
  /** Writes it; returns when the cluster has it. */
  save(inventory: Inventory, signal?: AbortSignal): Promise<void>;
  remove(pair: { slug: string; incarnation: number }, signal?: AbortSignal): Promise<void>;
}

const hookSchema = z.object({
  revision: z.string(),
  run: z.string().nullable(),
  ended: z.record(z.string(), z.enum(['Succeeded', 'Failed'])),
  why: z
    .object({
      object: z.string().nullable(),
      sentence: z.string(),
      evidence: z.array(z.string()),
      logs: z.array(z.string()).optional(),
    })
    .optional(),
});

const entrySchema = z.object({
  apiVersion: z.string(),
  kind: z.string(),
  name: z.string(),
  uid: z.string().nullable(),
  generation: z.number().nullable(),
  print: z.string().nullable(),
  once: z.boolean(),
  applied: z.string().optional(),
  stage: z.array(z.number()).optional(),
  prune: z.enum(['never', 'last']).optional(),
  leftover: z.enum(['prune', 'keep']).optional(),
  hook: hookSchema.optional(),
});

const inventorySchema = z.object({
  slug: z.string(),
  incarnation: z.number().int().positive(),
  namespace: z.string().min(1),
  namespaceUid: z.string().nullable(),
  revision: z.string().nullable(),
  target: z.string().optional(),
  createdAt: z.number(),
  condemned: z.string().nullable(),
  objects: z.array(entrySchema),
  remarks: z.array(z.object({ group: z.string(), kind: z.string(), name: z.string(), message: z.string() })).optional(),
  // Absent from what an older agent wrote: the namespace is furnished at the next look.
  furniture: z.array(entrySchema.extend({ want: z.string() })).optional(),
  mergeRequests: z.string().optional(),
});

export function createInventoryStore(deps: MemoryDeps, place: MemoryPlace): InventoryStore {
  /** Those that are known to have a ConfigMap: the others are created. */
  const stored = new Set<string>();

  async function save(inventory: Inventory, signal?: AbortSignal): Promise<void> {
    const data = { inventory: JSON.stringify(inventory) };
    const name = nameOf(inventory);
    if (!stored.has(pairKey(inventory))) {
      const labels = { [previewLabel]: inventory.slug, [incarnationLabel]: String(inventory.incarnation) };
      try {
        await createMemory(deps, place, { name, part: 'inventory', labels, data }, signal);
        stored.add(pairKey(inventory));
        return;
      } catch (error) {
        // An earlier attempt whose answer was lost.
        if (!isAppError(error, 'kube-already-exists')) throw error;
        stored.add(pairKey(inventory));
      }
    }
    await deps.mergePatch(memoryReference(place, name), { data }, signal);
  }

  return {
    save,
    async load(signal) {
      const selector = `${memoryLabel}=inventory,${agentLabel}=${place.agent}`;
      const inventories: Inventory[] = [];
      const unreadable: string[] = [];
      for (const found of await deps.listConfigMaps(place.namespace, selector, signal)) {
        const parsed = inventorySchema.safeParse(jsonOf(fields(found.data).inventory));
        if (parsed.success) inventories.push(parsed.data);
        else unreadable.push(found.metadata.name);
      }
      for (const inventory of inventories) stored.add(pairKey(inventory));
      return { inventories, unreadable };
    },
    async remove(pair, signal) {
      try {
        await deps.remove(memoryReference(place, nameOf(pair)), signal === undefined ? {} : { signal });
      } catch (error) {
        if (!isAppError(error, 'kube-not-found')) throw error;
      }
      stored.delete(pairKey(pair));
    },
  };
}

function nameOf(pair: { slug: string; incarnation: number }): string {
  return `preview-${pair.slug}-${pair.incarnation}`;
}

function jsonOf(value: unknown): unknown {
  try {
    return typeof value === 'string' ? JSON.parse(value) : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
