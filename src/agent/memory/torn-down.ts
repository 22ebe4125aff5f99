import { isAppError } from '../../error/app-error.js';
import { fields } from '../manifest.js';
import { agentLabel, memoryLabel } from '../marks.js';
import { createMemory } from './config-map.js';
import { type MemoryDeps, type MemoryPlace, memoryReference } from './memory-deps.js';

/** Per slug, the highest incarnation that was torn down: no file at or below it is ever applied again. */
export interface TornDown {
  load(signal?: AbortSignal): Promise<void>;
  /** 0 for a slug of which nothing was torn down. */
  highest(slug: string): number;
  /** Returns when the cluster has it. */
  raise(pair: { slug: string; incarnation: number }, signal?: AbortSignal): Promise<void>;
}

/** ConfigMaps hold a mebibyte; the slugs are spread over this many, so that hundreds of thousands fit. */
const shards = 16;

export function createTornDown(deps: MemoryDeps, place: MemoryPlace): TornDown {
  const highest = new Map<string, number>();
  const existing = new Set<string>();

  async function write(name: string, data: Record<string, string>, signal?: AbortSignal): Promise<void> {
    if (!existing.has(name)) {
      try {
        await createMemory(deps, place, { name, part: 'torn-down', data }, signal);
        existing.add(name);
        return;
      } catch (error) {
        if (!isAppError(error, 'kube-already-exists')) throw error;
        existing.add(name);
      }
    }
    await deps.mergePatch(memoryReference(place, name), { data }, signal);
  }

  return {
    highest: (slug) => highest.get(slug) ?? 0,
    async load(signal) {
      const selector = `${memoryLabel}=torn-down,${agentLabel}=${place.agent}`;
      for (const found of await deps.listConfigMaps(place.namespace, selector, signal)) {
        existing.add(found.metadata.name.slice(`mayfly-${place.agent}-`.length));
        for (const [slug, incarnation] of Object.entries(fields(found.data))) {
          const number = Number(incarnation);
          if (Number.isSafeInteger(number)) highest.set(slug, Math.max(number, highest.get(slug) ?? 0));
        }
      }
    },
    async raise({ slug, incarnation }, signal) {
      if ((highest.get(slug) ?? 0) >= incarnation) return;
      await write(`torn-down-${shardOf(slug)}`, { [slug]: String(incarnation) }, signal);
      highest.set(slug, incarnation);
    },
  };
}

function shardOf(slug: string): number {
  let sum = 0;
  for (let index = 0; index < slug.length; index += 1) sum = (sum * 31 + slug.charCodeAt(index)) % 1_000_003;
  return sum % shards;
}
