import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimDataDir } from '../../src/sandbox/claim-data-dir.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-claim-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

test('a folder has one sandbox at a time, and is free again when that ended', async () => {
  const first = await claimDataDir(join(folder, 'new'));
  await expect(claimDataDir(join(folder, 'new'))).rejects.toMatchObject({
    code: 'data-dir-in-use',
    publicMessage: expect.stringContaining(join(folder, 'new')),
  });
  await first.release();
  expect(await readdir(first.path)).toEqual([]);
  await (await claimDataDir(first.path)).release();
});

test('of several that start together one gets it', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => claimDataDir(folder)));
  const won = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  expect(won).toHaveLength(1);
  expect(await readdir(folder)).toEqual(['running']);
  for (const claimed of won) await claimed.release();
});

test('what a killed one left stands in nobody’s way, though another program has its port now', async () => {
  const taker = createServer((socket) => socket.end('something else'));
  await new Promise<void>((resolve) => taker.listen(0, '127.0.0.1', resolve));
  const { port } = taker.address() as AddressInfo;
  for (const left of [JSON.stringify({ port, word: 'mine' }), JSON.stringify({ port: 1, word: 'mine' }), '{', '']) {
    await writeFile(join(folder, 'running'), left);
    await (await claimDataDir(folder)).release();
  }
  await new Promise((resolve) => taker.close(resolve));
});

test('a path that is no folder is told in one sentence', async () => {
  await writeFile(join(folder, 'file'), '');
  for (const path of [join(folder, 'file'), join(folder, 'file', 'below')]) {
    await expect(claimDataDir(path)).rejects.toMatchObject({
      code: 'data-dir-unusable',
      publicMessage: expect.stringMatching(/cannot be used \((EEXIST|ENOTDIR)\)\. Give one/),
    });
  }
});
