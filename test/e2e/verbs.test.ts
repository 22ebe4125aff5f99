import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { runProgram } from '../support/program.js';
import { credential, startRegistry } from '../support/registry-stand-in.js';
import { until } from '../support/until.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  stage = await openStage();
  environment = { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken };
  await stage.startManager();
  await stage.startAgent();
});

afterAll(() => stage?.close());

function mayfly(...args: string[]): Promise<{ code: number | NodeJS.Signals; output: string }> {
  return runProgram(args, { env: environment });
}

test('an operator lists, shows, extends, stops and starts previews', async () => {
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title: 'Operated' });
  const slug = `shop-${mergeRequest.iid}`;
  const { expires_at: before } = await stage.untilPhase(slug, 'ready');

  const table = await mayfly('list');
  expect(table.code).toBe(0);
  expect(table.output).toMatch(new RegExp(`^${slug} +shop +ready +\\S+ \\S+ +https://${slug}\\.preview`, 'm'));
  const json = await mayfly('list', '--output', 'json', '--project', 'shop');
  expect(JSON.parse(json.output)).toMatchObject([{ slug, phase: 'ready', incarnation: 1 }]);
  const shown = await mayfly('show', slug, '--output', 'yaml');
  expect(parse(shown.output)).toMatchObject({ preview: { slug, phase: 'ready' } });
  expect((await mayfly('show', slug)).output).toMatch(/ready/);

  expect((await mayfly('extend', slug, '10d')).code).toBe(0);
  await stage.untilRow(slug, 'the extension', (row) => row.expires_at.getTime() > before.getTime() + 5 * 86_400_000);

  expect((await mayfly('stop', slug)).code).toBe(0);
  expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'operator', stopped_by: 'test' });
  const again = await mayfly('stop', slug);
  expect(again.code).toBe(1);
  expect(again.output).toContain(`${slug} is stopped`);
  expect((await mayfly('list')).output).not.toContain(slug);
  expect((await mayfly('start', slug)).code).toBe(0);
  await stage.untilPhase(slug, 'ready', 2);

  const none = await mayfly('show', 'shop-999');
  expect(none).toMatchObject({ code: 1 });
  expect(none.output).toContain('There is no preview shop-999');
});

test('an operator pauses a preview, a project and an agent, and lets them go on', async () => {
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title: 'Paused' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'ready');
  const paused = async () => JSON.parse((await mayfly('show', slug, '--output', 'json')).output).preview.paused;
  for (const scope of [[slug], ['--project', 'shop'], ['--agent', 'default'], ['--all']]) {
    const ordered = await mayfly('pause', ...scope, '--output', 'json');
    expect(ordered.code, ordered.output).toBe(0);
    expect(JSON.parse(ordered.output)).toMatchObject({ order: 'pause', agents: ['default'] });
    await until(`${scope.join(' ')} is paused`, async () => (await paused())?.by === 'test');
    expect((await mayfly('list')).output).toMatch(new RegExp(`^${slug} .*paused by test`, 'm'));
    expect((await mayfly('resume', ...scope)).code).toBe(0);
    await until(`${scope.join(' ')} goes on`, async () => (await paused()) === null);
  }
  const history = JSON.parse((await mayfly('show', slug, '--output', 'json')).output).events;
  expect(history.map(({ kind }: { kind: string }) => kind)).toEqual(
    expect.arrayContaining(['pause-ordered', 'resume-ordered']),
  );
});

test('orphans, unblock and forget tell when there is nothing to do', async () => {
  expect(await mayfly('orphans', 'list')).toMatchObject({ code: 0, output: 'There are none.' });
  expect(JSON.parse((await mayfly('orphans', 'list', '--output', 'json')).output)).toEqual([]);
  expect((await mayfly('orphans', 'remove', 'shop-999')).output).toContain('No agent told of an orphan shop-999');
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title: 'Lives' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'ready');
  const blocked = await mayfly('unblock', slug, '--finalizer', 'example.com/hold');
  expect(blocked.code).toBe(1);
  expect(blocked.output).toContain('nothing of it is being torn down');
  const forgotten = await mayfly('forget', slug, '--cluster-is-gone');
  expect(forgotten.code).toBe(1);
  expect(forgotten.output).toContain('the cluster is not gone');
});

test('breaker show says that nothing is held', async () => {
  const { code, output } = await mayfly('breaker', 'show');
  expect(code).toBe(0);
  expect(output).toContain('Nothing is held.');
});

test('check tries every service, migrate finds nothing to do', async () => {
  const good = await mayfly('check', '--config', stage.managerFile);
  expect(good.output).not.toMatch(/failed/i);
  expect(good.code).toBe(0);
  for (const name of ['gitlab', shopPath, 'branch', 'database', 'default']) {
    expect(good.output.toLowerCase()).toContain(name);
  }

  stage.gitlab.faults.add({ kind: 'token-expired' });
  const bad = await mayfly('check', '--config', stage.managerFile);
  stage.gitlab.faults.clear();
  expect(bad.code).toBe(1);

  const migrated = await mayfly('migrate', '--config', stage.managerFile);
  expect(migrated).toMatchObject({ code: 0, output: 'The database is up to date.' });
});

test('check asks the image registries, and says what is wrong without a secret', async () => {
  const registry = await startRegistry();
  const { host } = registry;
  const check = async (entry: Record<string, unknown>) => {
    const more = { projects: [{ name: 'shop', path: shopPath, gate: { image: [`${host}/acme/shop:{{sha}}`] } }] };
    const file = join(stage.directory, 'with-registry.yaml');
    const registries = [{ host, private: true, insecure: true, ...entry }];
    await writeFile(file, stringify({ ...parse(await readFile(stage.managerFile, 'utf8')), ...more, registries }));
    return mayfly('check', '--config', file);
  };
  try {
    const good = await check(credential);
    expect(good.output).toContain(`✓ registry ${host}: Reached; acme/shop may be read by the configured user.`);
    expect(good.code).toBe(0);
    const bad = await check({ ...credential, password: 'not-his-password' });
    expect(bad.output).toContain(`✗ registry ${host}: The registry ${host} gives no token with the configured user`);
    expect(bad.output).not.toContain('not-his-password');
    expect(bad.code).toBe(1);
    const refused = await check({ ...credential, private: false });
    expect(refused.output).toContain('has a private address');
    expect(refused.code).toBe(1);
  } finally {
    await registry.close();
  }
});

test('token new prints two halves that belong together', async () => {
  const { code, output } = await mayfly('token', 'new');
  expect(code).toBe(0);
  const token = /^token: (\S+)$/m.exec(output)?.[1] ?? '';
  const hash = /^hash: +sha256:([0-9a-f]{64})$/m.exec(output)?.[1];
  expect(createHash('sha256').update(token).digest('hex')).toBe(hash);
});

test('wrong use ends with 2, a manager that is not there with 1', async () => {
  expect((await mayfly('--help')).output).toContain('MAYFLY_URL is its address, MAYFLY_TOKEN a token');
  const wrong = [
    '',
    'lisst',
    'list --colour',
    'list --output xml',
    'show',
    'breaker accept',
    'breaker accept --reason x',
    'pause',
    'pause shop-1 --all',
    'orphans remove shop-1 --incarnation x',
    'unblock shop-1',
    'forget shop-1',
  ];
  const codes = await Promise.all(
    wrong.map(async (line) => [line, (await mayfly(...line.split(' ').filter(Boolean))).code]),
  );
  expect(codes).toEqual(wrong.map((line) => [line, 2]));
  expect((await mayfly('--help')).code).toBe(0);
  expect(await mayfly('version')).toMatchObject({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+$/) });

  const unknown = await runProgram(['list'], { env: { MAYFLY_URL: '', MAYFLY_TOKEN: '' } });
  expect(unknown.code).toBe(1);
  expect(unknown.output).toContain('MAYFLY_URL');
  const refused = await runProgram(['list'], { env: { ...environment, MAYFLY_TOKEN: 'mft_wrong' } });
  expect(refused.code).toBe(1);
  const away = await runProgram(['list'], { env: { ...environment, MAYFLY_URL: 'http://127.0.0.1:9' } });
  expect(away.code).toBe(1);
  expect(away.output).toContain('does not answer');
});
