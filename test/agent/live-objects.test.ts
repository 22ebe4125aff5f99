import { expect, test } from 'vitest';
import { createLiveObjects, type WatchSink } from '../../src/agent/live/live-objects.js';
import type { Manifest } from '../../src/agent/manifest.js';

const kind = { apiVersion: 'apps/v1', kind: 'Deployment' };
const pair = { slug: 'shop', incarnation: 1 };
const key = (name: string) => `apps/Deployment/${name}`;

function deployment(name: string, resourceVersion: string, uid = name): Manifest {
  const labels = {
    'mayfly.dev/installation': 'acme',
    'mayfly.dev/preview': pair.slug,
    'mayfly.dev/incarnation': String(pair.incarnation),
  };
  return { ...kind, metadata: { name, namespace: 'p-shop', uid, resourceVersion, generation: 1, labels } };
}

/** Objects that a watch told at 100, and what a list answers; `during`: before its pages are read, `before`: after. */
function watched(
  listed: { pages: Manifest[][]; resourceVersion: string },
  before: () => void = () => undefined,
  during: () => void = () => undefined,
) {
  let sink: WatchSink | undefined;
  const changes: string[] = [];
  const objects = createLiveObjects(
    {
      watch: async (_kind, _selector, given) => {
        sink = given;
        given.replaced([deployment('a', '10'), deployment('b', '20'), deployment('new', '150')], '100');
      },
      async listPages(_kind, _selector, onPage) {
        during();
        for (const page of listed.pages) onPage(page);
        before();
        return listed.resourceVersion;
      },
      judge: () => ({ status: 'Healthy', message: '' }),
      onChange: (_pair, { key: changed, deleted }) => changes.push(`${deleted ? '-' : '+'}${changed}`),
    },
    'acme',
    new AbortController().signal,
  );
  objects.follow([kind]);
  changes.splice(0);
  return { objects, changes, tell: () => sink };
}

const verify = (objects: ReturnType<typeof watched>['objects']) =>
  objects.verify(kind, 10, new AbortController().signal);

test('what a watch missed is taken from the list, and counted', async () => {
  const pages = [[deployment('a', '110')], [deployment('c', '30')]];
  const { objects, changes } = watched({ pages, resourceVersion: '120' });
  expect(await verify(objects)).toBe(3);
  // What was written after the list was made is not in it, and stays.
  expect([...objects.of(pair).keys()].sort()).toEqual([key('a'), key('c'), key('new')]);
  expect(objects.of(pair).get(key('a'))?.resourceVersion).toBe('110');
  expect(changes.sort()).toEqual([`+${key('a')}`, `+${key('c')}`, `-${key('b')}`].sort());
});

test('nothing is counted where the watch told the same, or tells it in time', async () => {
  const pages = [[deployment('a', '110'), deployment('new', '150')]];
  const { objects, changes, tell } = watched({ pages, resourceVersion: '160' }, () => {
    tell()?.changed(deployment('a', '110'));
    tell()?.deleted(deployment('b', '120'));
  });
  expect(await verify(objects)).toBe(0);
  expect(changes).toHaveLength(2);
});

test('what went since the list was made does not come back with it', async () => {
  const pages = [[deployment('a', '110'), deployment('b', '20'), deployment('c', '115')]];
  const { objects, tell } = watched(
    { pages, resourceVersion: '120' },
    () => {
      // On its way when the list was made, as the end that follows.
      tell()?.changed(deployment('a', '110'));
      tell()?.deleted(deployment('a', '121'));
      tell()?.changed(deployment('c', '115'));
      tell()?.deleted(deployment('c', '122'));
      tell()?.changed(deployment('c', '123', 'another'));
    },
    () => tell()?.deleted(deployment('b', '121')),
  );
  expect(await verify(objects)).toBe(0);
  expect([...objects.of(pair).keys()].sort()).toEqual([key('c'), key('new')]);
  expect(objects.of(pair).get(key('c'))?.uid).toBe('another');
});

test('an older list changes nothing', async () => {
  const { objects } = watched({ pages: [[deployment('a', '9'), deployment('b', '20')]], resourceVersion: '99' });
  expect(await verify(objects)).toBe(0);
  expect(objects.of(pair).get(key('a'))?.resourceVersion).toBe('10');
});

test('kinds that are followed are known', () => {
  expect(watched({ pages: [], resourceVersion: '1' }).objects.kinds()).toEqual([kind]);
});
