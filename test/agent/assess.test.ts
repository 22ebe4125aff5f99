import { expect, test } from 'vitest';
import { assess } from '../../src/agent/assess.js';
import type { Inventory } from '../../src/agent/inventory.js';
import type { LiveObject } from '../../src/agent/live/live-objects.js';
import { createPreviewState, setWanted } from '../../src/agent/preview-state.js';
import type { Application } from '../../src/application/application.js';

function application(asleep = false): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'a', annotations: asleep ? { 'mayfly.dev/asleep': 'true' } : {} },
    spec: {
      project: 'default',
      destination: { name: 'default', namespace: 'preview-a' },
      source: { repoURL: 'https://x/y.git', targetRevision: 'a'.repeat(40) },
    },
  };
}

const inventory: Inventory = {
  slug: 'a',
  incarnation: 1,
  namespace: 'preview-a',
  namespaceUid: 'n',
  revision: 'r2',
  createdAt: 0,
  condemned: null,
  objects: [
    { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'd', generation: 2, print: '', once: false },
    { apiVersion: 'batch/v1', kind: 'Job', name: 'seed', uid: 'j', generation: 1, print: '', once: true },
  ],
};

function live(change: Partial<LiveObject> = {}): Map<string, LiveObject> {
  const well = { status: 'Healthy' as const, message: '' };
  const common = { resourceVersion: '1', print: '', terminating: false, health: well };
  return new Map([
    ['/Namespace/preview-a', { ...common, uid: 'n', generation: null }],
    ['apps/Deployment/web', { ...common, uid: 'd', generation: 2, ...change }],
    ['batch/Job/seed', { ...common, uid: 'j', generation: 1 }],
  ]);
}

function preview(revision = 'r2', asleep = false) {
  const state = createPreviewState('a');
  setWanted(state, { slug: 'a', incarnation: 1, revision, application: application(asleep) });
  state.inventories.set(1, inventory);
  return state;
}

test('it is healthy when all that was applied is', () => {
  expect(assess(preview(), live())).toMatchObject({ state: 'healthy', diagnosis: null });
  expect(assess(preview('r2', true), live()).state).toBe('suspended');
});

test('the health of an earlier revision says nothing of the wanted one', () => {
  expect(assess(preview('r3'), live())).toMatchObject({ state: 'applying', objects: [] });
});

test('an object that is another one, or older than what was applied, is waited for', () => {
  for (const change of [{ uid: 'another' }, { generation: 1 }]) {
    const { state, objects } = assess(preview(), live(change));
    expect(state).toBe('progressing');
    expect(objects.find(({ kind }) => kind === 'Deployment')?.health).toBe('Progressing');
  }
});

test('what is no longer asked for and only waits for a finalizer is told, and holds nothing up', () => {
  const state = preview();
  const old = { apiVersion: 'v1', kind: 'ConfigMap', name: 'old', uid: 'o', generation: null, print: '', once: false };
  state.inventories.set(1, { ...inventory, objects: [...inventory.objects, { ...old, leftover: 'prune' }] });
  const cluster = live();
  const going = { status: 'Progressing' as const, message: 'is being deleted' };
  const facts = { uid: 'o', resourceVersion: '1', generation: null, print: '', health: going };
  cluster.set('/ConfigMap/old', { ...facts, terminating: true });
  const { state: told, objects } = assess(state, cluster);
  expect(told).toBe('healthy');
  expect(objects.find(({ name }) => name === 'old')).toMatchObject({ health: 'Progressing' });
  cluster.set('/ConfigMap/old', { ...facts, terminating: false });
  expect(assess(state, cluster).state).toBe('progressing');
});

test('what is missing is missing, but for a Job that removes itself', () => {
  const cluster = live();
  cluster.delete('batch/Job/seed');
  expect(assess(preview(), cluster).state).toBe('healthy');
  cluster.delete('apps/Deployment/web');
  expect(assess(preview(), cluster).objects.find(({ name }) => name === 'web')?.health).toBe('Missing');
  cluster.delete('/Namespace/preview-a');
  expect(assess(preview(), cluster).objects.map(({ kind }) => kind)).toContain('Namespace');
});

test('what was found at the pods makes it degraded before its objects are, for that revision alone', () => {
  const waiting = live({ health: { status: 'Progressing', message: 'waits' } });
  const diagnosis = { cause: 'health' as const, object: 'Pod/x', sentence: 'it is stuck', evidence: [] };
  const state = preview();
  state.finding = { revision: 'r2', diagnosis, stuck: true };
  expect(assess(state, waiting)).toMatchObject({ state: 'degraded', diagnosis });
  state.finding = { revision: 'r2', diagnosis, stuck: false };
  expect(assess(state, waiting)).toMatchObject({ state: 'progressing', diagnosis });
  state.finding = { revision: 'r1', diagnosis, stuck: true };
  expect(assess(state, waiting)).toMatchObject({ state: 'progressing', diagnosis: null });
  // And once all is well, nothing of it is left.
  state.finding = { revision: 'r2', diagnosis, stuck: true };
  expect(assess(state, live())).toMatchObject({ state: 'healthy', diagnosis: null });
});

test('why it could not be applied is told with it', () => {
  const state = preview('r3');
  const diagnosis = { cause: 'fence' as const, object: 'Role/all', sentence: 'refused', evidence: [] };
  state.problem = { revision: 'r3', state: 'refused', diagnosis };
  expect(assess(state, live())).toMatchObject({ state: 'refused', diagnosis });
});

test('asleep, what is scaled to zero is Suspended, also when it had failed before', () => {
  for (const status of ['Healthy', 'Degraded'] as const) {
    const { state, objects } = assess(preview('r2', true), live({ health: { status, message: 'x' } }));
    expect(state).toBe('suspended');
    expect(objects.find(({ kind }) => kind === 'Deployment')?.health).toBe('Suspended');
    expect(objects.find(({ kind }) => kind === 'Job')?.health).toBe('Healthy');
  }
});

test('awake, what waits for a person is named', () => {
  const { state, diagnosis } = assess(preview(), live({ health: { status: 'Suspended', message: 'it is paused' } }));
  expect(state).toBe('suspended');
  expect(diagnosis?.sentence).toBe('Deployment/web is Suspended: it is paused');
});

test('one object that asks not to be counted is told and not counted', () => {
  const health = { status: 'Degraded' as const, message: 'x', ignored: true as const };
  expect(assess(preview(), live({ health }))).toMatchObject({
    state: 'healthy',
    objects: expect.arrayContaining([expect.objectContaining({ kind: 'Deployment', health: 'Degraded' })]),
  });
});

test('an object that cannot be judged does not hide one that has failed', () => {
  const cluster = live({ health: { status: 'Unknown', message: '' } });
  expect(assess(preview(), cluster).state).toBe('progressing');
  const job = cluster.get('batch/Job/seed');
  if (job !== undefined) cluster.set('batch/Job/seed', { ...job, health: { status: 'Degraded', message: '' } });
  expect(assess(preview(), cluster).state).toBe('degraded');
});

test('a message that an object carries is redacted', () => {
  const message = 'cannot log in with password=hunter22';
  const { objects } = assess(preview(), live({ health: { status: 'Progressing', message } }));
  expect(objects[0]?.message).toBe('cannot log in with password=[redacted]');
});

test('a preview that asks for a probe is healthy once its URL has answered, for that revision', () => {
  const state = preview();
  if (state.wanted !== null) state.wanted.application.metadata.annotations['mayfly.dev/probe'] = '{}';
  expect(assess(state, live())).toMatchObject({ state: 'progressing', awaitsProbe: true, diagnosis: null });
  const probe = { revision: 'r2', since: 0, passed: false, overdue: false, attempts: 1, sentence: 'no', evidence: [] };
  state.probe = probe;
  expect(assess(state, live())).toMatchObject({ state: 'progressing', diagnosis: { sentence: 'no' } });
  state.probe = { ...probe, overdue: true };
  expect(assess(state, live())).toMatchObject({ state: 'degraded', awaitsProbe: true });
  state.probe = { ...probe, passed: true };
  expect(assess(state, live())).toMatchObject({ state: 'healthy', awaitsProbe: false });
  state.probe = { ...probe, passed: true, revision: 'r1' };
  expect(assess(state, live()).state).toBe('progressing');
  // While its objects are unwell, nobody asks.
  state.probe = null;
  expect(assess(state, live({ health: { status: 'Progressing', message: '' } })).awaitsProbe).toBe(false);
});
