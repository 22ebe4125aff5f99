import { expect, test } from 'vitest';
import { desiredItems } from '../../src/agent/desired-items.js';
import type { Inventory } from '../../src/agent/inventory.js';
import { createLedger } from '../../src/agent/ledger.js';
import type { LiveObject } from '../../src/agent/live/live-objects.js';
import type { Manifest } from '../../src/agent/manifest.js';
import { makePlan } from '../../src/agent/plan/make-plan.js';
import { runStages } from '../../src/agent/run-stages.js';

const identity = { installation: 'i', slug: 'shop-1', incarnation: 1 };
const namespace = 'preview-shop-1';

test('a pod that the next wave waits for is named without what it printed', async () => {
  const manifests: Manifest[] = [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'first', annotations: { 'argocd.argoproj.io/sync-wave': '-1' } },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'second' } },
  ];
  const spec = {
    project: 'default',
    destination: { name: 'c', namespace },
    source: { repoURL: 'https://example.com/x', targetRevision: 'a' },
  };
  const { items } = desiredItems([{ child: null, spec, wave: 0, manifests }], { identity, namespace, asleep: false });
  const [pod] = items;
  const failed: LiveObject = {
    uid: 'u',
    resourceVersion: '1',
    generation: null,
    print: 'p',
    terminating: false,
    health: { status: 'Degraded', message: 'cannot log in with hunter2hunter2' },
  };
  const live = new Map([['/Pod/first', failed]]);
  const entry = { apiVersion: 'v1', kind: 'Pod', name: 'first', uid: 'u', generation: null, print: 'p', once: false };
  const inventory: Inventory = {
    slug: 'shop-1',
    incarnation: 1,
    namespace,
    namespaceUid: 'n',
    revision: null,
    target: 'r',
    objects: [{ ...entry, applied: pod?.print }],
    createdAt: 0,
    condemned: null,
  };
  const plan = makePlan({ desired: items, inventory, revision: 'r', live });
  const untouched = () => Promise.reject(new Error('nothing is to be asked of the cluster'));
  const waiting = await runStages({
    identity,
    pair: identity,
    revision: 'r',
    isAsleep: false,
    isGated: true,
    plan,
    verdicts: new Map(),
    ledger: createLedger({ onChange: () => undefined, save: async () => undefined }, inventory, true),
    cluster: {
      get: untouched,
      apply: untouched,
      tryApply: untouched,
      tryCreate: untouched,
      create: untouched,
      remove: untouched,
    },
    live: { of: () => live, record: () => undefined },
    diagnose: async () => null,
    noteWrite: () => undefined,
    signal: new AbortController().signal,
  });
  expect(waiting).toEqual({
    what: 'wave',
    objects: [{ group: '', kind: 'Pod', name: 'first', health: 'Degraded', message: null }],
  });
});
