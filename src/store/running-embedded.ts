import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { embeddedUrl } from './embedded-url.js';
import { readPostmaster } from './postmaster.js';

/** Connection URL, with the password, of the embedded server that a manager runs under `dataDir`; null when none runs. */
export async function runningEmbedded(dataDir: string): Promise<string | null> {
  const root = join(resolve(dataDir), 'postgres');
  const { port } = (await readPostmaster(join(root, 'data'))) ?? {};
  if (port === undefined) return null;
  return embeddedUrl({ port, password: (await readFile(join(root, 'password'), 'utf8')).trim() });
}
