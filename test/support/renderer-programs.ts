import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program that makes manifests is: as the environment says, or on PATH; null: its tests are skipped. */
function find(name: string, configured: string | undefined): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  for (const path of [configured, ...folders.map((folder) => join(folder, name))]) {
    if (path === undefined || path === '') continue;
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }
  return null;
}

export const kustomizePath = find('kustomize', process.env.TEST_KUSTOMIZE);
export const helmPath = find('helm', process.env.TEST_HELM);
