import { expect, test } from 'vitest';
import { allowsExplained, type GuardInput, guardOf } from '../../../src/agent/branch/guards.js';
import { previewHost } from '../../../src/agent/branch/preview-host.js';
import { changedFiles } from '../../../src/agent/branch/read-branch.js';
import { readBranchFile } from '../../../src/agent/branch/read-file.js';

const fine: GuardInput = {
  head: 'h',
  descends: true,
  installation: 'i',
  pinned: 'i',
  files: ['a', 'b'],
  living: 5,
};

test.each<[string, Partial<GuardInput>, ReturnType<typeof guardOf>]>([
  ['all is as it should be', {}, null],
  ['nothing was pinned yet', { pinned: null }, null],
  ['there is no branch', { head: null }, 'installation-missing'],
  ['mayfly.yml is missing', { installation: null }, 'installation-missing'],
  ['it is another installation’s', { installation: 'j' }, 'installation-changed'],
  ['history was rewritten', { descends: false }, 'rewritten'],
  ['the folder is gone', { files: null }, 'applications-missing'],
  ['the folder was never there', { files: null, living: 0 }, null],
  ['every file is gone', { files: [] }, 'all-files-gone'],
  ['the last file is gone', { files: [], living: 1 }, null],
])('%s', (_, change, guard) => {
  expect(guardOf({ ...fine, ...change })).toBe(guard);
});

test('only a branch that is ours and was not rewritten lets explained deletions through', () => {
  const all = [
    'rewritten',
    'installation-missing',
    'installation-changed',
    'applications-missing',
    'all-files-gone',
  ] as const;
  expect(all.filter(allowsExplained)).toEqual(['applications-missing', 'all-files-gone']);
});

test('a host is the preview’s only when the agent’s list has it', () => {
  const hosts = ['*.preview.example.com', 'shop.example.com'];
  expect(previewHost('https://a.preview.example.com/x', hosts)).toBe('a.preview.example.com');
  expect(previewHost('https://A.Preview.Example.com', hosts)).toBe('a.preview.example.com');
  expect(previewHost('http://shop.example.com:8080', hosts)).toBe('shop.example.com');
  for (const url of [
    'https://preview.example.com',
    'https://a.b.preview.example.com',
    'https://evilpreview.example.com',
    'https://a.preview.example.com.evil.com',
    'javascript:alert(1)',
    'no url',
    undefined,
  ]) {
    expect(previewHost(url, hosts), url).toBeNull();
  }
});

test('only what changed is read', () => {
  const before = new Map([
    ['a', '1'],
    ['b', '2'],
    ['c', '3'],
  ]);
  const after = new Map([
    ['a', '1'],
    ['b', '9'],
    ['d', '4'],
  ]);
  expect(changedFiles(before, after)).toEqual({ changed: ['b', 'd'], removed: ['c'] });
});

function file(change: (text: string) => string = (text) => text) {
  const text = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop-1
  annotations: {mayfly.dev/installation: i, mayfly.dev/incarnation: "3"}
spec:
  project: default
  destination: {name: default, namespace: preview-shop-1}
  source: {repoURL: "https://x/y.git", targetRevision: ${'a'.repeat(40)}}
`;
  return readBranchFile({
    slug: 'shop-1',
    text: change(text),
    installation: 'i',
    agent: 'default',
    namespacePrefix: 'preview-',
  });
}

test.each<[string, (text: string) => string, string]>([
  ['a file of ours', (text) => text, 'wanted'],
  ['another installation’s', (text) => text.replace('installation: i', 'installation: j'), 'foreign'],
  ['one without an incarnation', (text) => text.replace(', mayfly.dev/incarnation: "3"', ''), 'foreign'],
  ['another agent’s', (text) => text.replace('name: default, n', 'name: west, n'), 'elsewhere'],
  ['one of another name', (text) => text.replace('name: shop-1', 'name: shop-2'), 'refused'],
  ['one for another namespace', (text) => text.replace('preview-shop-1', 'kube-system'), 'refused'],
  ['no Application', () => 'a: b\n', 'unreadable'],
  ['no YAML', () => '{', 'unreadable'],
])('%s', (_, change, kind) => {
  expect(file(change).kind).toBe(kind);
});
