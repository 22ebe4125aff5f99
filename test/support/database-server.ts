import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';
import { migrate } from '../../src/store/migrate.js';
import { createPool } from '../../src/store/pool.js';
import { installQueue } from '../../src/store/queue.js';

/** Where test files ask for the server of this run: it starts when the first of them does. */
export const serverVariable = 'MAYFLY_TEST_DATABASE_SERVER';

export interface TestServer {
  /** URL of a database from which others can be created. */
  adminUrl: string;
  /** A migrated database to copy. */
  template: string;
}

interface Running extends TestServer {
  stop: () => Promise<void>;
}

const log = pino({ level: 'silent' });

/** vitest's global setup: one PostgreSQL for the run, started when it is first asked for, gone at the end. */
export async function setup(): Promise<() => Promise<void>> {
  let running: Promise<Running> | undefined;
  const front = createServer((_request, response) => {
    running ??= start();
    running.then(
      ({ adminUrl, template }) => response.end(JSON.stringify({ adminUrl, template })),
      (error: Error) => response.writeHead(500).end(String(error.stack)),
    );
  });
  process.env[serverVariable] = `http://127.0.0.1:${await listen(front)}/`;
  return async () => {
    front.closeAllConnections();
    front.close();
    await (await running)?.stop();
  };
}

async function start(): Promise<Running> {
  const external = process.env.TEST_DATABASE_URL;
  const server = external === undefined ? await startOwn() : { url: external, stop: async () => undefined };
  const template = `mayfly_template_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: server.url });
  await admin.connect();
  await admin.query(`create database ${template}`);
  const pool = createPool({ url: withDatabase(server.url, template), log });
  await migrate(pool);
  await installQueue({ pool, log });
  await pool.end();
  return {
    adminUrl: server.url,
    template,
    async stop() {
      await admin.query(`drop database if exists ${template} with (force)`);
      await admin.end();
      await server.stop();
    },
  };
}

async function startOwn(): Promise<{ url: string; stop: () => Promise<void> }> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mayfly-test-postgres-'));
  const server = await startEmbeddedPostgres({
    dataDir,
    log,
    signal: new AbortController().signal,
    settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '400' },
  });
  // Its input ends with this process, however that ends: a run that was killed leaves no server behind.
  const pidFile = join(dataDir, 'postgres', 'data', 'postmaster.pid');
  const guard = 'cat >/dev/null; if [ -f "$0" ]; then kill -INT "$(head -n 1 "$0")"; sleep 2; fi; rm -rf "$1"';
  const watcher = spawn('sh', ['-c', guard, pidFile, dataDir], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(dataDir, { recursive: true, force: true });
      watcher.stdin.end();
    },
  };
}

export function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      server.unref();
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}
