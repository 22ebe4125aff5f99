import { existsSync } from 'node:fs';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRenderers } from '../../src/renderers/renderers.js';
import { programLimits } from '../../src/renderers/run-program.js';
import { withWorkspace } from '../../src/renderers/workspace.js';
import { temporaryFolder } from '../support/git-client.js';
import { until } from '../support/until.js';

let folder: { path: string; remove: () => Promise<void> };
const work = () => join(folder.path, 'work');

beforeAll(async () => {
  folder = await temporaryFolder('programs');
});
afterAll(() => folder.remove());

/** A program of this name that does what the script says; it runs on this Node, for there is nothing on its PATH. */
async function program(name: string, script: string): Promise<string> {
  const path = join(folder.path, name);
  await writeFile(path, `#!${process.execPath}\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

async function run(
  script: string,
  limits: Partial<typeof programLimits> = {},
  signal: AbortSignal = new AbortController().signal,
  prlimit?: readonly string[],
): Promise<string> {
  const kustomize = await program(`kustomize-${Math.abs(hash(script))}`, script);
  const renderers = createRenderers({
    programs: { kustomize, searchPath: '' },
    directory: work(),
    limits: { ...programLimits, memoryBytes: 4 * 1024 ** 3, ...limits },
    ...(prlimit === undefined ? {} : { prlimit }),
  });
  const files = [{ path: 'app/kustomization.yaml', content: new TextEncoder().encode('{}') }];
  return renderers.kustomize({ files, directory: 'app', signal });
}

function hash(text: string): number {
  return [...text].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) | 0, 7);
}

test('a program sees its arguments, its files and an environment that holds nothing of ours', async () => {
  process.env.MAYFLY_TEST_SECRET = 'do-not-tell';
  const script = `const fs = require('node:fs');
    console.log(JSON.stringify({ args: process.argv.slice(2), env: process.env, files: fs.readdirSync('app'),
      path: fs.readdirSync(process.env.PATH), cwd: process.cwd() }));`;
  const { args, env, files, path, cwd } = JSON.parse(await run(script));
  delete process.env.MAYFLY_TEST_SECRET;
  expect(args).toEqual(['build', '--load-restrictor=LoadRestrictionsRootOnly', './app']);
  expect(JSON.stringify(env)).not.toContain('do-not-tell');
  expect(env.HOME.startsWith(work())).toBe(true);
  expect(cwd.startsWith(work())).toBe(true);
  expect(env.HTTPS_PROXY).toBe('http://127.0.0.1:9');
  expect(files).toEqual(['kustomization.yaml']);
  expect(path).toEqual([]);
  expect(await readdir(work())).toEqual([]);
});

test.each([
  ['endless output', "for (;;) require('node:fs').writeSync(1, 'x'.repeat(65536))", {}, 'source-too-large', 'bytes'],
  [
    'endless complaints',
    "for (;;) require('node:fs').writeSync(2, 'x'.repeat(65536))",
    { outputBytes: 1024 * 1024 },
    'source-too-large',
    'bytes',
  ],
  ['no end', 'setInterval(() => {}, 1000)', { timeoutMs: 300 }, 'source-render-timeout', '0.3 s'],
  ['a failure', "console.error('no such colour'); process.exit(3)", {}, 'source-render-failed', 'no such colour'],
  ['a silent failure', 'process.exit(1)', {}, 'source-render-failed', 'kustomize says'],
  [
    'a failure that shows a path',
    "console.error(process.cwd() + '/app: broken'); process.exit(1)",
    {},
    'source-render-failed',
    'says: app: broken',
  ],
])('a program with %s is ended and told', async (_, script, limits, code, word) => {
  const failure: unknown = await run(script, limits).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code, disposition: 'stall', publicMessage: expect.stringContaining(word) });
  expect(String(failure)).not.toContain(work());
  expect(await readdir(work())).toEqual([]);
});

const limited = existsSync('/usr/bin/prlimit') || existsSync('/bin/prlimit');
test.skipIf(!limited)('a program gets no more memory than it may have', async () => {
  const progress = join(folder.path, 'progress');
  const script = `const all = [];
    for (;;) {
      all.push(Buffer.alloc(16 * 1024 * 1024, 1));
      require('node:fs').writeFileSync(${JSON.stringify(progress)}, String(all.length * 16));
    }`;
  await expect(run(script, { memoryBytes: 1024 ** 3 })).rejects.toMatchObject({ code: 'source-render-failed' });
  const mebibytes = Number(await readFile(progress, 'utf8'));
  expect(mebibytes).toBeGreaterThan(64);
  expect(mebibytes).toBeLessThan(1_024);
});

test('without prlimit a program that takes more memory is ended, and told so', async () => {
  const script = `const all = [];
    setInterval(() => all.length < 40 && all.push(Buffer.alloc(16 * 1024 * 1024, 1)), 20);`;
  const limits = { memoryBytes: 256 * 1024 ** 2, timeoutMs: 120_000 };
  await expect(run(script, limits, new AbortController().signal, [])).rejects.toMatchObject({
    code: 'source-too-large',
    publicMessage: expect.stringContaining('256 MiB of memory'),
  });
  // What is within its limit is left alone.
  const modest = 'const kept = Buffer.alloc(32 * 1024 * 1024, 1); setTimeout(() => console.log(kept.length), 400);';
  expect(await run(modest, limits, new AbortController().signal, [])).toBe('33554432\n');
});

test('what it started is ended with it', async () => {
  const file = join(folder.path, 'pid');
  const script = `const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
    require('node:fs').writeFileSync(${JSON.stringify(file)}, String(child.pid));
    setInterval(() => {}, 1000);`;
  await expect(run(script, { timeoutMs: 1_500 })).rejects.toMatchObject({ code: 'source-render-timeout' });
  const pid = Number(await readFile(file, 'utf8'));
  await until('the child is gone', async () => !isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

test('it ends when nobody wants its answer any more', async () => {
  const control = new AbortController();
  const running = run('setInterval(() => {}, 1000)', {}, control.signal);
  control.abort(new DOMException('superseded', 'AbortError'));
  await expect(running).rejects.toMatchObject({ name: 'AbortError' });
});

test('no file is written outside of the workspace', async () => {
  const content = new Uint8Array();
  for (const path of ['../x', 'a/../../x', '..']) {
    await expect(withWorkspace(work(), [{ path, content }], async () => 'never')).rejects.toThrow('outside');
  }
  const twice = [
    { path: 'a', content },
    { path: './a', content },
  ];
  await expect(withWorkspace(work(), twice, async () => 'never')).rejects.toMatchObject({ code: 'EEXIST' });
  expect(await readdir(work())).toEqual([]);
});

test('no more programs run at once than may', async () => {
  const script = "setTimeout(() => console.log('done'), 50)";
  const kustomize = await program('slow', script);
  let most = 0;
  const renderers = createRenderers({ programs: { kustomize, searchPath: '' }, directory: work(), concurrency: 2 });
  const signal = new AbortController().signal;
  const watch = setInterval(async () => {
    most = Math.max(most, (await readdir(work())).length);
  }, 5);
  await Promise.all(Array.from({ length: 6 }, () => renderers.kustomize({ files: [], directory: '', signal })));
  clearInterval(watch);
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(2);
});
