import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../log/create-logger.js';
import type { Manifest } from './manifest.js';

export interface RenderedOptions {
  directory: string;
  /** Of parsed manifests in memory. */
  memoryBytes: number;
  /** Of files on disk; those that were used least lately are removed first. */
  diskBytes: number;
  log: Logger;
}

/** What sources yielded, kept across restarts, so that a preview can be repaired while its repository is away. */
export interface Rendered {
  recall(key: string): Promise<Manifest[] | null>;
  remember(key: string, manifests: readonly Manifest[]): Promise<void>;
}

export function openRendered(options: RenderedOptions): Rendered {
  const memory = createMemory(options.memoryBytes);
  let writes = 0;
  /** Of all files; null until the folder was looked at. */
  let stored: number | null = null;
  const fileOf = (key: string) => join(options.directory, `${createHash('sha256').update(key).digest('hex')}.json`);

  async function readBack(key: string): Promise<Manifest[] | null> {
    const file = fileOf(key);
    try {
      const text = await readFile(file, 'utf8');
      const { key: kept, manifests } = JSON.parse(text) as { key: string; manifests: Manifest[] };
      if (kept !== key || !Array.isArray(manifests)) return null;
      const now = new Date();
      await utimes(file, now, now);
      memory.keep(key, manifests, text.length);
      return manifests;
    } catch (error) {
      // Not there, removed in between, or cut short by a crash: it is made again.
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR' || error instanceof SyntaxError) return null;
      throw error;
    }
  }

  return {
    recall: async (key) => memory.find(key) ?? (await readBack(key)),
    async remember(key, manifests) {
      const text = JSON.stringify({ key, manifests });
      memory.keep(key, manifests, text.length);
      const file = fileOf(key);
      try {
        if (stored === null) {
          await mkdir(options.directory, { recursive: true, mode: 0o700 });
          stored = await sweep(options.directory, options.diskBytes);
        }
        // It may hold secrets of previews, as the repositories beside it do.
        writes += 1;
        // A name of its own: the same may be made twice at once.
        const fresh = `${file}.${process.pid}-${writes}.new`;
        await writeFile(fresh, text, { mode: 0o600 });
        await rename(fresh, file);
        stored += Buffer.byteLength(text);
        // Well below the limit, so that not each further file makes another round.
        if (stored > options.diskBytes) stored = await sweep(options.directory, options.diskBytes * 0.8);
      } catch (error) {
        options.log.warn({ err: error }, 'what a source yielded could not be kept on disk');
      }
    },
  };
}

/** Parsed manifests that were used last; a Map remembers the order of insertion. */
function createMemory(maxBytes: number) {
  const entries = new Map<string, { manifests: Manifest[]; bytes: number }>();
  let kept = 0;
  return {
    find(key: string): Manifest[] | null {
      const known = entries.get(key);
      if (known === undefined) return null;
      entries.delete(key);
      entries.set(key, known);
      return known.manifests;
    },
    keep(key: string, manifests: readonly Manifest[], bytes: number): void {
      if (entries.has(key) || bytes > maxBytes) return;
      entries.set(key, { manifests: [...manifests], bytes });
      kept += bytes;
      for (const [oldest, entry] of entries) {
        if (kept <= maxBytes) break;
        entries.delete(oldest);
        kept -= entry.bytes;
      }
    },
  };
}

/** Removes what was used least lately until the rest is small enough; answers the size of that. */
async function sweep(directory: string, maxBytes: number): Promise<number> {
  const names = await readdir(directory);
  const files = (await Promise.all(names.map((name) => lookAt(directory, name)))).flat();
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  for (const { name, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (bytes <= maxBytes) break;
    await rm(join(directory, name), { force: true });
    bytes -= size;
  }
  return bytes;
}

/** Nothing for a file that was given its final name, or was removed, in between. */
async function lookAt(directory: string, name: string): Promise<{ name: string; size: number; mtimeMs: number }[]> {
  try {
    const { size, mtimeMs } = await stat(join(directory, name));
    return [{ name, size, mtimeMs }];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
