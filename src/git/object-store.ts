import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import git from 'isomorphic-git';
import { missingObjectError, protocolError } from './git-errors.js';
import type { GitObject } from './git-object.js';
import { encodeIndex, encodePack } from './pack-file.js';

/** Objects of one bare repository on disk. */
export interface ObjectStore {
  directory: string;
  /** Content of an object; rejects with `git-object-missing`. */
  read(oid: string): Promise<Buffer>;
  has(oid: string): Promise<boolean>;
  /** Takes in a pack as a server sent it, after its names were computed afresh. */
  addPack(pack: Buffer): Promise<void>;
  /** Keeps objects in memory, as far as there is room. */
  remember(objects: readonly GitObject[]): void;
  /** Takes in objects that were made here. */
  addObjects(objects: readonly GitObject[]): Promise<void>;
  /** How much has gathered here: what the decision to begin afresh rests on. */
  size(): { packs: number; bytes: number };
}

/** Bytes of contents kept in memory; a tree of 10,000 files is 400 kB. */
const memoryBytes = 16 * 1024 * 1024;

export async function openObjectStore(directory: string): Promise<ObjectStore> {
  const packs = join(directory, 'objects', 'pack');
  await git.init({ fs, gitdir: directory, bare: true, defaultBranch: 'main' });
  await mkdir(packs, { recursive: true });
  const cache = {};
  const memory = createMemory(memoryBytes);
  const gathered = await measure(packs);

  async function read(oid: string): Promise<Buffer> {
    const known = memory.get(oid);
    if (known !== undefined) return known;
    const object = await git
      .readObject({ fs, gitdir: directory, cache, oid, format: 'content' })
      .catch((error: unknown) => {
        if ((error as { code?: unknown }).code === 'NotFoundError') throw missingObjectError(oid);
        throw error;
      });
    const content = Buffer.from(object.object as Uint8Array);
    memory.set(oid, content);
    return content;
  }

  async function has(oid: string): Promise<boolean> {
    return read(oid).then(
      () => true,
      (error: unknown) => {
        if ((error as { code?: unknown }).code === 'git-object-missing') return false;
        throw error;
      },
    );
  }

  async function addPack(pack: Buffer): Promise<void> {
    if (await takeInPack({ directory, packs, cache }, pack)) count(pack.length);
  }

  function count(bytes: number): void {
    gathered.packs += 1;
    gathered.bytes += bytes;
  }

  async function addObjects(objects: readonly GitObject[]): Promise<void> {
    if (objects.length === 0) return;
    const file = encodePack(objects);
    const path = join(packs, `pack-${file.checksum}`);
    // Readers find a pack by its index: that comes last, and at once.
    await Promise.all([writeFile(`${path}.pack`, file.pack), writeFile(`${path}.new`, encodeIndex(file))]);
    await rename(`${path}.new`, `${path}.idx`);
    count(file.pack.length);
  }

  function remember(objects: readonly GitObject[]): void {
    for (const object of objects) memory.set(object.oid, object.content);
  }

  return { directory, read, has, addPack, addObjects, remember, size: () => ({ ...gathered }) };
}

/** Checks, indexes and moves in a pack; false for one without objects. */
async function takeInPack(
  { directory, packs, cache }: { directory: string; packs: string; cache: object },
  pack: Buffer,
): Promise<boolean> {
  const trailer = pack.subarray(-20);
  const intact = pack.length >= 32 && createHash('sha1').update(pack.subarray(0, -20)).digest().equals(trailer);
  if (!intact) throw protocolError('the pack is damaged');
  if (pack.readUInt32BE(8) === 0) return false;
  // Indexed in a folder of its own: a reader must never meet a pack whose index is half written.
  const work = join(directory, `incoming-${randomUUID()}`);
  const name = `pack-${trailer.toString('hex')}`;
  await mkdir(work);
  try {
    await writeFile(join(work, `${name}.pack`), pack);
    await git.indexPack({ fs, dir: work, gitdir: directory, cache, filepath: `${name}.pack` });
    await rename(join(work, `${name}.pack`), join(packs, `${name}.pack`));
    await rename(join(work, `${name}.idx`), join(packs, `${name}.idx`));
    return true;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function measure(packs: string): Promise<{ packs: number; bytes: number }> {
  const names = (await readdir(packs)).filter((name) => name.endsWith('.pack'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(packs, name))).size));
  return { packs: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

interface Memory {
  get(oid: string): Buffer | undefined;
  set(oid: string, content: Buffer): void;
}

/** The most recently used contents, up to a number of bytes; a Map remembers the order of insertion. */
function createMemory(maxBytes: number): Memory {
  const kept = new Map<string, Buffer>();
  let bytes = 0;
  return {
    get: (oid) => {
      const content = kept.get(oid);
      if (content !== undefined) {
        kept.delete(oid);
        kept.set(oid, content);
      }
      return content;
    },
    set: (oid, content) => {
      if (content.length > maxBytes / 4 || kept.has(oid)) return;
      kept.set(oid, content);
      bytes += content.length;
      for (const [oldest, old] of kept) {
        if (bytes <= maxBytes) break;
        kept.delete(oldest);
        bytes -= old.length;
      }
    },
  };
}
