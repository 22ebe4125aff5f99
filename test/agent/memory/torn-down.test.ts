import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/agent/manifest.js';
import type { MemoryDeps } from '../../../src/agent/memory/memory-deps.js';
import { createTornDown } from '../../../src/agent/memory/torn-down.js';
import { AppError } from '../../../src/error/app-error.js';

const place = { namespace: 'mayfly', agent: 'a' };
const never = () => new AbortController().signal;
const slugs = Array.from({ length: 100 }, (_, index) => `shop-${index}`);

/** ConfigMaps in memory; `fail` is asked before each write. */
function store(fail: () => boolean = () => false) {
  const maps = new Map<string, Manifest>();
  let writes = 0;
  const write = async (name: string, data: unknown): Promise<Manifest> => {
    writes += 1;
    await new Promise((resolve) => setImmediate(resolve));
    if (fail()) throw new AppError({ code: 'kube-unavailable', disposition: 'retry', publicMessage: 'away' });
    const before = maps.get(name);
    const stored: Manifest = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name },
      data: { ...(before?.data as object | undefined), ...(data as object) },
    };
    maps.set(name, stored);
    return stored;
  };
  const deps: MemoryDeps = {
    create: (object) => write(object.metadata.name, object.data),
    get: async ({ name }) => maps.get(name) as Manifest,
    listConfigMaps: async () => [...maps.values()],
    mergePatch: async ({ name }, patch) => {
      if (maps.has(name)) return write(name, (patch as { data: unknown }).data);
      throw new AppError({ code: 'kube-not-found', disposition: 'stall', publicMessage: 'none' });
    },
    remove: async () => undefined,
  };
  return { deps, maps, writes: () => writes };
}

test('many that end together are few writes, and all are remembered', async () => {
  const { deps, writes } = store();
  const tornDown = createTornDown(deps, place);
  for (const slug of slugs) tornDown.expect({ slug, incarnation: 2 });
  for (const slug of slugs) expect(tornDown.highest(slug)).toBe(0);
  await Promise.all(slugs.map((slug) => tornDown.raise({ slug, incarnation: 2 }, never())));
  expect(writes()).toBeLessThanOrEqual(16);
  const later = createTornDown(deps, place);
  await later.load();
  for (const slug of slugs) expect([tornDown.highest(slug), later.highest(slug)]).toEqual([2, 2]);
});

test('a write that fails is told to all that waited for it, and is made up for', async () => {
  let fails = 1;
  const { deps } = store(() => fails-- > 0);
  const tornDown = createTornDown(deps, place);
  const both = await Promise.allSettled(
    [1, 2].map((incarnation) => tornDown.raise({ slug: 'shop', incarnation }, never())),
  );
  // The second wrote both by itself.
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  expect(tornDown.highest('shop')).toBe(2);
  await tornDown.raise({ slug: 'shop', incarnation: 1 }, never());
  expect(tornDown.highest('shop')).toBe(2);
});

test('what somebody removed comes back whole with the next write', async () => {
  const { deps, maps } = store();
  const tornDown = createTornDown(deps, place);
  for (const slug of slugs) await tornDown.raise({ slug, incarnation: 3 }, never());
  const [one] = maps.keys();
  const lost = Object.keys(maps.get(one ?? '')?.data as object);
  maps.delete(one ?? '');
  const [slug = ''] = lost;
  const raise = () => tornDown.raise({ slug, incarnation: 4 }, never());
  await expect(raise()).rejects.toMatchObject({ code: 'kube-not-found' });
  await raise();
  const later = createTornDown(deps, place);
  await later.load();
  expect(lost.length).toBeGreaterThan(1);
  for (const each of slugs) expect(later.highest(each)).toBe(each === slug ? 4 : 3);
});

test('an abort ends the wait for the write of another', async () => {
  const { deps } = store();
  const stuck = createTornDown({ ...deps, create: () => new Promise(() => undefined) }, place);
  void stuck.raise({ slug: 'shop', incarnation: 1 }, never());
  const control = new AbortController();
  const second = stuck.raise({ slug: 'shop', incarnation: 2 }, control.signal);
  control.abort(new DOMException('superseded', 'AbortError'));
  await expect(second).rejects.toMatchObject({ name: 'AbortError' });
});
