import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/agent/manifest.js';
import {
  readIgnoreRules,
  rulesFor,
  withLiveValues,
  withoutIgnored,
} from '../../../src/agent/plan/ignore-differences.js';

function deployment(spec: Record<string, unknown>, metadata: Record<string, unknown> = {}): Manifest {
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', namespace: 'p', ...metadata }, spec };
}

const replicas = readIgnoreRules([{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }]);

test('rules speak of group, kind, name and namespace, with stars', () => {
  const speaks = (rule: Record<string, unknown>) => rulesFor(deployment({}), readIgnoreRules([rule])).length === 1;
  expect(speaks({ group: 'apps', kind: 'Deployment' })).toBe(true);
  expect(speaks({ group: '*', kind: '*' })).toBe(true);
  expect(speaks({ group: 'apps', kind: 'Deployment', name: 'web', namespace: 'p' })).toBe(true);
  expect(speaks({ kind: 'Deployment' })).toBe(false);
  expect(speaks({ group: 'apps', kind: 'Deployment', name: 'other' })).toBe(false);
  expect(speaks({ group: 'apps', kind: 'Deployment', namespace: 'other' })).toBe(false);
});

test('what cannot be followed is refused by name', () => {
  const code = (rules: unknown) => {
    try {
      readIgnoreRules(rules);
      return null;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect(code(undefined)).toBeNull();
  expect(code([{ kind: 'A', jqPathExpressions: ['.a'] }])).toBe('sync-unsupported');
  for (const rules of ['x', [{}], [{ kind: 1 }], [{ kind: 'A', jsonPointers: ['spec'] }]]) {
    expect(code(rules)).toBe('sync-invalid');
  }
});

test('ignored fields are as the cluster has them, and fields that it has not are not sent', () => {
  const live = deployment({ replicas: 5, paused: false });
  expect(withLiveValues(deployment({ replicas: 1, paused: true }), live, replicas).spec).toEqual({
    replicas: 5,
    paused: true,
  });
  // What the manifest does not name stays unnamed: nobody's field is taken.
  expect(withLiveValues(deployment({ paused: true }), live, replicas).spec).toEqual({ paused: true });
  expect(withLiveValues(deployment({ replicas: 1 }), deployment({}), replicas).spec).toEqual({});
});

test('pointers reach into lists and escaped keys, and never into what is no own field', () => {
  const rules = readIgnoreRules([
    {
      group: 'apps',
      kind: 'Deployment',
      jsonPointers: [
        '/spec/list/1',
        '/spec/list/0',
        '/metadata/annotations/a~1b',
        '/spec/__proto__/x',
        '/spec/no/where',
      ],
    },
  ]);
  const object = deployment({ list: ['a', 'b', 'c'] }, { annotations: { 'a/b': '1', c: '2' } });
  const stripped = withoutIgnored(object, object, rules);
  expect(stripped.spec).toEqual({ list: ['c'] });
  expect(stripped.metadata.annotations).toEqual({ c: '2' });
  expect(object.spec).toEqual({ list: ['a', 'b', 'c'] });
});

test('items of a long list go each once, whoever names them', () => {
  const list = Array.from({ length: 12 }, (_, index) => `item ${index}`);
  const jsonPointers = ['/spec/list/9', '/spec/list/10', '/spec/list/2', '/spec/list/9'];
  const rules = readIgnoreRules([{ group: 'apps', kind: 'Deployment', jsonPointers }]);
  const object = deployment({ list });
  expect(withoutIgnored(object, object, rules).spec).toEqual({
    list: list.filter((_, index) => ![2, 9, 10].includes(index)),
  });
});

test('fields of a named manager are found by what the cluster says that it owns', () => {
  const rules = readIgnoreRules([{ group: 'apps', kind: 'Deployment', managedFieldsManagers: ['operator'] }]);
  const containers = [
    { name: 'sidecar', image: 's' },
    { name: 'web', image: 'changed', args: ['x'] },
  ];
  const owned = {
    'f:spec': { 'f:replicas': {}, 'f:containers': { 'k:{"name":"web"}': { '.': {}, 'f:image': {} } } },
  };
  const managedFields = [
    { manager: 'operator', fieldsV1: owned },
    { manager: 'another', fieldsV1: { 'f:spec': { 'f:paused': {} } } },
  ];
  const live = deployment({ replicas: 3, paused: true, containers }, { managedFields });
  const desired = deployment({ replicas: 1, paused: false, containers: [{ name: 'web', image: 'mine' }] });
  expect(withoutIgnored(live, live, rules).spec).toEqual({
    paused: true,
    containers: [
      { name: 'sidecar', image: 's' },
      { name: 'web', args: ['x'] },
    ],
  });
  expect(withoutIgnored(desired, live, rules).spec).toEqual({ paused: false, containers: [{ name: 'web' }] });
});
