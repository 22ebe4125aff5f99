import { expect, test } from 'vitest';
import { collectKustomization } from '../../../src/agent/source/collect-kustomization.js';
import { parseImage } from '../../../src/agent/source/kustomize-options.js';
import { checkoutOf, documents, link, type TreeNode } from './support/tree.js';

const map = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

async function collect(files: Record<string, TreeNode | string>, options = {}) {
  const collected = await collectKustomization(documents, checkoutOf(files), 'app', options);
  return new Map(collected.map(({ path, content }) => [path, new TextDecoder().decode(content)]));
}

test('takes a kustomization, those that it names and their files, and nothing else', async () => {
  const files = await collect({
    'app/kustomization.yaml':
      'resources: [../base, own.yaml]\ncomponents: [../extra]\npatches: [{path: patch.yaml}]\nconfigMapGenerator: [{name: c, files: [key=sub/file.txt]}]\n',
    'app/own.yaml': map('own'),
    'app/patch.yaml': map('own'),
    'app/sub/file.txt': 'text',
    'app/secret-of-nobody.yaml': 'x',
    'base/Kustomization': 'resources: [a.yaml]\n',
    'base/a.yaml': link('../shared/a.yaml'),
    'shared/a.yaml': map('a'),
    'extra/kustomization.yml': 'kind: Component\n',
  });
  expect([...files.keys()].sort()).toEqual([
    'app/kustomization.yaml',
    'app/own.yaml',
    'app/patch.yaml',
    'app/sub/file.txt',
    'base/Kustomization',
    'base/a.yaml',
    'extra/kustomization.yml',
  ]);
  expect(files.get('base/a.yaml')).toBe(map('a'));
  // What was checked is what Kustomize reads.
  expect(JSON.parse(files.get('base/Kustomization') ?? '')).toMatchObject({ resources: ['a.yaml'] });
});

const base = { 'app/kustomization.yaml': '' };
const kustomization = (text: string, more: Record<string, TreeNode | string> = {}) => ({
  ...base,
  'app/kustomization.yaml': text,
  ...more,
});
const builtin = (kind: string, rest = '') => `apiVersion: builtin\nkind: ${kind}\nmetadata: {name: x}\n${rest}`;

test.each([
  ['a remote base', 'resources: [https://github.com/acme/base]', 'source-remote'],
  ['a remote base without a scheme', 'resources: [github.com/acme/base]', 'source-remote'],
  ['a remote base with a ref', 'resources: ["../base?ref=main"]', 'source-remote'],
  ['a remote base over SSH', 'resources: ["git@example.com:acme/base"]', 'source-remote'],
  ['a remote base by git::', 'bases: ["git::https://example.com/x"]', 'source-remote'],
  ['a base that ends in .git', 'resources: [../base.git]', 'source-remote'],
  ['a remote component', 'components: [https://example.com/x]', 'source-remote'],
  ['a remote patch', 'patches: [{path: "https://example.com/p.yaml"}]', 'source-remote'],
  ['a remote schema', 'openapi: {path: "http://example.com/s.json"}', 'source-remote'],
  ['a remote kind list', 'crds: ["http://example.com/s.json"]', 'source-remote'],
  ['a remote file of a generator', 'configMapGenerator: [{name: a, files: ["k=https://x/y"]}]', 'source-remote'],
  ['a remote environment file', 'secretGenerator: [{name: a, envs: ["https://x/y"]}]', 'source-remote'],
  ['a remote replacement', 'replacements: [{path: "https://x/y"}]', 'source-remote'],
  ['a remote strategic patch', 'patchesStrategicMerge: ["https://x/y"]', 'source-remote'],
  ['a remote transformer', 'transformers: ["https://x/y"]', 'source-remote'],
  ['what is not there', 'resources: [nowhere.yaml]', 'source-path-missing'],
  ['a path out of the repository', 'resources: [../../etc]', 'source-path-missing'],
  ['an absolute path', 'resources: [/etc/passwd]', 'source-path-missing'],
  ['a file outside the folder', 'patches: [{path: ../base/p.yaml}]', 'source-path-missing'],
  [
    'a generator’s file outside the folder',
    'configMapGenerator: [{name: a, files: [../base/p.yaml]}]',
    'source-path-missing',
  ],
  ['a chart', 'helmCharts: [{name: a, repo: "https://x"}]', 'source-unsupported'],
  ['the older way to a chart', 'helmChartInflationGenerator: [{chartName: a}]', 'source-unsupported'],
  ['a key in another case', 'Resources: ["https://x/y"]', 'source-unsupported'],
  ['a key in another case, deeper', 'patches: [{Path: "https://x/y"}]', 'source-unsupported'],
  ['an exec function', 'generators: [exec.yaml]', 'source-unsupported'],
  ['a container function', 'transformers: [container.yaml]', 'source-unsupported'],
  ['a plugin', 'transformers: [plugin.yaml]', 'source-unsupported'],
  ['a built-in that reads files', 'generators: [reading.yaml]', 'source-unsupported'],
  [
    'an inline exec function',
    'transformers: ["{apiVersion: builtin, kind: LabelTransformer, metadata: {annotations: {config.kubernetes.io/function: \\"exec: {path: x}\\"}}}"]',
    'source-unsupported',
  ],
  ['two documents', 'resources: []\n---\nresources: []', 'source-invalid'],
])('%s is refused before anything is run', async (_, text, code) => {
  const files = kustomization(text, {
    'base/p.yaml': map('p'),
    'app/exec.yaml': builtin('ConfigMapGenerator').replace(
      '{name: x}',
      '{name: x, annotations: {config.kubernetes.io/function: "exec: {path: ./x}"}}',
    ),
    'app/container.yaml': builtin('LabelTransformer').replace(
      '{name: x}',
      '{name: x, annotations: {config.k8s.io/function: "container: {image: x}"}}',
    ),
    'app/plugin.yaml': 'apiVersion: acme.example.com/v1\nkind: Anything\nmetadata: {name: x}\n',
    'app/reading.yaml': builtin('ConfigMapGenerator', 'Files: ["https://x/y"]\n'),
  });
  await expect(collect(files)).rejects.toMatchObject({ code, disposition: 'stall' });
});

test.each([
  [
    'in a base',
    { 'app/kustomization.yaml': 'resources: [../base]', 'base/kustomization.yaml': 'resources: ["https://x/y"]' },
    'source-remote',
  ],
  [
    'through a link out of the repository',
    { 'app/kustomization.yaml': 'resources: [a.yaml]', 'app/a.yaml': link('../../a') },
    'source-link',
  ],
  [
    'in a second kustomization of the folder',
    { 'app/kustomization.yaml': '{}', 'app/Kustomization': '{}' },
    'source-invalid',
  ],
  [
    'itself as a file of content',
    kustomization('configMapGenerator: [{name: a, files: [kustomization.yaml]}]'),
    'source-unsupported',
  ],
  [
    'a base as a resource of another',
    {
      ...kustomization('resources: [../base]'),
      'base/kustomization.yaml': 'resources: [sub, sub/kustomization.yaml]',
      'base/sub/kustomization.yaml': '{}',
    },
    'source-unsupported',
  ],
  [
    'a transformer as a file of content',
    kustomization('resources: [sub]\nconfigMapGenerator: [{name: a, files: [sub/t.yaml]}]', {
      'app/sub/kustomization.yaml': 'transformers: [t.yaml]',
      'app/sub/t.yaml': builtin('PrefixTransformer', 'prefix: a-'),
    }),
    'source-unsupported',
  ],
])('what hides %s is refused', async (_, files: Record<string, TreeNode | string>, code) => {
  await expect(collect(files)).rejects.toMatchObject({ code });
});

test('a remote component that the Application adds is refused', async () => {
  await expect(collect(kustomization('{}'), { components: ['https://x/y'] })).rejects.toMatchObject({
    code: 'source-remote',
  });
});

test('the Application’s options are written as kustomize edit would', async () => {
  const files = await collect(
    kustomization('images: [{name: web, newTag: old}, {name: db, newTag: "1"}]\ncommonLabels: {a: b}\n'),
    {
      namePrefix: 'p-',
      images: ['web=registry.example.com:5000/shop/web:v2'],
      replicas: [{ name: 'web', count: 2 }],
      commonLabels: { c: 'd' },
      patches: [{ patch: '[]', target: { kind: 'Deployment' } }],
    },
  );
  expect(JSON.parse(files.get('app/kustomization.yaml') ?? '')).toMatchObject({
    namePrefix: 'p-',
    images: [
      { name: 'db', newTag: '1' },
      { name: 'web', newName: 'registry.example.com:5000/shop/web', newTag: 'v2' },
    ],
    replicas: [{ name: 'web', count: 2 }],
    commonLabels: { a: 'b', c: 'd' },
    patches: [{ patch: '[]', target: { kind: 'Deployment' } }],
  });
});

test('a label that is there is overridden only when that is asked for', async () => {
  const files = kustomization('commonLabels: {a: b}');
  await expect(collect(files, { commonLabels: { a: 'c' } })).rejects.toThrow('forceCommonLabels');
  const forced = await collect(files, { commonLabels: { a: 'c' }, forceCommonLabels: true });
  expect(JSON.parse(forced.get('app/kustomization.yaml') ?? '')).toMatchObject({ commonLabels: { a: 'c' } });
});

test.each([
  ['nginx:1.2', { name: 'nginx', newTag: '1.2' }],
  ['nginx@sha256:ab', { name: 'nginx', digest: 'sha256:ab' }],
  ['a/b=host:5000/c', { name: 'a/b', newName: 'host:5000/c' }],
  ['a=b:1@sha256:ab', { name: 'a', newName: 'b', newTag: '1', digest: 'sha256:ab' }],
])('the image %s', (text, expected) => {
  expect(parseImage(text)).toEqual(expected);
});

test.each([['nginx'], [''], ['a='], ['=b']])('%j is no image', (text) => {
  expect(() => parseImage(text)).toThrow(expect.objectContaining({ code: 'source-invalid' }));
});
