import { expect, test } from 'vitest';
import { type DeployDeps, type DeployInput, deploy, hasDrift } from '../../src/agent/deploy.js';
import type { Inventory } from '../../src/agent/inventory.js';
import type { LiveObject } from '../../src/agent/live/live-objects.js';
import { contentPrint, type Manifest, manifestKey } from '../../src/agent/manifest.js';
import { annotate } from '../../src/application/annotate.js';
import type { Application } from '../../src/application/application.js';
import { revisionOf } from '../../src/application/revision.js';
import { AppError } from '../../src/error/app-error.js';

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
const object = (kind: string, name: string, annotations = {}): Manifest => ({
  apiVersion: kind === 'Job' ? 'batch/v1' : 'v1',
  kind,
  metadata: { name, annotations },
});

function failure(code: string): AppError {
  return new AppError({ code, disposition: 'stall', publicMessage: '-' });
}

/** A cluster in memory whose watch tells everything at once, and what happened to it in which order. */
function world() {
  const stored = new Map<string, Manifest>();
  const live = new Map<string, LiveObject>();
  const log: string[] = [];
  const saved: Inventory[] = [];
  /** What a test changes: `held` by a finalizer, `refused` by the API server, the health of Jobs. */
  const state = {
    manifests: [] as Manifest[],
    held: '',
    refused: '',
    /** The agent dies when the API server has written this, before it hears so. */
    deadly: '',
    jobs: 'Healthy' as LiveObject['health']['status'],
  };
  let uids = 0;
  const at = ({ kind, name, apiVersion }: { kind: string; name: string; apiVersion: string }) =>
    manifestKey({ apiVersion, kind, metadata: { name } });
  const record = (each: Manifest) =>
    void live.set(manifestKey(each), {
      uid: each.metadata.uid ?? '',
      resourceVersion: '1',
      generation: null,
      print: contentPrint(each),
      terminating: each.metadata.deletionTimestamp !== undefined,
      health: { status: each.kind === 'Job' ? state.jobs : 'Healthy', message: '' },
    });
  const write = async (each: Manifest): Promise<Manifest> => {
    const { name } = each.metadata;
    if (name === state.refused) throw failure('kube-forbidden');
    uids += 1;
    const uid = stored.get(manifestKey(each))?.metadata.uid ?? `uid-${uids}`;
    const written = { ...each, metadata: { ...each.metadata, uid } };
    log.push(`write ${name}`);
    stored.set(manifestKey(each), written);
    if (name === state.deadly) throw new Error('killed');
    return written;
  };
  const unused = () => Promise.reject(new Error('not to be asked'));
  const deps: DeployDeps = {
    source: { load: async () => [{ child: null, spec: application.spec, wave: 0, manifests: state.manifests }] },
    cluster: {
      isNamespaced: async () => true,
      create: async (each) => {
        if (stored.has(manifestKey(each))) throw failure('kube-already-exists');
        return write(each);
      },
      apply: write,
      get: async (reference) => {
        const found = stored.get(at(reference));
        if (found === undefined) throw failure('kube-not-found');
        return found;
      },
      tryApply: unused,
      tryCreate: unused,
      remove: async (reference) => {
        log.push(`remove ${reference.name}`);
        const found = stored.get(at(reference));
        if (found !== undefined && reference.name === state.held) {
          stored.set(at(reference), { ...found, metadata: { ...found.metadata, deletionTimestamp: 'now' } });
        } else {
          stored.delete(at(reference));
          live.delete(at(reference));
        }
      },
    },
    furnisher: {
      plan: async () => ({ isDone: true, entries: [], refuseCollisions: () => undefined, apply: async () => [] }),
    },
    saveInventory: async (inventory) => void saved.push(inventory),
    live: { of: () => live, follow: () => undefined, synced: async () => undefined, record },
    diagnose: async () => null,
  };
  const input: DeployInput = {
    wanted: { slug: 'shop-1', incarnation: 1, revision: 'r1', application },
    inventory: null,
    installation: 'i',
    agent: 'c',
    namespacePrefix: 'preview-',
    podSecurity: 'baseline',
    kinds: { allow: [], deny: [] },
    hosts: [],
    now: 0,
    onInventory: (inventory) => {
      input.inventory = inventory;
    },
    signal: new AbortController().signal,
  };
  /** One run towards a revision; what it wrote and removed. */
  async function run(revision: string, asked: Application = application): Promise<string[]> {
    log.length = 0;
    input.wanted = { slug: 'shop-1', incarnation: 1, revision, application: asked };
    await deploy(deps, input);
    return [...log];
  }
  /** The agent is started again: it knows what it saved, and its watches tell what is there. */
  function restart(): void {
    input.inventory = saved.at(-1) ?? null;
    for (const each of stored.values()) record(each);
    state.deadly = '';
  }
  const names = () => input.inventory?.objects.map(({ name }) => name);
  const drifts = () => input.inventory !== null && hasDrift(input.inventory, live);
  return { state, stored, live, saved, run, restart, names, drifts, log };
}

test('what a finalizer holds is listed until it is gone, and nothing is done about it meanwhile', async () => {
  const { state, stored, live, saved, run, names, drifts } = world();
  state.manifests = [object('ConfigMap', 'site'), object('ConfigMap', 'old')];
  await run('r1');
  state.manifests = [object('ConfigMap', 'site')];
  state.held = 'old';
  expect(await run('r2')).toEqual(['remove old']);
  expect(names()).toEqual(['site', 'old']);
  expect(saved.at(-1)?.objects.map(({ name }) => name)).toEqual(['site', 'old']);
  expect(saved.at(-1)?.revision).toBe('r2');
  expect(drifts()).toBe(false);
  // The watch tells that it is gone at last.
  stored.delete('/ConfigMap/old');
  live.delete('/ConfigMap/old');
  expect(drifts()).toBe(true);
  expect(await run('r2')).toEqual([]);
  expect(names()).toEqual(['site']);
  expect(saved.at(-1)?.objects.map(({ name }) => name)).toEqual(['site']);
  expect(drifts()).toBe(false);
});

test('what the file no longer asks for, and nothing holds, is forgotten in the same run', async () => {
  const { state, run, names, drifts } = world();
  state.manifests = [object('ConfigMap', 'site'), object('ConfigMap', 'old')];
  await run('r1');
  state.manifests = [object('ConfigMap', 'site')];
  expect(await run('r2')).toEqual(['remove old']);
  expect(names()).toEqual(['site']);
  expect(drifts()).toBe(false);
});

test.each([
  ['an object', object('ConfigMap', 'again'), 'r1'],
  ['a hook', object('Job', 'again', { 'argocd.argoproj.io/hook': 'PreSync' }), 'r2'],
])('%s that was made again unheard is removed when nobody asks for it any more', async (_, again, revision) => {
  const { state, stored, live, run, restart, names } = world();
  state.manifests = [object('ConfigMap', 'site'), again];
  await run('r1');
  stored.delete(manifestKey(again));
  live.delete(manifestKey(again));
  state.deadly = 'again';
  await expect(run(revision)).rejects.toThrow('killed');
  expect(stored.has(manifestKey(again))).toBe(true);
  restart();
  state.manifests = [object('ConfigMap', 'site')];
  expect(await run('r3')).toEqual(['remove again']);
  expect(names()).toEqual(['site']);
});

test('what was learnt before a refusal is persisted', async () => {
  const { state, saved, run } = world();
  const wave = { 'argocd.argoproj.io/sync-wave': '1' };
  state.manifests = [object('ConfigMap', 'first'), object('ConfigMap', 'second', wave)];
  state.refused = 'second';
  await expect(run('r1')).rejects.toMatchObject({ code: 'kube-forbidden' });
  const last = saved.at(-1);
  expect(last?.namespaceUid).toMatch(/^uid-/);
  expect(last?.objects.map(({ name, uid }) => [name, uid === null])).toEqual([
    ['first', false],
    ['second', true],
  ]);
  expect(last?.revision).toBeNull();
});

test('an order to redeploy runs a hook again that had failed for good', async () => {
  const { state, log, run } = world();
  state.manifests = [object('Job', 'migrate', { 'argocd.argoproj.io/hook': 'PreSync' }), object('ConfigMap', 'site')];
  state.jobs = 'Degraded';
  const file = annotate(application, { installation: 'i', incarnation: 1 });
  await expect(run(revisionOf(file), file)).rejects.toMatchObject({ code: 'hook-failed' });
  expect(log).toContain('write migrate');
  await expect(run(revisionOf(file), file)).rejects.toMatchObject({ code: 'hook-failed' });
  expect(log).toEqual([]);
  state.jobs = 'Healthy';
  const redeployed = annotate(application, { installation: 'i', incarnation: 1, redeployed: '2026-01-01T00:00:00Z' });
  const writes = await run(revisionOf(redeployed), redeployed);
  expect(writes).toEqual(expect.arrayContaining(['remove migrate', 'write migrate', 'write site']));
});
