import { readdirSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { afterEach, expect, test } from 'vitest';
import { createParser, type Parser, type ParserOptions } from '../../src/agent/parser.js';
import type { ParseRequest } from '../../src/agent/source/parse-documents.js';

const head = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n';
const plain = `${head}data: {a: b}\n`;
/** Costs the parser a second and more. */
const slow = `${head}a: [${`${'['.repeat(20)}${']'.repeat(20)},`.repeat(6_000)}]\n`;

const never = new AbortController().signal;
const parsers: Parser[] = [];

function parserOf(options: ParserOptions): Parser {
  const parser = createParser(options);
  parsers.push(parser);
  return parser;
}

function manifests(...texts: string[]): ParseRequest {
  return { as: 'manifests', files: texts.map((text, index) => ({ path: `${index}.yaml`, text })) };
}

afterEach(async () => {
  for (const parser of parsers.splice(0)) await parser.close();
});

test('a thread reads the same as this one, one request after the other', async () => {
  const here = parserOf({});
  const apart = parserOf({ inlineLength: 0 });
  const request = manifests(plain, `${head}mode: 0644\n---\n${plain}`, '');
  const expected = await here.parse(request, never);
  expect(expected).toHaveLength(3);
  const answers = await Promise.all([1, 2, 3].map(() => apart.parse(request, never)));
  for (const answer of answers) expect(answer).toEqual(expected);
});

test('a refusal names the file, and the thread goes on', async () => {
  const parser = parserOf({ inlineLength: 0 });
  await expect(parser.parse(manifests(plain, 'a: [\n'), never)).rejects.toMatchObject({
    code: 'source-invalid',
    disposition: 'stall',
    publicMessage: expect.stringContaining('1.yaml'),
  });
  expect(await parser.parse(manifests(plain), never)).toHaveLength(1);
});

test('a large source does not hold up this thread', async () => {
  const parser = parserOf({ timeoutMs: 120_000 });
  const delays = monitorEventLoopDelay({ resolution: 5 });
  const cpu = process.cpuUsage();
  delays.enable();
  const [manifest] = (await parser.parse(manifests(slow), never)) as { a: unknown[] }[];
  delays.disable();
  expect(manifest?.a).toHaveLength(6_000);
  const spentMs = process.cpuUsage(cpu).user / 1_000;
  // What it took was spent elsewhere: the loop was never away for as much as a half of it.
  expect(delays.max / 1e6).toBeLessThan(spentMs / 2);
});

test('what takes too long is ended with a clear word, and the next is read', async () => {
  const parser = parserOf({ timeoutMs: 200, inlineLength: 0 });
  await expect(parser.parse(manifests(slow), never)).rejects.toMatchObject({
    code: 'source-too-large',
    publicMessage: expect.stringMatching(/0\.yaml cannot be read: it takes more than 0\.2 s/),
  });
  const patient = parserOf({ inlineLength: 0, timeoutMs: 120_000 });
  expect(await patient.parse(manifests(plain), never)).toHaveLength(1);
});

test('what takes too much memory ends the thread and nothing else', async () => {
  const parser = parserOf({ memoryMb: 24, inlineLength: 1_000, timeoutMs: 120_000 });
  await expect(parser.parse(manifests(slow), never)).rejects.toMatchObject({
    code: 'source-too-large',
    publicMessage: expect.stringContaining('24 MiB'),
  });
  expect(await parser.parse(manifests(plain), never)).toHaveLength(1);
});

test('an abort ends it at once, and those that wait take their turn', async () => {
  const parser = parserOf({ inlineLength: 0, timeoutMs: 120_000 });
  const control = new AbortController();
  const first = parser.parse(manifests(slow, slow, slow), control.signal);
  const second = parser.parse(manifests(plain), never);
  control.abort(new DOMException('superseded', 'AbortError'));
  await expect(first).rejects.toMatchObject({ name: 'AbortError' });
  expect(await second).toHaveLength(1);
});

/** Of this process. */
const threads = () => readdirSync('/proc/self/task').length;

test('an idle thread ends', async () => {
  const parser = parserOf({ inlineLength: 0, idleMs: 500 });
  await parser.parse(manifests(plain), never);
  const before = threads();
  await expect.poll(threads).toBeLessThan(before);
  expect(await parser.parse(manifests(plain), never)).toHaveLength(1);
});
