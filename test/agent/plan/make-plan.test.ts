import { expect, test } from 'vitest';
import type { Inventory } from '../../../src/agent/inventory.js';
import { contentPrint, type Manifest, manifestKey } from '../../../src/agent/manifest.js';
import { inSteps } from '../../../src/agent/plan/apply-order.js';
import { desiredObjects } from '../../../src/agent/plan/desired-objects.js';
import { type LiveFacts, makePlan, withAnswers } from '../../../src/agent/plan/make-plan.js';

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

function stored(manifest: Manifest, change: Partial<Manifest['metadata']> = {}): Manifest {
  return {
    ...manifest,
    metadata: { ...manifest.metadata, uid: `uid-${manifestKey(manifest)}`, resourceVersion: '7', ...change },
  };
}

function inventoryOf(objects: Manifest[], revision: string | null): Inventory {
  const { entries } = makePlan({ desired: objects, inventory: null, revision: 'r', live: new Map() });
  return {
    slug: 'a',
    incarnation: 1,
    namespace: 'preview-a',
    namespaceUid: 'n',
    revision,
    createdAt: 0,
    condemned: null,
    objects: withAnswers(
      entries,
      objects.map((each) => stored(each)),
    ),
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

test('what is needed by others is applied before them', () => {
  expect(inSteps(all).map((step) => step.map(({ kind }) => kind).sort())).toEqual([
    ['ServiceAccount'],
    ['ConfigMap', 'Secret'],
    ['PersistentVolumeClaim'],
    ['Service'],
    ['Deployment', 'Job', 'Widget'],
    ['HorizontalPodAutoscaler'],
    ['Ingress'],
  ]);
});

test('a new revision applies all, and removes in reverse order what it no longer asks for', () => {
  const inventory = inventoryOf(all, 'old');
  const desired = all.filter(({ kind }) => !['Ingress', 'ConfigMap', 'Deployment'].includes(kind));
  const plan = makePlan({ desired, inventory, revision: 'new', live: liveOf(all.map((each) => stored(each))) });
  expect(plan.steps.flat()).toHaveLength(desired.length);
  expect(plan.prune.map(({ kind }) => kind)).toEqual(['Ingress', 'Deployment', 'ConfigMap']);
  // Before anything is written, the inventory lists all that is or will be there.
  expect(plan.entries.map(({ kind }) => kind).sort()).toEqual(all.map(({ kind }) => kind).sort());
});

test('the same revision writes nothing where nothing differs, and what is missing or changed where something does', () => {
  const inventory = inventoryOf(all, 'same');
  const present = all.map((each) => stored(each));
  const plan = (live: Manifest[]) =>
    makePlan({ desired: all, inventory, revision: 'same', live: liveOf(live) })
      .steps.flat()
      .map(({ kind }) => kind);
  expect(plan(present)).toEqual([]);
  expect(plan(present.filter(({ kind }) => kind !== 'Service'))).toEqual(['Service']);
  expect(plan(present.map((each) => (each.kind === 'Secret' ? { ...each, data: { a: 'b' } } : each)))).toEqual([
    'Secret',
  ]);
  // Its status is the cluster's, and a new version alone is no change.
  expect(
    plan(present.map((each) => stored({ ...each, status: { phase: 'Bound' } }, { resourceVersion: '99' }))),
  ).toEqual([]);
  const another = present.map((each) => (each.kind === 'ConfigMap' ? stored(each, { uid: 'another' }) : each));
  expect(plan(another)).toEqual(['ConfigMap']);
});

test('a changed version of a kind is the same object, and a Job that removes itself is made once', () => {
  const inventory = inventoryOf([object('HorizontalPodAutoscaler', 'web', 'autoscaling/v1')], 'old');
  const desired = [object('HorizontalPodAutoscaler', 'web', 'autoscaling/v2')];
  expect(makePlan({ desired, inventory, revision: 'new', live: new Map() }).prune).toEqual([]);
  const job = { ...object('Job', 'seed', 'batch/v1'), spec: { ttlSecondsAfterFinished: 60 } };
  const ended = { desired: [job], inventory: inventoryOf([job], 'same'), live: new Map() };
  expect(makePlan({ ...ended, revision: 'same' }).steps).toEqual([]);
  expect(makePlan({ ...ended, revision: 'next' }).steps).toHaveLength(1);
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
    },
    spec: { replicas: 0, template: {} },
  });
  expect(manifest).toEqual(before);
});
