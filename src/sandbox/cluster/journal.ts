import { appendFile, mkdir, open, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import { isObject, type KubeObject } from './object.js';
import type { Change, Store } from './store.js';
import type { AppliedSets, Stored } from './stored.js';

/** One line of the file: an object as it was put, or the key of one that was removed. */
type Line = { r: number; s: string; o: KubeObject; a: AppliedSets } | { r: number; s: string; ns: string; n: string };

export interface SavedState {
  revision: number;
  entries: Stored[];
}

/**
 * Reads the state that an earlier start left. A missing file is an empty cluster; a last line that was cut off by a
 * crash is dropped.
 */
export async function readJournal(file: string): Promise<SavedState> {
  const entries = new Map<string, Stored>();
  let revision = 0;
  for await (const line of linesOf(file)) {
    revision = Math.max(revision, line.r);
    if ('o' in line) {
      const { namespace = '', name } = line.o.metadata;
      entries.set(`${line.s}/${namespace}/${name}`, { storage: line.s, object: line.o, applied: line.a });
    } else {
      entries.delete(`${line.s}/${line.ns}/${line.n}`);
    }
  }
  return { revision, entries: [...entries.values()] };
}

async function* linesOf(file: string): AsyncGenerator<Line> {
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(file);
  } catch (error) {
    if (isObject(error) && error.code === 'ENOENT') return;
    throw error;
  }
  for await (const text of createInterface({ input: handle.createReadStream(), crlfDelay: Number.POSITIVE_INFINITY })) {
    const line = parseLine(text);
    if (line !== undefined) yield line;
  }
}

/** Undefined for a line that was cut off. */
function parseLine(text: string): Line | undefined {
  try {
    return JSON.parse(text) as Line;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Appends each change to the file, in order, many per write; the cost does not grow with what is stored. The file is
 * written anew, compacted, at each start.
 */
export async function followStore(
  store: Store,
  saved: SavedState,
  file: string,
  log: Logger,
): Promise<{ close(): Promise<void> }> {
  await mkdir(dirname(file), { recursive: true });
  await compact(saved, file);
  let pending: string[] = [];
  let writing: Promise<void> | undefined;

  async function flush(): Promise<void> {
    while (pending.length > 0) {
      const batch = pending.join('');
      pending = [];
      await appendFile(file, batch);
    }
  }
  const unsubscribe = store.subscribe((change) => {
    pending.push(`${JSON.stringify(lineOf(store, change))}\n`);
    writing ??= flush()
      .catch((error: unknown) =>
        log.error({ err: error, file }, 'the state of the cluster stand-in could not be saved'),
      )
      .finally(() => {
        writing = undefined;
      });
  });
  return {
    async close() {
      unsubscribe();
      await writing;
      await flush();
    },
  };
}

async function compact({ revision, entries }: SavedState, file: string): Promise<void> {
  const lines = entries.map((entry): Line => ({ r: revision, s: entry.storage, o: entry.object, a: entry.applied }));
  // It holds Secrets: for its owner alone.
  await writeFile(`${file}.new`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''), { mode: 0o600 });
  await rename(`${file}.new`, file);
}

function lineOf(store: Store, change: Change): Line {
  const { namespace = '', name } = change.object.metadata;
  if (change.type === 'DELETED') return { r: change.revision, s: change.storage, ns: namespace, n: name };
  return { r: change.revision, s: change.storage, o: change.object, a: store.applied(change.storage, namespace, name) };
}
