import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/agent/manifest.js';
import {
  applicationOptions,
  defaultOptions,
  objectOptions,
  unknownKeys,
} from '../../../src/agent/plan/sync-options.js';

function object(annotations: Record<string, string>): Manifest {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', annotations } };
}

const options = (written: string, application = defaultOptions) =>
  objectOptions(object({ 'argocd.argoproj.io/sync-options': written }), application);

test('options of the Application hold for each object, and the object says more', () => {
  const { options: application, remarks } = applicationOptions({
    syncOptions: ['PruneLast=true', 'CreateNamespace=true', 'ServerSideApply=true', 'ApplyOutOfSyncOnly=true'],
  });
  expect(remarks).toEqual([]);
  expect(application).toEqual({ ...defaultOptions, prune: 'last' });
  expect(options('Replace=true, SkipDryRunOnMissingResource=true', application).options).toEqual({
    ...defaultOptions,
    prune: 'last',
    replace: true,
    skipMissingKind: true,
  });
  expect(options('PruneLast=false', application).options.prune).toBe('yes');
});

test.each(['Prune=false,PruneLast=true', 'PruneLast=true,Prune=false', 'Prune=false,Prune=true'])(
  'of %s the one that keeps the object holds',
  (written) => {
    expect(options(written).options.prune).toBe('never');
  },
);

test('what is not done is named, and what keeps more is done instead', () => {
  expect(options('Prune=confirm').options.prune).toBe('never');
  expect(options('Prune=confirm').remarks[0]).toContain('Prune=confirm is not supported');
  expect(options('Delete=false,Validate=false,Replace=maybe,constructor').remarks).toEqual(
    ['Delete=false', 'Validate=false', 'Replace=maybe', 'constructor'].map(
      (option) => `argocd.argoproj.io/sync-options: ${option} is not supported and has no effect`,
    ),
  );
  expect(applicationOptions({ syncOptions: ['CreateNamespace=false'] }).remarks[0]).toContain('always made by Mayfly');
});

test('what the policy asks for beside options is named', () => {
  const policy = { automated: { prune: true }, retry: { limit: 2 }, managedNamespaceMetadata: { labels: {} } };
  expect(applicationOptions(policy).remarks).toEqual([
    'syncPolicy: managedNamespaceMetadata is not supported and has no effect',
  ]);
});

test('what the Application asks for beside what is known is named, and what concerns no object is not', () => {
  const known = { source: {}, destination: {}, project: 'p', syncPolicy: {}, ignoreDifferences: [] };
  expect(unknownKeys({ ...known, info: [], revisionHistoryLimit: 3 })).toEqual([]);
  expect(unknownKeys({ ...known, sourceHydrator: {}, constructor: 1 })).toEqual(
    ['sourceHydrator', 'constructor'].map((key) => `spec: ${key} is not supported and has no effect`),
  );
  const flood = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`k${index}`, 1]));
  expect(unknownKeys(flood)).toHaveLength(50);
});

test('of a flood of options a few are named', () => {
  const flood = Array.from({ length: 100_000 }, (_, index) => `o${index}`).join(',');
  expect(options(flood).remarks).toHaveLength(50);
  expect(options('x,x,x').remarks).toHaveLength(1);
});

test('options that are no list of texts are refused', () => {
  for (const syncOptions of ['PruneLast=true', [1], [{ PruneLast: true }]]) {
    expect(() => applicationOptions({ syncOptions })).toThrow(expect.objectContaining({ code: 'sync-invalid' }));
  }
  expect(applicationOptions(undefined)).toEqual({ options: defaultOptions, remarks: [] });
});

test('Helm’s policy keeps an object, and fields are taken by Mayfly’s own annotation alone', () => {
  expect(objectOptions(object({ 'helm.sh/resource-policy': 'keep' }), defaultOptions).options.prune).toBe('never');
  const forced = { 'mayfly.dev/force-conflicts': 'true' };
  expect(objectOptions(object(forced), defaultOptions).options.force).toBe(true);
  expect(options('Force=true').options.force).toBe(false);
});
