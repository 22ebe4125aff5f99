import { expect, test } from 'vitest';
import { type DeployDeps, type DeployInput, deploy } from '../../src/agent/deploy.js';
import type { Furnishing } from '../../src/agent/furnisher.js';
import type { Inventory } from '../../src/agent/inventory.js';
import type { LiveObject } from '../../src/agent/live/live-objects.js';
import { type Manifest, manifestKey } from '../../src/agent/manifest.js';
import type { Application } from '../../src/application/application.js';

const namespace = 'preview-shop-1';
const application: Application = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop-1', annotations: {} },
  spec: {
    project: 'default',
    destination: { name: 'c', namespace },
    source: { repoURL: 'https://example.com/x', targetRevision: 'a' },
  },
};

/** A cluster in memory, and what was written in which order: objects, and the names that the inventory listed. */
function world() {
  const stored = new Map<string, Manifest>();
  const live = new Map<string, LiveObject>();
  const log: string[] = [];
  let drawn = 0;
  const write = async (object: Manifest): Promise<Manifest> => {
    const written = { ...object, metadata: { ...object.metadata, uid: object.metadata.name } };
    if (object.kind !== 'Namespace') log.push(`write ${object.metadata.name}`);
    stored.set(manifestKey(object), written);
    return written;
  };
  const done: Furnishing = { isDone: true, entries: [], refuseCollisions: () => undefined, apply: async () => [] };
  const unused = () => Promise.reject(new Error('not to be asked'));
  const deps: DeployDeps = {
    source: {
      load: async () => {
        drawn += 1;
        const manifests = [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `drawn-${drawn}` } }];
        return [{ child: null, spec: application.spec, wave: 0, manifests }];
      },
    },
    cluster: {
      isNamespaced: async () => true,
      create: write,
      apply: write,
      get: async ({ kind, name }) => stored.get(`/${kind}/${name}`) ?? unused(),
      tryApply: unused,
      tryCreate: unused,
      remove: async () => undefined,
    },
    furnisher: { plan: async () => done },
    saveInventory: async ({ objects }) => void log.push(`save ${objects.map(({ name }) => name).join()}`),
    live: {
      of: () => live,
      follow: () => undefined,
      synced: async () => undefined,
      record: (object) =>
        void live.set(manifestKey(object), {
          uid: object.metadata.uid ?? '',
          resourceVersion: '1',
          generation: null,
          print: '',
          terminating: false,
          health: { status: 'Healthy', message: '' },
        }),
    },
    diagnose: async () => null,
  };
  return { deps, live, log };
}

test('what a source yields anew in a later run of the same revision is listed before it is written', async () => {
  const { deps, live, log } = world();
  const input: DeployInput = {
    wanted: { slug: 'shop-1', incarnation: 1, revision: 'r', application },
    inventory: null,
    installation: 'i',
    agent: 'c',
    namespacePrefix: 'preview-',
    podSecurity: 'baseline',
    kinds: { allow: [], deny: [] },
    hosts: [],
    now: 0,
    onInventory: (inventory: Inventory) => {
      input.inventory = inventory;
    },
    signal: new AbortController().signal,
  };
  await deploy(deps, input);
  expect(log).toEqual(['save drawn-1', 'write drawn-1', 'save drawn-1']);
  live.delete('/ConfigMap/drawn-1');
  log.length = 0;
  await deploy(deps, input);
  const at = log.indexOf('write drawn-2');
  expect(at).toBeGreaterThan(0);
  expect(log.slice(0, at).some((line) => line.startsWith('save') && line.includes('drawn-2'))).toBe(true);
});
