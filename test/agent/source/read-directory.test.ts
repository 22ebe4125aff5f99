import { expect, test } from 'vitest';
import { directoryLimits, readDirectory } from '../../../src/agent/source/read-directory.js';
import { checkoutOf, link, parsing, type TreeNode } from './support/tree.js';

const map = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

interface Options {
  include?: string;
  exclude?: string;
}

function read(files: Record<string, TreeNode>, path = '.', recurse = false, options: Options = {}) {
  const { include = null, exclude = null } = options;
  return readDirectory(
    parsing,
    checkoutOf(files, directoryLimits),
    { place: `the folder ${path}`, path, recurse, include, exclude },
    new AbortController().signal,
  );
}

test('files come in the order of their paths, other files are passed over', async () => {
  const files = { 'b.yml': { text: map('b') }, 'a.json': { text: map('a') }, 'notes.txt': { text: '-' } };
  expect((await read(files)).map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
});

test('folders below only when that is asked for', async () => {
  const files = {
    'k/a.yaml': { text: map('a') },
    'k/l/m/b.yaml': { text: map('b') },
    'other.yaml': { text: map('c') },
  };
  expect(await read(files, 'k')).toHaveLength(1);
  expect(await read(files, './k/', true)).toHaveLength(2);
});

test.each([
  ['a symbolic link to a manifest', { 'a.yaml': link('/etc/passwd') }, false, 'source-link'],
  ['a symbolic link to a folder', { 'x/a.yaml': { text: map('a') }, out: link('..') }, true, 'source-link'],
  [
    'a Kustomize folder',
    { 'kustomization.yaml': { text: '-' }, 'a.yaml': { text: map('a') } },
    false,
    'source-unsupported',
  ],
  ['a chart', { 'Chart.yaml': { text: '-' } }, false, 'source-unsupported'],
  ['Jsonnet', { 'a.jsonnet': { text: '{}' } }, false, 'source-unsupported'],
  ['a folder without manifests', { 'a.txt': { text: '-' } }, false, 'source-empty'],
  [
    'a file above the limit',
    { 'a.yaml': { text: `${map('a')}\n#${'x'.repeat(1024 * 1024)}` } },
    false,
    'source-too-large',
  ],
])('%s is refused', async (_, files: Record<string, TreeNode>, recurse, code) => {
  await expect(read(files, '.', recurse)).rejects.toMatchObject({ code, disposition: 'stall' });
});

test.each([['../other'], ['a/../../b'], ['nowhere']])('the path %s is refused', async (path) => {
  await expect(read({ 'a.yaml': { text: map('a') } }, path)).rejects.toMatchObject({ code: 'source-path-missing' });
});

test('too many files are refused', async () => {
  const files = Object.fromEntries(
    Array.from({ length: 501 }, (_, index) => [`${index}.yaml`, { text: map(`m${index}`) }]),
  );
  await expect(read(files)).rejects.toMatchObject({ code: 'source-too-large' });
});

test('patterns choose over the path below the folder, and keep another tool out', async () => {
  const files = {
    'k/a.yaml': { text: map('a') },
    'k/sub/b.yaml': { text: map('b') },
    'k/sub/c.json': { text: map('c') },
    'k/chart/Chart.yaml': { text: '-' },
    'k/x.jsonnet': { text: '{}' },
  };
  const names = async (options: Options) =>
    (await read(files, 'k', true, options)).map(({ metadata }) => metadata.name);
  expect(await names({ exclude: '{chart/*,*.jsonnet}' })).toEqual(['a', 'b', 'c']);
  expect(await names({ include: 'sub/*' })).toEqual(['b', 'c']);
  expect(await names({ include: '*.{yaml,json}', exclude: '{*.json,chart/**}' })).toEqual(['a', 'b']);
  await expect(names({ include: '{a' })).rejects.toMatchObject({ code: 'source-invalid' });
});

test('a link to a manifest inside the repository is that manifest, and Argo CD’s mark leaves a file out', async () => {
  const files = {
    'base/a.yaml': { text: map('a') },
    'k/a.yaml': link('../base/a.yaml'),
    'k/values.yaml': { text: '# +argocd:skip-file-rendering\nreplicas: 1\n' },
  };
  expect(await read(files, 'k')).toHaveLength(1);
});
