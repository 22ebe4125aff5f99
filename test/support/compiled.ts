import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';

const source = fileURLToPath(new URL('../../src/', import.meta.url));
const cache = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url));

/**
 * JavaScript of some folders of `src`, for tests that need the code in a process of its own (to kill it).
 * It lies below node_modules, so that packages resolve. Answers its folder and how to remove it.
 */
export async function compileFolders(folders: string[]): Promise<{ folder: string; remove: () => Promise<void> }> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'mayfly-compiled-'));
  for (const name of folders) {
    for (const file of await readdir(join(source, name), { recursive: true })) {
      if (!file.endsWith('.ts')) continue;
      const { code } = await transform(await readFile(join(source, name, file), 'utf8'), {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'es6' },
      });
      const target = join(folder, name, file.replace(/\.ts$/, '.js'));
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, code);
    }
  }
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}
