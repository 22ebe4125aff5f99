import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { isAppError } from '../../src/error/app-error.js';

/** Writes a file into a folder of its own that goes with the test. */
export async function temporaryFile(name: string, content: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mayfly-config-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

/** The lines of a refusal, each without the path of the file: `3:10 gitlab.token: missing. Add it.` */
export async function refusal(loading: Promise<unknown>): Promise<string[]> {
  const error: unknown = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isAppError(error, 'config-invalid')) throw new Error('the configuration was not refused', { cause: error });
  return error.publicMessage
    .split('\n  ')
    .slice(1)
    .map((line) => line.replace(/^\S*\.yaml:/, ''));
}

export const environment = { GITLAB_TOKEN: 'glpat-0123456789', AGENT_TOKEN: 'agent-token-0123456789' };

/** The least that `mayfly.yaml` must hold. */
export const least = `gitlab:
  url: https://gitlab.example.com
  token: \${GITLAB_TOKEN}
  webhookSecret: hook-secret
branch:
  repository: https://gitlab.example.com/platform/environments.git
publicUrl: https://mayfly.example.com
projects:
  - name: shop
    path: acme/shop
agents:
  - name: default
    token: \${AGENT_TOKEN}
`;
