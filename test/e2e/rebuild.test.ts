import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Cluster, startCluster } from '../../src/sandbox/cluster/start-cluster.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { git } from '../support/git-client.js';
import { runProgram } from '../support/program.js';
import { until } from '../support/until.js';
import { createWorld, type World } from '../support/world.js';

let cluster: Cluster;
let database: TestDatabase;
let empty: TestDatabase;
let world: World;

beforeAll(async () => {
  cluster = await startCluster();
  [database, empty] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  world = await createWorld({ databaseUrl: database.url });
  await cluster.writeKubeconfig(join(world.directory, 'kubeconfig'));
});

afterAll(async () => {
  await world.close();
  await cluster.close();
  await Promise.all([database.drop(), empty.drop()]);
});

interface Listed {
  slug: string;
  incarnation: number;
  phase: string;
}

async function previews(): Promise<Listed[]> {
  const page = await world.api<{ previews: Listed[] }>('/previews');
  return page.previews.map(({ slug, incarnation, phase }) => ({ slug, incarnation, phase }));
}

test('a database that was lost is made again from the branch, and nothing is deleted meanwhile', async () => {
  let manager = await world.startManager();
  const agent = await world.startAgent(join(world.directory, 'kubeconfig'));
  for (const name of ['one', 'two', 'three']) {
    await world.gitlab.createMergeRequest('acme/shop', { sourceBranch: name, title: name });
  }
  const ready = async () => (await previews()).filter(({ phase }) => phase === 'ready').length === 3;
  await until('three previews', ready, { explain: () => manager.output() + agent.output() });
  const before = cluster.list('namespaces').map(({ metadata }) => metadata.uid);
  const gitDir = join(world.directory, 'git/platform/environments.git');
  const head = await git(gitDir, 'rev-parse', 'dynamic-envs');

  await manager.kill('SIGTERM');
  await world.writeManagerConfig((config) => ({ ...config, database: empty.url }));
  manager = await world.startManager();
  const breaker = await until('the refusal to write', async () => {
    const state = await world.api<{ blockedReason: string | null }>('/breaker');
    return state.blockedReason ?? undefined;
  });
  expect(breaker).toContain('mayfly rebuild');
  expect(await git(gitDir, 'rev-parse', 'dynamic-envs')).toBe(head);
  await manager.kill('SIGTERM');

  const rebuilt = await runProgram(['rebuild', '--config', join(world.directory, 'mayfly.yaml')]);
  expect(rebuilt).toMatchObject({ code: 0, output: expect.stringContaining('Rebuilt 3 previews') });
  manager = await world.startManager();
  await until('three previews again', ready, { explain: () => manager.output() });
  expect((await previews()).map(({ incarnation }) => incarnation)).toEqual([1, 1, 1]);
  expect(cluster.list('namespaces').map(({ metadata }) => metadata.uid)).toEqual(before);

  const closed = world.gitlab.mergeRequest('acme/shop', 1);
  world.gitlab.closeMergeRequest(closed);
  await until('two previews', async () => (await previews()).length === 2, { explain: () => manager.output() });
  expect(await git(gitDir, 'ls-tree', '--name-only', 'dynamic-envs:apps')).not.toContain('shop-1.yml');
});

test('a database that is newer than the program is refused, and the refusal leaves nothing behind', async () => {
  await empty.pool.query("insert into migration (name, checksum) values ('9999-later.sql', 'x')");
  const temporary = join(world.directory, 'temporary');
  await mkdir(temporary);
  const options = { env: { TMPDIR: temporary } };
  for (const verb of ['rebuild', 'migrate', 'serve']) {
    const refused = await runProgram([verb, '--config', join(world.directory, 'mayfly.yaml')], options);
    expect(refused).toMatchObject({
      code: 1,
      output: expect.stringContaining('a newer Mayfly (it has 9999-later.sql)'),
    });
  }
  expect(await readdir(temporary)).toEqual([]);
});
