import { expect, test } from 'vitest';
import { manifestDocuments } from '../../../src/agent/source/manifest-documents.js';

function parse(text: string): unknown[] {
  return manifestDocuments('a.yaml', text);
}

const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';

test('YAML is read as Kubernetes’ own tools read it', () => {
  const [object] = parse(`${head}mode: 0644\nflag: yes\nquoted: "yes"\nday: 2026-01-02\ntime: 12:30:45\nbig: 1e3\n`);
  expect(object).toMatchObject({
    mode: 420,
    flag: true,
    quoted: 'yes',
    day: '2026-01-02',
    time: '12:30:45',
    big: 1000,
  });
});

test('documents, comments between them and merge keys', () => {
  const text = `# first\n---\n${head}---\n---\n${head.replace('a}', 'b}')}base: &base {k: v}\nmerged:\n  <<: *base\n  l: w\n...\n`;
  const objects = parse(text);
  expect(objects).toHaveLength(2);
  expect(objects[1]).toMatchObject({ metadata: { name: 'b' }, merged: { k: 'v', l: 'w' } });
});

test('a large file and modest aliases are read', () => {
  const list = `[${'1,'.repeat(20_000)}]`;
  expect(parse(`${head}list: ${list}\ntext: ${'x'.repeat(500_000)}\n`)).toHaveLength(1);
  const [object] = parse(`${head}a: &a ${'x'.repeat(2_000)}\nb: [${'*a,'.repeat(50)}]\n`);
  expect(object).toMatchObject({ b: Array.from({ length: 50 }, () => 'x'.repeat(2_000)) });
});

test('JSON', () => {
  expect(parse('{"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}}')).toHaveLength(1);
  expect(parse('')).toEqual([]);
});

test.each([
  ['no YAML', 'a: [1, 2\n', 'a.yaml'],
  ['a key twice', `${head}data: {a: b, a: c}\n`, 'unique'],
  ['a scalar', 'hello\n', 'no apiVersion or kind'],
  ['a list of objects', `- ${JSON.stringify({ apiVersion: 'v1', kind: 'Pod' })}\n`, 'no apiVersion or kind'],
  ['no name', 'apiVersion: v1\nkind: Pod\n', 'no metadata.name'],
  ['a label that is no string', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {v: 1}}\n', 'in quotes'],
  ['a namespace that is no string', 'apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: 5}\n', 'namespace'],
  [
    'a bomb of aliases',
    `${head}a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(20)}]\nc: &c [${'*b,'.repeat(20)}]\nd: [${'*c,'.repeat(20)}]\n`,
    'aliases',
  ],
  ['few aliases of a long text', `${head}a: &a ${'x'.repeat(200_000)}\nb: [${'*a,'.repeat(90)}]\n`, 'aliases'],
  [
    'few aliases of a large map',
    `${head}a: &a {${Array.from({ length: 10_000 }, (_, index) => `k${index}: 1`).join(', ')}}\nb: [${'*a,'.repeat(90)}]\n`,
    'aliases',
  ],
])('%s is refused with the file’s name', (_, text, word) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code: 'source-invalid' }));
  expect(() => parse(text)).toThrow('a.yaml');
  expect(() => parse(text)).toThrow(word);
});

test.each([
  ['lists in one another', '['.repeat(250_000)],
  ['maps in one another', '{a: '.repeat(250_000)],
  ['lists after maps', '[{a: '.repeat(1_000)],
  ['items in one another', '- '.repeat(250_000)],
  ['keys in one another', '? '.repeat(250_000)],
  ['items with anchors in one another', '- &a '.repeat(100_000)],
  ['maps on one line', 'a: '.repeat(100_000)],
  ['lines ever further to the right', Array.from({ length: 1_000 }, (_, depth) => `${' '.repeat(depth)}a:\n`).join('')],
  ['an open list in another document', `${head}---\n${'['.repeat(5_000)}`],
])('%s are refused before the parser sees them', (_, text) => {
  expect(() => parse(text)).toThrow('nest too deep');
});

test.each([
  ['a list on one line', `${head}a: [${'1,'.repeat(400_000)}]\n`],
  ['a list of lines', `${head}a:\n${'- 1\n'.repeat(200_000)}`],
  ['lists in lists', `${head}a:\n${`${'- '.repeat(90)}1\n`.repeat(4_000)}`],
  ['empty maps', `${head}a: [${'{},'.repeat(300_000)}]\n`],
  ['documents', '---\na: 1\n'.repeat(100_000)],
])('%s of too many values is refused before the parser sees it', (_, text) => {
  expect(() => parse(text)).toThrow('more values than a preview needs');
});

test('what only looks like many values is read', () => {
  const script = '    say, "all: these" - {and, [more]}\n'.repeat(30_000);
  expect(parse(`${head}data:\n  script: |\n${script}`)).toHaveLength(1);
});

test('what only looks deep is read', () => {
  const text = `${head}data:\n  script: |\n    ${'[ {'.repeat(500)}\n${' '.repeat(300)}- far\n  quoted: "${'['.repeat(500)}"\n  # ${'{'.repeat(500)}\n`;
  expect(parse(text)).toHaveLength(1);
  const deepest = `${head}a: ${'['.repeat(90)}${']'.repeat(90)}\n`;
  expect(parse(deepest)).toHaveLength(1);
});
