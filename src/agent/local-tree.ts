import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SourceTree } from './source/checkout.js';

/**
 * A folder of this machine in place of a fetched commit, uncommitted changes included. Links are told as links, and
 * followed only inside the folder, as in a commit.
 */
export function openLocalTree(root: string): SourceTree & { fetchSha(): Promise<void> } {
  const links = new Set<string>();
  return {
    fetchSha: async () => undefined,
    async readTree(_, path) {
      try {
        const entries = await readdir(join(root, path), { withFileTypes: true });
        return entries
          .filter((entry) => path !== '' || entry.name !== '.git')
          .map((entry) => {
            const oid = join(root, path, entry.name);
            if (entry.isSymbolicLink()) links.add(oid);
            const mode = entry.isDirectory() ? '040000' : entry.isSymbolicLink() ? '120000' : '100644';
            return { name: entry.name, mode, oid };
          });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return null;
        throw error;
      }
    },
    readBlob: async (oid) => (links.has(oid) ? Buffer.from(await readlink(oid)) : readFile(oid)),
  };
}
