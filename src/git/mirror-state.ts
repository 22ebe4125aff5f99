import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import { missingObjectError } from './git-errors.js';
import { type ObjectStore, openObjectStore } from './object-store.js';

/** What a mirror remembers across restarts, and where its objects lie. */
export interface MirrorState {
  head(branch: string): string | null;
  setHead(branch: string, oid: string): Promise<void>;
  /** Commits whose whole trees are here, the newest first. */
  complete(): string[];
  isComplete(oid: string): boolean;
  /** Notes a commit that was fetched while the copy was in its `round`; one of an earlier round is not noted. */
  addComplete(oid: string, round: number): Promise<void>;
  /** Counts up each time that the copy begins afresh. */
  round(): number;
  /** Where new objects go. */
  store(): ObjectStore;
  /** Commits without trees, for questions on ancestry. */
  historyStore(): Promise<ObjectStore>;
  /** Reads an object wherever it lies; rejects with `git-object-missing`. */
  read(oid: string): Promise<Buffer>;
  beginAfreshWhenLarge(): Promise<void>;
}

const stateSchema = z.object({
  url: z.string(),
  /** Folder of the objects, counted up each time that they begin afresh. */
  round: z.number().int(),
  heads: z.record(z.string(), z.string()),
  complete: z.array(z.string()),
});

type Stored = z.infer<typeof stateSchema>;

/** Complete commits that are remembered: what a fetch says it has. */
const maxComplete = 32;
/** Each push and each fetch leaves a pack, and a search looks through all of them. */
const maxPacks = 2000;

export async function openMirrorState(options: {
  directory: string;
  url: string;
  maxStoredBytes: number;
}): Promise<MirrorState> {
  await mkdir(options.directory, { recursive: true });
  let stored = await readStored(options.directory, options.url);
  const folder = (round: number) => join(options.directory, `objects-${round}`);
  await removeOthers(options.directory, stored.round);
  let current = await openObjectStore(folder(stored.round));
  // Whoever is reading while the copy begins afresh finds its objects here.
  let previous: ObjectStore | null = null;
  let history: Promise<ObjectStore> | null = null;
  let saving: Promise<void> = Promise.resolve();

  /** What is remembered changes at once; the file follows, one writer after the other. */
  function save(next: Stored): Promise<void> {
    stored = next;
    saving = saving.catch(() => undefined).then(() => writeStored(options.directory, stored));
    return saving;
  }

  const withComplete = (oid: string) => [oid, ...stored.complete.filter((each) => each !== oid)].slice(0, maxComplete);

  async function read(oid: string): Promise<Buffer> {
    for (const store of [current, previous, await history]) {
      try {
        if (store !== null) return await store.read(oid);
      } catch (error) {
        if (!isAppError(error, 'git-object-missing')) throw error;
      }
    }
    throw missingObjectError(oid);
  }

  async function beginAfreshWhenLarge(): Promise<void> {
    const { packs, bytes } = current.size();
    if (packs < maxPacks && bytes < options.maxStoredBytes) return;
    const round = stored.round + 1;
    const fresh = await openObjectStore(folder(round));
    // Two may have found it large at once.
    if (stored.round >= round) return;
    stored = { ...stored, round, heads: {}, complete: [] };
    const oldest = previous;
    previous = current;
    current = fresh;
    if (oldest !== null) await rm(oldest.directory, { recursive: true, force: true });
    await save(stored);
  }

  return {
    head: (branch) => stored.heads[branch] ?? null,
    setHead: (branch, oid) =>
      save({ ...stored, heads: { ...stored.heads, [branch]: oid }, complete: withComplete(oid) }),
    complete: () => stored.complete,
    isComplete: (oid) => stored.complete.includes(oid),
    addComplete: async (oid, round) => {
      if (round === stored.round) await save({ ...stored, complete: withComplete(oid) });
    },
    round: () => stored.round,
    store: () => current,
    historyStore: () => {
      history ??= openObjectStore(join(options.directory, 'history'));
      return history;
    },
    read,
    beginAfreshWhenLarge,
  };
}

/** What was stored for this address; a copy of another repository, or a damaged one, is not used. */
async function readStored(directory: string, url: string): Promise<Stored> {
  const fresh: Stored = { url, round: Date.now(), heads: {}, complete: [] };
  const text = await readFile(join(directory, 'mirror.json'), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const stored = stateSchema.safeParse(parsed);
  return stored.success && stored.data.url === url ? stored.data : fresh;
}

async function writeStored(directory: string, stored: Stored): Promise<void> {
  const file = join(directory, 'mirror.json');
  await writeFile(`${file}.new`, JSON.stringify(stored));
  await rename(`${file}.new`, file);
}

async function removeOthers(directory: string, round: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const old = (name.startsWith('objects-') && name !== `objects-${round}`) || name === 'history';
    if (old) await rm(join(directory, name), { recursive: true, force: true });
  }
}
