import { expect, test } from 'vitest';
import { readDirectory, type SourceTree } from '../../../src/agent/source/read-directory.js';

const map = (name: string) => JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });

interface Node {
  mode?: string;
  text?: string;
}

/** A commit's tree from paths. */
function treeOf(files: Record<string, Node>): SourceTree {
  return {
    async readTree(_, path) {
      const prefix = path === '' ? '' : `${path}/`;
      const below = Object.entries(files).filter(([each]) => each.startsWith(prefix));
      if (below.length === 0) return null;
      const names = new Set(below.map(([each]) => each.slice(prefix.length).split('/')[0] ?? ''));
      return [...names].map((name) => {
        const node = files[prefix + name];
        return { name, mode: node === undefined ? '040000' : (node.mode ?? '100644'), oid: prefix + name };
      });
    },
    readBlob: async (oid) => new TextEncoder().encode(files[oid]?.text ?? ''),
  };
}

function read(files: Record<string, Node>, path = '.', recurse = false) {
  const signal = new AbortController().signal;
  return readDirectory(treeOf(files), {
    repository: 'https://x/y.git',
    revision: 'a'.repeat(40),
    path,
    recurse,
    signal,
  });
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
  ['a symbolic link to a manifest', { 'a.yaml': { mode: '120000', text: '/etc/passwd' } }, false, 'source-link'],
  [
    'a symbolic link to a folder',
    { 'x/a.yaml': { text: map('a') }, out: { mode: '120000', text: '..' } },
    true,
    'source-link',
  ],
  [
    'a Kustomize folder',
    { 'kustomization.yaml': { text: '-' }, 'a.yaml': { text: map('a') } },
    false,
    'source-unsupported',
  ],
  ['a chart', { 'Chart.yaml': { text: '-' } }, false, 'source-unsupported'],
  ['a folder without manifests', { 'a.txt': { text: '-' } }, false, 'source-empty'],
  [
    'a file above the limit',
    { 'a.yaml': { text: `${map('a')}\n#${'x'.repeat(1024 * 1024)}` } },
    false,
    'source-too-large',
  ],
])('%s is refused', async (_, files: Record<string, Node>, recurse, code) => {
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
