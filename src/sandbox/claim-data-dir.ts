import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { AppError } from '../error/app-error.js';

export interface ClaimedDataDir {
  /** Absolute. */
  path: string;
  /** Lets the next one in. */
  release(): Promise<void>;
}

const schema = z.object({ port: z.int().min(1).max(65_535), word: z.string() });

type Mark = z.infer<typeof schema>;

const answerMs = 2_000;

/**
 * Makes the folder and keeps it for this process: a second sandbox would write over the state of the first. The file
 * `running` names a port of 127.0.0.1 that answers with the file's own word for as long as its process lives, so that
 * one which was killed stands in nobody's way, whoever has its process number or its port now.
 *
 * Errors: `data-dir-in-use`, `data-dir-unusable`.
 */
export async function claimDataDir(dataDir: string): Promise<ClaimedDataDir> {
  const path = resolve(dataDir);
  const word = randomBytes(16).toString('hex');
  const server = createServer((socket) => socket.on('error', () => undefined).end(word));
  // It alone must not keep the process alive.
  server.unref();
  try {
    await makeFolder(path);
    await writeMark(path, { port: await listen(server), word });
  } catch (error) {
    await close(server);
    throw error;
  }
  return {
    path,
    async release() {
      await rm(join(path, 'running'), { force: true });
      await close(server);
    },
  };
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw unusable(path, error);
  }
}

/** Linked into place whole: of two that start together one finds the mark of the other. */
async function writeMark(folder: string, mark: Mark): Promise<void> {
  const file = join(folder, 'running');
  const draft = `${file}.${mark.word}`;
  try {
    await writeFile(draft, `${JSON.stringify(mark)}\n`, { mode: 0o600 });
  } catch (error) {
    throw unusable(folder, error);
  }
  try {
    for (let isFirst = true; !(await linked(draft, file)); isFirst = false) {
      const other = await readMark(file);
      if (!isFirst || (other !== null && (await wordAt(other.port)) === other.word)) throw inUse(folder);
      await rm(file, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
}

async function linked(draft: string, file: string): Promise<boolean> {
  try {
    await link(draft, file);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** null: none, or none that a sandbox has written. */
async function readMark(file: string): Promise<Mark | null> {
  try {
    return schema.safeParse(JSON.parse(await readFile(file, 'utf8'))).data ?? null;
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What a listener there says first; empty when nobody listens or speaks. */
function wordAt(port: number): Promise<string> {
  return new Promise((fulfil) => {
    let said = '';
    const socket = connect({ port, host: '127.0.0.1', timeout: answerMs });
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      said = (said + text).slice(0, 64);
    });
    socket.once('timeout', () => socket.destroy());
    socket.once('error', () => fulfil(''));
    socket.once('close', () => fulfil(said));
  });
}

function listen(server: Server): Promise<number> {
  return new Promise((fulfil, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => fulfil((server.address() as AddressInfo).port));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((fulfil) => {
    server.close(() => fulfil());
  });
}

function inUse(path: string): AppError {
  return new AppError({
    code: 'data-dir-in-use',
    disposition: 'stall',
    publicMessage: `Another sandbox runs with the folder ${path}. Stop it, or give another folder with --data.`,
    data: { path },
  });
}

function unusable(path: string, cause: unknown): AppError {
  return new AppError({
    code: 'data-dir-unusable',
    disposition: 'stall',
    publicMessage: `The folder ${path} cannot be used (${codeOf(cause)}). Give one that you may write with --data.`,
    data: { path },
    cause,
  });
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
