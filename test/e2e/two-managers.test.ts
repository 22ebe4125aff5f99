import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import type { MergeRequest } from '../../src/sandbox/gitlab/model.js';
import { type Program, startProgram } from '../support/program.js';
import { quietPort } from '../support/quiet-port.js';
import { environmentsPath, shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

/** Two managers with one configuration and one database; both hear every webhook. */
let stage: Stage;
let first: Program;
let second: Program;
let secondMetrics: string;
/** Comments of Mayfly's user as they were made, by iid. */
const made: { iid: number; body: string }[] = [];

beforeAll(async () => {
  stage = await openStage({ project: { lifetime: { ttl: '1h', warn: '30m' } } });
  stage.gitlab.setPipelinePlan(shopPath, [{ name: 'build', outcome: 'success' }]);
  stage.gitlab.onEvent((event) => {
    if (event.kind === 'note' && event.action === 'create' && event.user.id === stage.bot.id) {
      made.push({ iid: event.mergeRequest.iid, body: event.note.body });
    }
  });
  [first, second] = await Promise.all([stage.startManager(), startSecond()]);
  await stage.startAgent();
});

afterAll(async () => {
  await second?.kill('SIGKILL');
  await stage?.close();
});

interface Config {
  gitlab: { webhookSecret: string };
  listen: { host: string };
}

async function startSecond(): Promise<Program> {
  const config = parse(await readFile(stage.managerFile, 'utf8')) as Config;
  const [port, metricsPort, dashboardPort] = [await quietPort(), await quietPort(), await quietPort()];
  const listen = { ...config.listen, port, metricsPort, dashboardPort };
  const file = join(stage.directory, 'second.yaml');
  await writeFile(file, stringify({ ...config, listen, dataDir: join(stage.directory, 'second') }));
  for (const path of [shopPath, environmentsPath]) {
    const url = `http://127.0.0.1:${port}/webhooks/gitlab`;
    stage.gitlab.addHook(path, { url, token: config.gitlab.webhookSecret });
  }
  secondMetrics = `http://127.0.0.1:${metricsPort}`;
  const program = startProgram(['serve', '--config', file]);
  await stage.wait('the second manager', async () => (await fetch(`${secondMetrics}/readyz`)).ok);
  return program;
}

async function decisions(metricsUrl: string): Promise<number> {
  const text = await (await fetch(`${metricsUrl}/metrics`)).text();
  return Number(/^mayfly_stage_seconds_count\{stage="decide"\} (\S+)$/m.exec(text)?.[1] ?? 0);
}

async function verbs(slug: string): Promise<string[]> {
  const subjects = (await stage.history(slug)).map((message) => message.split('\n')[0] ?? '');
  return subjects.map((line) => line.replace(`${slug}: `, '').split(' ')[0] ?? '');
}

function warnings({ iid }: MergeRequest): string[] {
  return made.filter((note) => note.iid === iid && note.body.includes('This preview ends at')).map(({ body }) => body);
}

function bodies({ iid }: MergeRequest): string[] {
  return made.filter((note) => note.iid === iid && !note.body.includes('This preview ends at')).map(({ body }) => body);
}

/** Nobody has used it for so long. */
async function age(mergeRequest: MergeRequest, ms: number): Promise<void> {
  mergeRequest.createdAt -= ms;
  for (const version of mergeRequest.versions) version.createdAt -= ms;
  const { iid } = mergeRequest;
  const { pool } = stage.database;
  await pool.query(`update wish set at = at - $1 * interval '1 ms' where subject like 'mr:%:' || $2`, [ms, iid]);
  await pool.query(`update preview set created_at = created_at - $1 * interval '1 ms' where slug = 'shop-' || $2`, [
    ms,
    iid,
  ]);
  await stage.gitlab.updateMergeRequest(mergeRequest, { title: `${mergeRequest.title}, later` });
}

test('nothing happens twice: one note, one commit a change, one answer a comment, one warning a term', async () => {
  const { gitlab } = stage;
  const ada = gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  const branches = ['one', 'two', 'three', 'four'];
  const mergeRequests = await Promise.all(
    branches.map((sourceBranch) => gitlab.createMergeRequest(shopPath, { title: sourceBranch, sourceBranch })),
  );
  const slugs = mergeRequests.map(({ iid }) => `shop-${iid}`);
  for (const slug of slugs) await stage.untilPhase(slug, 'ready');
  const shas = await Promise.all(branches.map(async (branch) => (await gitlab.push(shopPath, { branch })).id));
  for (const [index, slug] of slugs.entries()) {
    await stage.untilRow(slug, 'the push', (row) => row.phase === 'ready' && row.deployed_sha === shas[index]);
  }
  const comments = mergeRequests.map((each) => gitlab.comment(each, '/preview redeploy', { user: ada }));
  for (const { awards } of comments) await stage.wait('the answer', () => awards.length > 0);
  for (const slug of slugs) {
    await stage.wait('the order to be carried out', async () => (await verbs(slug)).length === 3);
    await stage.untilPhase(slug, 'ready');
  }

  for (const each of mergeRequests) await age(each, 45 * 60_000);
  for (const each of mergeRequests) {
    await stage.wait('the warning of its end', async () => {
      await stage.tick('sweep');
      return warnings(each).length > 0;
    });
  }
  for (const metricsUrl of [stage.metricsUrl, secondMetrics]) expect(await decisions(metricsUrl)).toBeGreaterThan(0);
  for (const mergeRequest of mergeRequests) gitlab.closeMergeRequest(mergeRequest);
  for (const slug of slugs) await stage.untilPhase(slug, 'stopped');

  for (const [index, mergeRequest] of mergeRequests.entries()) {
    const slug = slugs[index] ?? '';
    await stage.untilNote(mergeRequest, 'Preview stopped');
    expect(bodies(mergeRequest)).toHaveLength(1);
    expect(await verbs(slug)).toEqual(['deploy', 'deploy', 'deploy', 'remove']);
    expect(comments[index]?.awards.map(({ name }) => name)).toEqual(['thumbsup']);
    expect(warnings(mergeRequest)).toHaveLength(1);
  }
  const twice = await stage.database.pool.query(
    `select slug, incarnation, kind, at from preview_event where kind in ('created', 'ordered', 'stopped')
     group by slug, incarnation, kind, at, detail having count(*) > 1`,
  );
  expect(twice.rows).toEqual([]);
  const wishes = await stage.database.pool.query('select subject from wish');
  expect(wishes.rowCount).toBe(slugs.length);
});

/** Freezes it while it does not hold the lock of those who write the branch, which the other would wait for. */
async function freeze(program: Program): Promise<void> {
  await stage.wait('a moment in which nobody writes', async () => {
    process.kill(program.pid, 'SIGSTOP');
    const held = await stage.database.pool.query(
      `select from pg_locks where locktype = 'advisory' and objid = $1
        and database = (select oid from pg_database where datname = current_database())`,
      [serialLock],
    );
    if (held.rowCount === 0) return true;
    process.kill(program.pid, 'SIGCONT');
    return false;
  });
}

const serialLock = 0x73657269;

test('one of them is killed in the middle of a push: the other goes on with it', async () => {
  const { gitlab } = stage;
  await freeze(first);
  const held = await stage.holdPushes();
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Handed over', sourceBranch: 'handed-over' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.wait('the push', held.reached);
  await second.kill('SIGKILL');
  process.kill(first.pid, 'SIGCONT');
  await held.release();
  await stage.untilPhase(slug, 'ready');
  await stage.untilNote(mergeRequest, 'Preview ready');
  expect(await verbs(slug)).toEqual(['deploy']);
  expect(bodies(mergeRequest)).toHaveLength(1);
  gitlab.closeMergeRequest(mergeRequest);
  await stage.untilPhase(slug, 'stopped');
  expect(await verbs(slug)).toEqual(['deploy', 'remove']);
  for (const each of [first, second]) expect(each.output()).not.toContain('job failed unexpectedly');
});
