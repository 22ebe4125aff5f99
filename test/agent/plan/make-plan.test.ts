import { expect, test } from 'vitest';
import type { Inventory } from '../../../src/agent/inventory.js';
import { contentPrint, keyOf, type Manifest, manifestKey } from '../../../src/agent/manifest.js';
import { inSteps, removalSteps } from '../../../src/agent/plan/apply-order.js';
import { type DesiredItem, type HookRun, manifestPrint } from '../../../src/agent/plan/desired-item.js';
import { desiredObjects } from '../../../src/agent/plan/desired-objects.js';
import { type LiveFacts, makePlan, type Plan, withAnswer } from '../../../src/agent/plan/make-plan.js';
import { stageOf } from '../../../src/agent/plan/stage.js';
import { defaultOptions } from '../../../src/agent/plan/sync-options.js';

function object(kind: string, name: string, apiVersion = 'v1'): Manifest {
  return { apiVersion, kind, metadata: { name } };
}

const all = [
  object('Ingress', 'web', 'networking.k8s.io/v1'),
  object('Deployment', 'web', 'apps/v1'),
  object('Job', 'seed', 'batch/v1'),
  object('ConfigMap', 'site'),
  object('Secret', 'key'),
  object('ServiceAccount', 'web'),
  object('Service', 'web'),
  object('PersistentVolumeClaim', 'data'),
  object('Widget', 'x', 'example.com/v1'),
  object('HorizontalPodAutoscaler', 'web', 'autoscaling/v2'),
];

function item(manifest: Manifest, change: Partial<DesiredItem> = {}): DesiredItem {
  return {
    key: manifestKey(manifest),
    manifest,
    print: manifestPrint(manifest),
    stage: stageOf({ phase: 'Sync', wave: 0, childWave: null }),
    options: defaultOptions,
    ignore: [],
    hook: null,
    ...change,
  };
}

const items = (manifests: readonly Manifest[]) => manifests.map((each) => item(each));

function stored(manifest: Manifest, change: Partial<Manifest['metadata']> = {}): Manifest {
  return {
    ...manifest,
    metadata: { ...manifest.metadata, uid: `uid-${manifestKey(manifest)}`, resourceVersion: '7', ...change },
  };
}

/** After all of them were applied. */
function inventoryOf(desired: readonly DesiredItem[], revision: string): Inventory {
  const { entries } = makePlan({ desired, inventory: null, revision, live: new Map() });
  const byKey = new Map(desired.map((each) => [each.key, each]));
  return {
    slug: 'a',
    incarnation: 1,
    namespace: 'preview-a',
    namespaceUid: 'n',
    revision,
    target: revision,
    createdAt: 0,
    condemned: null,
    objects: entries.map((entry) => {
      const applied = byKey.get(keyOf(entry));
      return applied === undefined ? entry : withAnswer(entry, stored(applied.manifest), applied.print);
    }),
  };
}

function liveOf(objects: Manifest[]): Map<string, LiveFacts> {
  return new Map(
    objects.map((each) => [
      manifestKey(each),
      { uid: each.metadata.uid ?? '', generation: each.metadata.generation ?? null, print: contentPrint(each) },
    ]),
  );
}

function needed(plan: Plan): Record<string, string> {
  const needs = [...plan.needs].filter(([, need]) => need !== 'nothing');
  return Object.fromEntries(needs.map(([{ manifest }, need]) => [manifest.kind, need]));
}

test('what is needed by others is applied before them, and removed after them, the last wave first', () => {
  expect(inSteps(all).map((step) => step.map(({ kind }) => kind).sort())).toEqual([
    ['ServiceAccount'],
    ['ConfigMap', 'Secret'],
    ['PersistentVolumeClaim'],
    ['Service'],
    ['Deployment', 'Job', 'Widget'],
    ['HorizontalPodAutoscaler'],
    ['Ingress'],
  ]);
  const entries = [
    { apiVersion: 'v1', kind: 'ConfigMap', stage: [1, 0, 1, 0] },
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    { apiVersion: 'v1', kind: 'Secret', stage: [1, 3, 1, 0] },
    { apiVersion: 'v1', kind: 'Service', stage: [1, -2, 1, 0] },
  ];
  expect(removalSteps(entries).map((step) => step.map(({ kind }) => kind))).toEqual([
    ['Secret'],
    ['Deployment'],
    ['ConfigMap'],
    ['Service'],
  ]);
});

test('a new revision looks at what it changes, makes what is missing, and leaves the rest alone', () => {
  const inventory = inventoryOf(items(all), 'old');
  const changed = { ...object('Secret', 'key'), data: { a: 'b' } };
  const desired = items([...all.filter(({ kind }) => kind !== 'Secret'), changed, object('ConfigMap', 'new')]);
  const plan = makePlan({ desired, inventory, revision: 'new', live: liveOf(all.map((each) => stored(each))) });
  expect(needed(plan)).toEqual({ Secret: 'examine', ConfigMap: 'create' });
  const entries = new Map(plan.entries.map((entry) => [keyOf(entry), entry]));
  expect(entries.get('/Secret/key')?.applied).toBeUndefined();
  expect(entries.get('/Service/web')?.applied).toBe(manifestPrint(object('Service', 'web')));
});

test('what a revision no longer asks for is removed in reverse order, last or never, as it was told before', () => {
  const desired = items(all).map((each) => {
    const prune = { Ingress: 'last', Secret: 'never' } as const;
    const told = prune[each.manifest.kind as keyof typeof prune];
    return told === undefined ? each : { ...each, options: { ...defaultOptions, prune: told } };
  });
  const inventory = inventoryOf(desired, 'old');
  const kept = desired.filter(
    ({ manifest }) => !['Ingress', 'ConfigMap', 'Deployment', 'Secret'].includes(manifest.kind),
  );
  const plan = makePlan({ desired: kept, inventory, revision: 'new', live: liveOf(all.map((each) => stored(each))) });
  expect(plan.prune.map(({ kind }) => kind)).toEqual(['Deployment', 'ConfigMap']);
  expect(plan.pruneLast.map(({ kind }) => kind)).toEqual(['Ingress']);
  // Before anything is written, the inventory lists all that is or will be there.
  expect(plan.entries.map(({ kind }) => kind).sort()).toEqual(all.map(({ kind }) => kind).sort());
  expect(plan.entries.find(({ kind }) => kind === 'Secret')?.leftover).toBe('keep');
});

test('what was to be removed and is wanted again is looked at, however far its removal went', () => {
  const [site] = items([object('ConfigMap', 'site')]);
  if (site === undefined) throw new Error('no item');
  const inventory = inventoryOf([site], 'old');
  inventory.objects = inventory.objects.map((entry) => ({ ...entry, leftover: 'prune' as const }));
  const live = new Map(
    [...liveOf([stored(site.manifest)])].map(([key, facts]) => [key, { ...facts, terminating: true }]),
  );
  const plan = makePlan({ desired: [site], inventory, revision: 'new', live });
  expect(needed(plan)).toEqual({ ConfigMap: 'examine' });
});

test('the same revision needs nothing where nothing differs, and what is missing or changed where something does', () => {
  const inventory = inventoryOf(items(all), 'same');
  const present = all.map((each) => stored(each));
  const plan = (live: Manifest[]) =>
    needed(makePlan({ desired: items(all), inventory, revision: 'same', live: liveOf(live) }));
  expect(plan(present)).toEqual({});
  expect(plan(present.filter(({ kind }) => kind !== 'Service'))).toEqual({ Service: 'create' });
  expect(plan(present.map((each) => (each.kind === 'Secret' ? { ...each, data: { a: 'b' } } : each)))).toEqual({
    Secret: 'examine',
  });
  // Its status is the cluster's, and a new version alone is no change.
  expect(
    plan(present.map((each) => stored({ ...each, status: { phase: 'Bound' } }, { resourceVersion: '99' }))),
  ).toEqual({});
  const another = present.map((each) => (each.kind === 'ConfigMap' ? stored(each, { uid: 'another' }) : each));
  expect(plan(another)).toEqual({ ConfigMap: 'examine' });
});

test('a changed version of a kind is the same object, and a Job that removes itself is made once a revision', () => {
  const inventory = inventoryOf(items([object('HorizontalPodAutoscaler', 'web', 'autoscaling/v1')]), 'old');
  const desired = items([object('HorizontalPodAutoscaler', 'web', 'autoscaling/v2')]);
  expect(makePlan({ desired, inventory, revision: 'new', live: new Map() }).prune).toEqual([]);
  const jobs = items([{ ...object('Job', 'seed', 'batch/v1'), spec: { ttlSecondsAfterFinished: 60 } }]);
  const ended = { desired: jobs, inventory: inventoryOf(jobs, 'same'), live: new Map() };
  expect(needed(makePlan({ ...ended, revision: 'same' }))).toEqual({});
  expect(needed(makePlan({ ...ended, revision: 'next' }))).toEqual({ Job: 'create' });
});

test('the object of a hook that succeeded is taken up again only where it should be gone and is not', () => {
  const job = object('Job', 'migrate', 'batch/v1');
  const need = (policies: HookRun['policies'], uid: string | null) => {
    const desired = [item(job, { hook: { phase: 'PreSync', policies, idle: false } })];
    const inventory = inventoryOf(desired, 'same');
    const hook = { revision: 'same', run: 'PreSync-same', ended: { PreSync: 'Succeeded' as const } };
    const objects = inventory.objects.map((entry) => ({ ...entry, uid: 'made', hook }));
    const live = new Map(uid === null ? [] : [[manifestKey(job), { uid, generation: 1, print: '' }]]);
    const plan = makePlan({ desired, inventory: { ...inventory, objects }, revision: 'same', live });
    return [...plan.needs.values()];
  };
  expect(need(['HookSucceeded'], 'made')).toEqual(['run']);
  expect(need(['HookSucceeded'], 'another')).toEqual(['nothing']);
  expect(need(['HookSucceeded'], null)).toEqual(['nothing']);
  expect(need(['BeforeHookCreation'], 'made')).toEqual(['nothing']);
});

test('a hook runs once a revision, and not while the preview sleeps', () => {
  const hook = { phase: 'PreSync', policies: [], idle: false } as const;
  const desired = [item(object('Job', 'migrate', 'batch/v1'), { hook })];
  const inventory = inventoryOf(desired, 'same');
  const ended: Inventory = {
    ...inventory,
    objects: inventory.objects.map((entry) => ({
      ...entry,
      hook: { revision: 'same', run: 'PreSync-same', ended: { PreSync: 'Succeeded' } },
    })),
  };
  const need = (revision: string, idle: boolean) => {
    const asked = desired.map((each) => ({ ...each, hook: { ...hook, idle } }));
    return makePlan({ desired: asked, inventory: ended, revision, live: new Map() });
  };
  expect(needed(need('same', false))).toEqual({});
  expect(needed(need('next', false))).toEqual({ Job: 'run' });
  expect(needed(need('asleep', true))).toEqual({});
  // What ran is remembered while it sleeps, so that waking does not run it again.
  expect(need('asleep', true).entries[0]?.hook?.ended).toEqual({ PreSync: 'Succeeded' });
  expect(need('next', false).entries[0]?.hook).toEqual({ revision: 'next', run: null, ended: {} });
});

test('desired objects carry the marks, and manifests are not changed', () => {
  const manifest = {
    ...object('Deployment', 'web', 'apps/v1'),
    spec: { replicas: 3, template: {} },
    status: {},
  };
  manifest.metadata = { name: 'web', labels: { app: 'web' }, creationTimestamp: null } as Manifest['metadata'];
  const before = structuredClone(manifest);
  const identity = { installation: 'i', slug: 'a', incarnation: 2 };
  const [desired] = desiredObjects([manifest], { identity, namespace: 'preview-a', asleep: true });
  expect(desired).toEqual({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'preview-a',
      labels: {
        app: 'web',
        'mayfly.dev/installation': 'i',
        'mayfly.dev/preview': 'a',
        'mayfly.dev/incarnation': '2',
      },
      annotations: { 'mayfly.dev/asleep': 'true' },
    },
    spec: { replicas: 0, template: {} },
  });
  expect(manifest).toEqual(before);
});
