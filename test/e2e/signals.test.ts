import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Program, runProgram } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

interface Project {
  lifetime?: { ttl: string };
}

let stage: Stage;
let manager: Program;
let agent: Program;

beforeAll(async () => {
  stage = await openStage();
  manager = await stage.startManager();
  agent = await stage.startAgent();
});

afterAll(() => stage?.close());

test('SIGHUP takes a valid file and refuses an invalid one', async () => {
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title: 'Reload' });
  const slug = `shop-${mergeRequest.iid}`;
  const { expires_at: before } = await stage.untilPhase(slug, 'ready');
  const valid = await readFile(stage.managerFile, 'utf8');

  await writeFile(stage.managerFile, valid.replace('path: acme/shop', 'path: acme/shop\n    lifetyme: {}'));
  process.kill(manager.pid, 'SIGHUP');
  await stage.wait('the refusal', () => logged(manager, 'configuration refused, the old one stays'));
  expect(manager.output()).toContain('lifetyme');
  expect(await metric('mayfly_config_refused')).toBe('1');
  const other = await stage.gitlab.createMergeRequest(shopPath, { title: 'Still at work' });
  await stage.untilPhase(`shop-${other.iid}`, 'ready');

  await writeFile(stage.managerFile, valid);
  await stage.writeManagerConfig((config) => ({
    ...config,
    projects: (config.projects as Project[]).map((project) => ({ ...project, lifetime: { ttl: '240h' } })),
  }));
  process.kill(manager.pid, 'SIGHUP');
  await stage.wait('the reload', () => logged(manager, 'configuration reloaded'));
  const week = 7 * 86_400_000;
  await stage.untilRow(slug, 'ten days to live', (row) => row.expires_at.getTime() === before.getTime() + week);
  await stage.wait('the metric', async () => (await metric('mayfly_config_refused')) === '0');
});

test('SIGTERM ends both programs in the middle of their work, and the next start finishes it', async () => {
  const held = await stage.holdPushes();
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title: 'In the middle' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.wait('the push', held.reached);

  const started = performance.now();
  const codes = await Promise.all([manager.kill('SIGTERM'), agent.kill('SIGTERM')]);
  expect(codes).toEqual([0, 0]);
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(logged(manager, 'stopped')).toBe(true);
  expect(logged(agent, 'stopped')).toBe(true);
  await held.release();
  const { rows } = await stage.database.pool.query(
    'select 1 from graphile_worker._private_jobs where locked_at is not null',
  );
  expect(rows).toEqual([]);

  manager = await stage.startManager();
  agent = await stage.startAgent();
  expect(manager.output()).not.toContain('jobs of dead workers released');
  await stage.untilPhase(slug, 'ready');
  await stage.untilNote(mergeRequest, 'Preview ready');
  expect(await stage.history(slug)).toHaveLength(1);
  expect(stage.notes(mergeRequest)).toHaveLength(1);
});

test('a port in use and a broken configuration are told in one message, exit code 1', async () => {
  const second = await runProgram(['serve', '--config', stage.managerFile]);
  expect(second.code).toBe(1);
  expect(last(second.output)).toMatch(/^mayfly: The address 127\.0\.0\.1:\d+ is in use by another program\./);

  const taken = await listenSomewhere();
  const agentText = await readFile(stage.agentFile, 'utf8');
  const agentFile = join(stage.directory, 'taken.yaml');
  const { port } = taken.address() as AddressInfo;
  await writeFile(agentFile, agentText.replace(/metricsPort: \d+/, `metricsPort: ${port}`));
  const agentOnTaken = await runProgram(['agent', '--config', agentFile]);
  taken.close();
  expect(agentOnTaken.code).toBe(1);
  expect(last(agentOnTaken.output)).toContain(`127.0.0.1:${port} is in use`);

  const broken = join(stage.directory, 'broken.yaml');
  await writeFile(broken, 'gitlab: {url: nowhere}\nprojekts: []\n');
  const verbs = ['serve', 'migrate', 'check', 'agent'];
  const results = await Promise.all(verbs.map((verb) => runProgram([verb, '--config', broken])));
  for (const { code, output } of results) {
    expect(code).toBe(1);
    expect(output).toMatch(/^mayfly: /);
    expect(output).not.toMatch(/^ +at /m);
  }
  expect(results[0]?.output).toContain('gitlab.url');
  expect(results[0]?.output).toContain('projekts');
  expect(results[0]?.output).toContain('`projects`');

  const missing = await runProgram(['serve', '--config', join(stage.directory, 'none.yaml')]);
  expect(missing).toMatchObject({ code: 1 });
  expect(missing.output).toContain('none.yaml');
});

test('a database that does not answer is told without its password', async () => {
  const file = join(stage.directory, 'no-database.yaml');
  const text = await readFile(stage.managerFile, 'utf8');
  const taken = await listenSomewhere();
  const { port } = taken.address() as AddressInfo;
  await new Promise((resolve) => taken.close(resolve));
  const url = `postgres://mayfly:hunter2hunter2@127.0.0.1:${port}/mayfly`;
  await writeFile(file, text.replace(/^database: .*$/m, `database: ${url}`));
  for (const { code, output } of await Promise.all(
    ['serve', 'migrate'].map((verb) => runProgram([verb, '--config', file])),
  )) {
    expect(code).toBe(1);
    expect(last(output)).toMatch(/^mayfly: The database cannot be used: .*ECONNREFUSED.* Correct `database`/);
    expect(output).not.toContain('hunter2');
  }
});

test('a cluster that cannot be reached is told, exit code 1', async () => {
  const file = join(stage.directory, 'no-cluster.yaml');
  const text = await readFile(stage.agentFile, 'utf8');
  await writeFile(
    file,
    text.replace(/^kubeconfig: .*$/m, 'kubeconfig: /nowhere/kubeconfig').replace(/metricsPort: \d+/, 'metricsPort: 0'),
  );
  const { code, output } = await runProgram(['agent', '--config', file]);
  expect(code).toBe(1);
  expect(last(output)).toMatch(/^mayfly: .*\/nowhere\/kubeconfig/);
});

function logged(program: Program, message: string): boolean {
  return program.logLines().some((line) => line.msg === message);
}

async function metric(name: string): Promise<string | undefined> {
  const answer = await fetch(`${stage.metricsUrl}/metrics`);
  return new RegExp(`^${name} (.*)$`, 'm').exec(await answer.text())?.[1];
}

function last(output: string): string {
  return output.trimEnd().split('\n').at(-1) ?? '';
}

async function listenSomewhere(): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  return server;
}
