import { describe, expect, test } from 'vitest';
import { maxFileBytes, parseDocuments } from '../../src/application/parse.js';
import { isAppError } from '../../src/error/app-error.js';

function faultOf(text: string): { code: string; line: unknown } {
  try {
    parseDocuments(text);
  } catch (error) {
    if (isAppError(error)) {
      return { code: error.code, line: error.data.line };
    }
    throw error;
  }
  return { code: 'none', line: null };
}

describe('what is read', () => {
  test.each([
    ['', []],
    ['# only a comment\n', []],
    ['---\n---\na: 1\n', [{ a: 1 }]],
    ['a: 1\n---\n- x\n', [{ a: 1 }, ['x']]],
    ['a: yes\nb: 0x10\nc: 1e3\nd: 2001-01-01\ne: ~\n', [{ a: 'yes', b: 16, c: 1000, d: '2001-01-01', e: null }]],
    ['a: &x {k: v}\nb: *x\n', [{ a: { k: 'v' }, b: { k: 'v' } }]],
    ['<<: {a: 1}\n', [{ '<<': { a: 1 } }]],
    ['constructor: x\n', [{ constructor: 'x' }]],
  ])('%j', (text, documents) => {
    expect(parseDocuments(text)).toEqual(documents);
  });
});

describe('what is refused', () => {
  const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level += 1) {
    const [from, to] = [String.fromCharCode(96 + level), String.fromCharCode(97 + level)];
    bomb.push(`${to}: &${to} [${Array(9).fill(`*${from}`).join(', ')}]`);
  }
  test.each([
    ['a mapping that does not end', 'a: {b: 1\nc: 2\n', 'application-not-yaml', expect.any(Number)],
    ['a key twice', 'a: 1\nb: 2\na: 3\n', 'application-not-yaml', 3],
    ['a tag of a program', 'a: 1\nb: !!js/function "x"\n', 'application-not-yaml', 2],
    ['a tag of its own', 'b: !env X\n', 'application-not-yaml', 1],
    ['a key that is a number', 'a: 1\n2: x\n', 'application-not-yaml', 2],
    ['a key that is a list', '? [a]\n: x\n', 'application-not-yaml', 1],
    ['__proto__', 'a:\n  __proto__: {b: 1}\n', 'application-not-yaml', 2],
    ['an infinite number', 'a: .inf\n', 'application-not-yaml', 1],
    ['no number', 'a: .nan\n', 'application-not-yaml', 1],
    ['an alias of nothing', 'a: *x\n', 'application-not-yaml', 1],
    ['an alias that holds itself', 'a: &a [*a]\n', 'application-not-yaml', 1],
    ['a bomb of aliases', bomb.join('\n'), 'application-not-yaml', 1],
    ['values that nest too deep', `${'['.repeat(200)}${']'.repeat(200)}`, 'application-not-yaml', 1],
    ['too large a file', `a: ${'x'.repeat(maxFileBytes)}`, 'application-too-large', undefined],
  ])('%s', (_, text, code, line) => {
    expect(faultOf(text)).toEqual({ code, line });
  });
});

test.each([['['], ['- '], ['? '], ['{a: '], ['a: '], ['- a: '], ['&a '], ['!a '], ['[{'], ['\t['], [': '], ['"']])(
  '%j without end is refused, and is no crash',
  (opening) => {
    for (const length of [1_000, 40_000]) {
      const text = `a: ${opening.repeat(Math.floor(length / opening.length))}`;
      expect(faultOf(text).code).toBe('application-not-yaml');
      expect(faultOf(text.slice(3)).code).toBe('application-not-yaml');
    }
  },
);

test('lines that indent ever more are refused, and are no crash', () => {
  const lines = Array.from({ length: 450 }, (_, depth) => `${' '.repeat(depth)}a:`);
  expect(faultOf(lines.join('\n')).code).toBe('application-not-yaml');
  expect(faultOf(lines.slice(0, 150).join('\n')).code).toBe('application-not-yaml');
  expect(faultOf(lines.slice(0, 50).join('\n')).code).toBe('none');
});
