import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isAppError } from '../../src/error/app-error.js';
import { type EmbeddedPostgres, runningEmbedded, startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';
import { compileFolders } from '../support/compiled.js';

const log = pino({ level: 'silent' });
const signal = new AbortController().signal;

let dataDir: string;
let compiled: Awaited<ReturnType<typeof compileFolders>>;
let running: EmbeddedPostgres | undefined;

beforeAll(async () => {
  // A private folder: as root, the server's own account may not pass it.
  dataDir = await mkdtemp(join(tmpdir(), 'mayfly-embedded-'));
  compiled = await compileFolders(['store', 'error']);
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

afterAll(async () => {
  await compiled.remove();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  running = await startEmbeddedPostgres({ dataDir, log, signal });
  return running;
}

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function serverPid(): Promise<number> {
  return Number((await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** A dead process that nobody has waited for yet (in a container without init) counts as gone: it has no state but Z. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, 'utf8'));
}

/** A process that started the server on the same directory and then was killed in the middle of its work. */
async function startAndKill(): Promise<void> {
  const code = `
    const { startEmbeddedPostgres } = await import(${JSON.stringify(join(compiled.folder, 'store/embedded-postgres.js'))});
    const log = { info() {}, warn() {}, error() {}, debug() {} };
    await startEmbeddedPostgres({ dataDir: process.argv[1], log, signal: new AbortController().signal });
    console.log('up');`;
  const child: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', code, dataDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [words] = (await once(child.stdout as NonNullable<typeof child.stdout>, 'data')) as [Buffer];
  expect(words.toString()).toContain('up');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

test('keeps its data, password and port over a restart, and listens on loopback only', async () => {
  const first = await start();
  await query(first.url, 'create table kept as select 42 as answer');
  expect(await query(first.url, 'show listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  expect((await stat(join(dataDir, 'postgres/password'))).mode & 0o777).toBe(0o600);
  const pid = await serverPid();
  await first.stop();
  await expect.poll(() => lives(pid)).toBe(false);
  const second = await start();
  expect(second.url).toBe(first.url);
  expect(await query(second.url, 'select answer from kept')).toEqual([{ answer: 42 }]);
});

test('another program finds the server while it runs, and none before or after', async () => {
  expect(await runningEmbedded(join(dataDir, 'elsewhere'))).toBeNull();
  const { url, stop } = await start();
  expect(await runningEmbedded(dataDir)).toBe(url);
  await stop();
  expect(await runningEmbedded(dataDir)).toBeNull();
});

test('adopts the server that outlived a killed manager', async () => {
  await startAndKill();
  const pid = await serverPid();
  expect(lives(pid)).toBe(true);
  const adopted = await start();
  expect(await serverPid()).toBe(pid);
  expect(await query(adopted.url, 'select 1 as one')).toEqual([{ one: 1 }]);
  await adopted.stop();
  await expect.poll(() => lives(pid)).toBe(false);
});

test('stops and starts again a server that lives but does not answer', async () => {
  await startAndKill();
  const pid = await serverPid();
  // Nobody can log in any more: the server is there, but it is of no use.
  const access = join(dataDir, 'postgres/data/pg_hba.conf');
  const before = await readFile(access, 'utf8');
  await writeFile(access, 'host all all 127.0.0.1/32 reject\n');
  process.kill(pid, 'SIGHUP');
  await expect.poll(() => loginFails()).toBe(true);
  await writeFile(access, before);
  const fresh = await start();
  expect(await serverPid()).not.toBe(pid);
  await expect.poll(() => lives(pid)).toBe(false);
  expect(await query(fresh.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

async function loginFails(): Promise<boolean> {
  const port = (await readFile(join(dataDir, 'postgres/port'), 'utf8')).trim();
  const password = (await readFile(join(dataDir, 'postgres/password'), 'utf8')).trim();
  try {
    await query(`postgres://mayfly:${password}@127.0.0.1:${port}/mayfly`, 'select 1');
    return false;
  } catch (error) {
    return (error as { code?: string }).code === '28000';
  }
}

test('starts a server that ended by itself again, where it was', async () => {
  const { url } = await start();
  await query(url, 'create table revived as select 1 as one');
  for (const signal of ['SIGKILL', 'SIGQUIT'] as const) {
    const pid = await serverPid();
    process.kill(pid, signal);
    await expect.poll(() => readsRevived(url), { timeout: 30_000 }).toBe(true);
    expect(await serverPid()).not.toBe(pid);
  }
});

async function readsRevived(url: string): Promise<boolean> {
  try {
    return (await query(url, 'select one from revived')).length === 1;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return false;
  }
}

test('says that it is lost when it cannot be started again', async () => {
  const { broken, stop } = await start();
  const settings = join(dataDir, 'postgres/data/postgresql.conf');
  const before = await readFile(settings, 'utf8');
  await writeFile(settings, 'no_such_setting = 1');
  process.kill(await serverPid(), 'SIGQUIT');
  await expect(broken).rejects.toMatchObject({ code: 'database-start-failed' });
  await stop();
  await writeFile(settings, before);
});

test('starts beside the pid file of another program', async () => {
  await (await start()).stop();
  // The number of the dead server was given out again, to this very process.
  await writeFile(join(dataDir, 'postgres/data/postmaster.pid'), `${process.pid}\n/elsewhere\n0\n1\n`);
  const fresh = await start();
  expect(await query(fresh.url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

test('takes another port when its own is taken', async () => {
  const first = await start();
  await first.stop();
  const port = new URL(first.url).port;
  const { createServer } = await import('node:net');
  const squatter = createServer().listen(Number(port), '127.0.0.1');
  await once(squatter, 'listening');
  try {
    const second = await start();
    expect(new URL(second.url).port).not.toBe(port);
  } finally {
    squatter.close();
  }
});

test('refuses a data directory that another process uses', async () => {
  await start();
  const second = startEmbeddedPostgres({ dataDir, log, signal });
  await expect(second).rejects.toSatisfy((error) => isAppError(error, 'database-in-use'));
});
