import { expect, test } from 'vitest';
import { compileGlob } from '../../../src/agent/source/match-glob.js';

test.each([
  // A star takes slashes too, as in Argo CD.
  ['*.yaml', 'a.yaml', true],
  ['*.yaml', 'deep/er/a.yaml', true],
  ['*.yaml', 'a.yml', false],
  ['**/a.yaml', 'deep/a.yaml', true],
  ['config/*', 'config/x/y.json', true],
  ['config/*', 'other/x.json', false],
  ['{*.yml,*.yaml}', 'a.yml', true],
  ['{*.yml,*.yaml}', 'a.json', false],
  ['{a,b{c,d}}.yaml', 'bd.yaml', true],
  ['{a,b{c,d}}.yaml', 'b.yaml', false],
  ['?.yaml', 'a.yaml', true],
  ['?.yaml', 'ab.yaml', false],
  ['[a-c]x', 'bx', true],
  ['[!a-c]x', 'bx', false],
  ['[!a-c]x', 'dx', true],
  ['\\*.yaml', '*.yaml', true],
  ['\\*.yaml', 'a.yaml', false],
  ['*a*b', 'xxaxxbxxb', true],
  ['', '', true],
])('%s on %s: %s', (pattern, path, expected) => {
  expect(compileGlob(pattern)?.(path)).toBe(expected);
});

test.each([['{a'], ['[a'], ['\\'], ['x'.repeat(1_001)], ['{a,b}'.repeat(7)]])('%s is no pattern', (pattern) => {
  expect(compileGlob(pattern)).toBeNull();
});

test('a pattern that would take a backtracking matcher for ever is judged at once', () => {
  expect(compileGlob('*a'.repeat(400))?.(`${'a'.repeat(3_000)}b`)).toBe(false);
});
