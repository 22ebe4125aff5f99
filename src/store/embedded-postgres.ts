import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { AppError, isAppError } from '../error/app-error.js';
import { keepOwner } from './keep-owner.js';
import { giveToAccount, type PostgresPrograms, postgresPrograms } from './postgres-programs.js';
import { forgetForeignPid, readPostmaster } from './postmaster.js';

export interface EmbeddedPostgresOptions {
  /** The server keeps everything under `<dataDir>/postgres`. */
  dataDir: string;
  log: Logger;
  /** Ends the waits of the start; a server that already runs is ended by `stop`. */
  signal: AbortSignal;
  /** Server settings on top of the defaults, such as `{ fsync: 'off' }` for tests. */
  settings?: Record<string, string>;
}

export interface EmbeddedPostgres {
  /** Connection URL with the password: never log it. */
  url: string;
  /** Rejects when the server ended by itself and cannot be started again; never resolves. */
  broken: Promise<never>;
  /** Ends the server; its data stays. Safe to call twice. */
  stop: () => Promise<void>;
}

interface Server {
  programs: PostgresPrograms;
  pgdata: string;
  password: string;
  options: EmbeddedPostgresOptions;
}

const user = 'mayfly';
const database = 'mayfly';
/** Held by the process that owns the server, so that two managers never share one data directory. */
const ownerLock = 0x6f776e72;
const startAttempts = 5;

/**
 * Starts PostgreSQL from the npm package on a free loopback port. The data, the password and, while it is free, the
 * port survive restarts. A server that outlived its manager is adopted when it answers, stopped and started when not;
 * one that ends by itself is started again.
 *
 * Errors: `database-in-use` (another process owns the directory), `database-start-failed`, `database-unreachable`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const root = join(resolve(options.dataDir), 'postgres');
  // Others may pass through but list nothing: as root the server runs as another account.
  await mkdir(root, { recursive: true, mode: 0o711 });
  const pgdata = join(root, 'data');
  const server: Server = {
    programs: await postgresPrograms(pgdata),
    pgdata,
    password: await keptPassword(join(root, 'password')),
    options,
  };
  await initialise(server, root);
  const port = (await adopt(server)) ?? (await start(server));
  const owner = await own(server, port);
  await createDatabase(owner);
  const kept = keepOwner(owner, () => ownAgain(server, port), options.log);
  let stopping: Promise<void> | undefined;
  async function endServer(): Promise<void> {
    if (await kept.release()) await server.programs.run('pg_ctl', ['stop', '-D', pgdata, '-m', 'fast', '-w']);
  }
  return {
    url: connectionUrl(server, port, database),
    broken: kept.broken,
    stop() {
      stopping ??= endServer();
      return stopping;
    },
  };
}

/** One that is just ending can neither be adopted nor stopped, and it may end again meanwhile: it is looked at anew. */
async function ownAgain(server: Server, port: number): Promise<pg.Client> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (((await adopt(server)) ?? (await start(server))) !== port) throw portTaken(port);
      return await own(server, port);
    } catch (error) {
      if (attempt === startAttempts) throw error;
      server.options.log.warn({ err: error, attempt }, 'embedded database not back yet');
    }
    await delay(500, undefined, { signal: server.options.signal });
  }
}

function portTaken(port: number): AppError {
  return new AppError({
    code: 'database-start-failed',
    disposition: 'retry',
    publicMessage: `The embedded database ended, and another program has taken its port ${port}. Start Mayfly again.`,
    data: { port },
  });
}

/** Connection URL, with the password, of the server that another process runs under `dataDir`; null when none runs. */
export async function runningEmbedded(dataDir: string): Promise<string | null> {
  const root = join(resolve(dataDir), 'postgres');
  const { port } = (await readPostmaster(join(root, 'data'))) ?? {};
  if (port === undefined) return null;
  return connectionUrl({ password: await keptPassword(join(root, 'password')) }, port, database);
}

async function keptPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const password = randomBytes(24).toString('base64url');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return password;
}

/** initdb into a folder beside it, renamed when it is whole: a crash in the middle leaves nothing half made. */
async function initialise(server: Server, root: string): Promise<void> {
  if (await exists(join(server.pgdata, 'PG_VERSION'))) return;
  const unfinished = join(root, 'data.new');
  const passwordFile = join(root, 'password.new');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, `${server.password}\n`, { mode: 0o600 });
  await giveToAccount(server.programs, [unfinished, passwordFile]);
  try {
    await server.programs.run('initdb', [
      `--pgdata=${unfinished}`,
      `--username=${user}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--no-locale',
      '--encoding=UTF8',
    ]);
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(unfinished, server.pgdata);
}

/** Port of a server that still runs on this directory and answers; undefined when none does. */
async function adopt(server: Server): Promise<number | undefined> {
  const { log } = server.options;
  const running = await readPostmaster(server.pgdata);
  if (running === undefined) {
    await forgetForeignPid(server.pgdata);
    return undefined;
  }
  if (running.port !== undefined && (await answers(server, running.port))) {
    log.info({ pid: running.pid, port: running.port }, 'embedded database adopted');
    return running.port;
  }
  log.warn({ pid: running.pid }, 'embedded database does not answer, stopping it');
  await server.programs.run('pg_ctl', ['stop', '-D', server.pgdata, '-m', 'immediate', '-w', '-t', '20']);
  return undefined;
}

async function answers(server: Server, port: number): Promise<boolean> {
  const client = new pg.Client({
    connectionString: connectionUrl(server, port, 'postgres'),
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  client.on('error', (error) => server.options.log.debug({ reason: error.message }, 'embedded database probe failed'));
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch (error) {
    server.options.log.debug({ err: error }, 'embedded database probe failed');
    return false;
  } finally {
    await client.end();
  }
}

/** Tries the remembered port first. A start right after a crash may fail while the old backends still end. */
async function start(server: Server): Promise<number> {
  const portFile = join(server.pgdata, '..', 'port');
  for (let attempt = 1; ; attempt += 1) {
    server.options.signal.throwIfAborted();
    const port = await freePort(attempt === 1 ? await rememberedPort(portFile) : 0);
    try {
      await server.programs.run('pg_ctl', startArguments(server, port));
      await writeFile(portFile, `${port}\n`);
      server.options.log.info({ port }, 'embedded database started');
      return port;
    } catch (error) {
      if (!isAppError(error, 'database-start-failed') || attempt === startAttempts) throw error;
      server.options.log.warn({ err: error, attempt }, 'embedded database did not start, trying again');
    }
    await delay(500, undefined, { signal: server.options.signal });
  }
}

function startArguments(server: Server, port: number): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '100',
    log_min_messages: 'warning',
    ...server.options.settings,
  };
  const flags = Object.entries(settings).map(([name, value]) => `-c ${name}='${value}'`);
  const log = join(server.pgdata, 'server.log');
  return ['start', '-D', server.pgdata, '-l', log, '-w', '-t', '60', '-s', '-o', flags.join(' ')];
}

async function rememberedPort(file: string): Promise<number> {
  try {
    return Number.parseInt(await readFile(file, 'utf8'), 10) || 0;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
}

/** `wanted` when nothing listens there, else any free one. */
function freePort(wanted: number): Promise<number> {
  return new Promise((fulfil, reject) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' && wanted !== 0 ? fulfil(freePort(0)) : reject(error),
    );
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => fulfil(port));
    });
  });
}

/** A connection that holds the owner's lock. A killed owner's lock goes with its socket, which may take a moment. */
async function own(server: Server, port: number): Promise<pg.Client> {
  const { log, signal } = server.options;
  const client = new pg.Client({
    connectionString: connectionUrl(server, port, 'postgres'),
    application_name: 'mayfly owner',
    keepAlive: true,
  });
  client.on('error', (error) => log.debug({ reason: error.message }, 'connection of the owner lost'));
  await client.connect();
  try {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const answer = await client.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [ownerLock]);
      if (answer.rows[0]?.held) return client;
      await delay(100, undefined, { signal });
    }
  } catch (error) {
    await client.end();
    throw error;
  }
  await client.end();
  throw new AppError({
    code: 'database-in-use',
    disposition: 'stall',
    publicMessage: `Another Mayfly uses the data directory ${server.options.dataDir}. Stop it, or set another dataDir.`,
    data: { dataDir: server.options.dataDir },
  });
}

async function createDatabase(owner: pg.Client): Promise<void> {
  const found = await owner.query('select from pg_database where datname = $1', [database]);
  if (found.rowCount === 0) await owner.query(`create database ${database}`);
}

function connectionUrl(server: Pick<Server, 'password'>, port: number, name: string): string {
  return `postgres://${user}:${server.password}@127.0.0.1:${port}/${name}`;
}

async function exists(path: string): Promise<boolean> {
  try {
    await readFile(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
