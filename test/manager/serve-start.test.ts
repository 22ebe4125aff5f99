import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadManagerConfig } from '../../src/config/load-manager-config.js';
import { serve } from '../../src/manager/serve.js';
import { environment, least, temporaryFile } from '../config/config-files.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

let database: TestDatabase;
let silence: Server;
let directory: string;
const connections = new Set<Socket>();

beforeAll(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), 'mayfly-start-'));
  // Takes every connection and never answers.
  silence = createServer((socket) => connections.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => silence.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  for (const socket of connections) socket.destroy();
  silence?.close();
  await database?.drop();
  await rm(directory, { recursive: true, force: true });
});

test('a start that waits for a silent GitLab is ended by its signal, and leaves nothing open', async () => {
  const loaded = await loadManagerConfig({ file: await temporaryFile('mayfly.yaml', least), environment });
  const address = silence.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const config = {
    ...loaded.config,
    gitlab: { ...loaded.config.gitlab, url: `http://127.0.0.1:${port}` },
    listen: { host: '127.0.0.1', port: 0, metricsPort: 0, dashboardPort: 0 },
    database: database.url,
    dataDir: directory,
  };
  const control = new AbortController();
  const starting = serve(config, {
    log: pino({ level: 'silent' }),
    signal: control.signal,
    patience: { timeoutMs: 600_000 },
  });
  const outcome = starting.then(
    () => 'started',
    (error: Error) => error.name,
  );
  await until('GitLab is asked', () => connections.size > 0);
  control.abort();
  expect(await outcome).toBe('AbortError');
  await until('its connections are closed', async () => {
    const open = await database.pool.query(
      "select from pg_stat_activity where datname = current_database() and application_name like 'mayfly manager%'",
    );
    return open.rowCount === 0;
  });
});
