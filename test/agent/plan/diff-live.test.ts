import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/agent/manifest.js';
import { type DesiredItem, manifestPrint } from '../../../src/agent/plan/desired-item.js';
import { diffLive } from '../../../src/agent/plan/diff-live.js';
import type { ExamineDeps } from '../../../src/agent/plan/examine.js';
import { stageOf } from '../../../src/agent/plan/stage.js';
import { defaultOptions } from '../../../src/agent/plan/sync-options.js';
import { AppError } from '../../../src/error/app-error.js';

function item(manifest: Manifest, change: Partial<DesiredItem> = {}): DesiredItem {
  const stage = stageOf({ phase: 'Sync', wave: 0, childWave: null });
  const print = manifestPrint(manifest);
  return { key: '', manifest, print, stage, options: defaultOptions, ignore: [], hook: null, ...change };
}

function map(name: string, data: Record<string, string>, kind = 'ConfigMap'): Manifest {
  return { apiVersion: 'v1', kind, metadata: { name, namespace: 'p' }, data };
}

function failure(code: string, data: Record<string, unknown> = {}): AppError {
  return new AppError({ code, disposition: 'stall', publicMessage: code, data });
}

/** A cluster that takes what it is given, but for what a test refuses. */
function cluster(live: Manifest[], refusal: (object: Manifest) => AppError | null = () => null): ExamineDeps {
  return {
    async get({ kind, name }) {
      const found = live.find((each) => each.kind === kind && each.metadata.name === name);
      if (found === undefined) throw failure('kube-not-found');
      return found;
    },
    async tryApply(object) {
      const refused = refusal(object);
      if (refused !== null) throw refused;
      const before = live.find(({ metadata }) => metadata.name === object.metadata.name);
      return { ...object, metadata: { ...before?.metadata, ...object.metadata } };
    },
    tryCreate: async () => Promise.reject(failure('kube-already-exists')),
  };
}

const { signal } = new AbortController();

test('what would be made, changed and left is told, field by field; values of secrets are not', async () => {
  const live = [
    { ...map('same', { a: '1' }), status: { phase: 'x' } },
    map('changed', { a: '1', b: '1', 'c.d': '1' }),
    map('key', { token: 'old' }, 'Secret'),
  ];
  const desired = [
    map('same', { a: '1' }),
    map('changed', { a: '2', 'c.d': '2' }),
    map('key', { token: 'new' }, 'Secret'),
    map('new', {}),
  ];
  expect(
    await diffLive(
      cluster(live),
      desired.map((each) => item(each)),
      signal,
    ),
  ).toEqual([
    { object: 'ConfigMap/same', change: 'none', reason: null, fields: [] },
    {
      object: 'ConfigMap/changed',
      change: 'update',
      reason: null,
      fields: [
        { path: '.data.a', from: '"1"', to: '"2"' },
        { path: '.data.b', from: '"1"', to: null },
        { path: '.data["c.d"]', from: '"1"', to: '"2"' },
      ],
    },
    {
      object: 'Secret/key',
      change: 'update',
      reason: null,
      fields: [{ path: '.data.token', from: '(secret)', to: '(secret)' }],
    },
    { object: 'ConfigMap/new', change: 'create', reason: null, fields: [] },
  ]);
});

test('what would be refused is told with its reason, what would be made again as that', async () => {
  const causes = [{ reason: 'FieldValueInvalid', field: 'data.a', message: 'field is immutable' }];
  const deps = cluster([map('fixed', { a: '1' })], () => failure('kube-invalid', { causes }));
  const [refused] = await diffLive(deps, [item(map('fixed', { a: '2' }))], signal);
  expect(refused).toMatchObject({ change: 'refused', fields: [] });
  expect(refused?.reason).toContain('immutable (data.a: field is immutable)');
  const options = { ...defaultOptions, replace: true };
  const [again] = await diffLive(deps, [item(map('fixed', { a: '2' }), { options })], signal);
  expect(again).toMatchObject({ change: 'recreate', reason: null });
});

test('a cluster that does not answer is no difference', async () => {
  const away = new AppError({ code: 'kube-unavailable', disposition: 'retry', publicMessage: '-' });
  const deps = cluster([map('a', {})], () => away);
  await expect(diffLive(deps, [item(map('a', {}))], signal)).rejects.toMatchObject({ code: 'kube-unavailable' });
});
