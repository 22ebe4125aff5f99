import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Manifest } from '../../src/agent/manifest.js';
import { openRendered } from '../../src/agent/rendered.js';
import { temporaryFolder } from '../support/git-client.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder('rendered');
});
afterEach(() => folder.remove());

const log = pino({ level: 'silent' });
const manifests = (data: string): Manifest[] => [
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data: { data } },
];

function open(options: { memoryBytes?: number; diskBytes?: number } = {}) {
  const directory = join(folder.path, 'kept');
  return openRendered({ directory, memoryBytes: 1_000_000, diskBytes: 1_000_000, log, ...options });
}

test('what was kept is found again, by the same key, by another agent as well', async () => {
  const rendered = open();
  await rendered.remember('one', manifests('1'));
  expect(await rendered.recall('one')).toEqual(manifests('1'));
  expect(await rendered.recall('two')).toBeNull();
  expect(await open().recall('one')).toEqual(manifests('1'));
  const [name = ''] = await readdir(join(folder.path, 'kept'));
  expect((await stat(join(folder.path, 'kept', name))).mode & 0o777).toBe(0o600);
});

test('a file that a crash cut short is made again', async () => {
  await open().remember('one', manifests('1'));
  const [name = ''] = await readdir(join(folder.path, 'kept'));
  const file = join(folder.path, 'kept', name);
  await writeFile(file, (await readFile(file, 'utf8')).slice(0, 20));
  expect(await open().recall('one')).toBeNull();
});

test('on disk, what was used least lately goes first', async () => {
  const rendered = open({ memoryBytes: 0, diskBytes: 3_000 });
  for (const key of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await rendered.remember(key, manifests(key.repeat(700)));
  }
  expect(await rendered.recall('a')).toBeNull();
  expect(await rendered.recall('f')).toEqual(manifests('f'.repeat(700)));
});

test('in memory too, and what is kept nowhere fails nobody', async () => {
  await writeFile(join(folder.path, 'kept'), 'no folder');
  const rendered = open({ memoryBytes: 2_000 });
  for (const key of ['a', 'b', 'c']) await rendered.remember(key, manifests(key.repeat(700)));
  expect(await rendered.recall('c')).toEqual(manifests('c'.repeat(700)));
  expect(await rendered.recall('a')).toBeNull();
});
