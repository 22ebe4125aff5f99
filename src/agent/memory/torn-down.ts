import { isAppError } from '../../error/app-error.js';
import { fields } from '../manifest.js';
import { agentLabel, memoryLabel } from '../marks.js';
import { orAborted } from '../or-aborted.js';
import { createMemory } from './config-map.js';
import { type MemoryDeps, type MemoryPlace, memoryReference } from './memory-deps.js';

/** Per slug, the highest incarnation that was torn down: no file at or below it is ever applied again. */
export interface TornDown {
  load(signal?: AbortSignal): Promise<void>;
  /** 0 for a slug of which nothing was torn down. */
  highest(slug: string): number;
  /**
   * It is being torn down for good: written with the next `raise` of its neighbours. Many previews that end together
   * cost few writes, and a crash before that finds the inventory.
   */
  expect(pair: { slug: string; incarnation: number }): void;
  /** Returns when the cluster has it. */
  raise(pair: { slug: string; incarnation: number }, signal: AbortSignal): Promise<void>;
}

/** ConfigMaps hold a mebibyte; the slugs are spread over this many, so that hundreds of thousands fit. */
const shards = 16;

export function createTornDown(deps: MemoryDeps, place: MemoryPlace): TornDown {
  const highest = new Map<string, number>();
  /** What the cluster does not have yet, by the name of the ConfigMap that it goes into. */
  const expected = new Map<string, Map<string, number>>();
  /** Under way, one at a time for each ConfigMap. */
  const writing = new Map<string, Promise<void>>();
  const existing = new Set<string>();

  async function write(name: string, data: Record<string, string>, signal: AbortSignal): Promise<void> {
    if (!existing.has(name)) {
      // All that is known of it: where somebody removed it, it comes back whole.
      const known = [...highest].filter(([slug]) => nameOf(slug) === name);
      const whole = { ...Object.fromEntries(known.map(([slug, number]) => [slug, String(number)])), ...data };
      try {
        await createMemory(deps, place, { name, part: 'torn-down', data: whole }, signal);
        existing.add(name);
        return;
      } catch (error) {
        if (!isAppError(error, 'kube-already-exists')) throw error;
        existing.add(name);
      }
    }
    try {
      await deps.mergePatch(memoryReference(place, name), { data }, signal);
    } catch (error) {
      // Whoever asked tries again, and makes it.
      if (isAppError(error, 'kube-not-found')) existing.delete(name);
      throw error;
    }
  }

  function isStored({ slug, incarnation }: { slug: string; incarnation: number }): boolean {
    return (highest.get(slug) ?? 0) >= incarnation;
  }

  function expect(pair: { slug: string; incarnation: number }): Map<string, number> {
    const { slug, incarnation } = pair;
    const name = nameOf(slug);
    const noted = expected.get(name) ?? new Map<string, number>();
    expected.set(name, noted);
    if (!isStored(pair)) noted.set(slug, Math.max(incarnation, noted.get(slug) ?? 0));
    return noted;
  }

  /** Writes all that is noted for one ConfigMap. */
  async function flush(name: string, noted: Map<string, number>, signal: AbortSignal): Promise<void> {
    const taken = [...noted];
    await write(name, Object.fromEntries(taken.map(([slug, incarnation]) => [slug, String(incarnation)])), signal);
    for (const [slug, incarnation] of taken) {
      highest.set(slug, Math.max(incarnation, highest.get(slug) ?? 0));
      if (noted.get(slug) === incarnation) noted.delete(slug);
    }
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
    expect: (pair) => void expect(pair),
    async raise(pair, signal) {
      const name = nameOf(pair.slug);
      const noted = expect(pair);
      // One that is under way may hold this one already; where it failed, or does not, it is written by itself.
      for (let other = writing.get(name); other !== undefined; other = writing.get(name)) {
        await orAborted(
          other.catch(() => undefined),
          signal,
        );
      }
      if (isStored(pair)) return;
      const own = flush(name, noted, signal).finally(() => writing.delete(name));
      writing.set(name, own);
      await own;
    },
  };
}

function nameOf(slug: string): string {
  let sum = 0;
  for (let index = 0; index < slug.length; index += 1) sum = (sum * 31 + slug.charCodeAt(index)) % 1_000_003;
  return `torn-down-${sum % shards}`;
}
