import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startEmbeddedPostgres } from '../../src/store/embedded-postgres.js';
import { createWorld, type World, type WorldOptions } from '../../test/support/world.js';

/** A project without Git content, for scenarios in which nothing is fetched from it. */
export const loadPath = 'acme/load';

export interface BenchWorld extends World {
  databaseUrl: string;
}

/** A world on a PostgreSQL of its own, with the durability that production has. */
export async function createBenchWorld(options: Omit<WorldOptions, 'databaseUrl'> = {}): Promise<BenchWorld> {
  const dataDir = await mkdtemp(join(tmpdir(), 'mayfly-bench-'));
  const log = pino({ level: 'silent' });
  const postgres = await startEmbeddedPostgres({ dataDir, log, signal: new AbortController().signal });
  const world = await createWorld({
    ...options,
    databaseUrl: postgres.url,
    manager: { log: { level: 'warn' }, ...options.manager },
  });
  return {
    ...world,
    databaseUrl: postgres.url,
    close: async () => {
      await world.close();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Configuration that follows the project without Git content, with room for all its previews. */
export const loadProject = {
  limits: { previews: 10_000 },
  projects: [
    {
      name: 'load',
      path: loadPath,
      preview: { url: 'https://{{slug}}.preview.example.com', source: { path: 'deploy/preview' } },
      follow: { targetBranches: ['*'] },
      limits: { previews: 10_000 },
    },
  ],
};

/** Folder of the repository with the branch, at the Git server. */
export function environmentsGitDir(world: World): string {
  return join(world.directory, 'git/platform/environments.git');
}

/** Makes that project in the stand-in, with the webhook of the one with content. */
export async function createLoadProject(world: World): Promise<void> {
  const shop = world.gitlab.project('acme/shop');
  const load = await world.gitlab.createProject({ path: loadPath, visibility: 'private', git: false });
  world.gitlab.addUser({ username: 'mayfly', project: load, accessLevel: 40 });
  for (const hook of shop.hooks.values()) {
    world.gitlab.addHook(load, { url: hook.url, ...(hook.token === null ? {} : { token: hook.token }) });
  }
}
