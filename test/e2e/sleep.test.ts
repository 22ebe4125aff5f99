import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MergeRequest, User } from '../../src/sandbox/gitlab/model.js';
import { runProgram } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;
let ada: User;

beforeAll(async () => {
  stage = await openStage({ project: { lifetime: { ttl: '24h' } } });
  ada = stage.gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  await stage.startManager();
  await stage.startAgent();
});

afterAll(() => stage?.close());

async function ready(title: string): Promise<{ mergeRequest: MergeRequest; slug: string }> {
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'ready');
  return { mergeRequest, slug };
}

async function replicas(slug: string): Promise<unknown> {
  return ((await stage.deployment(slug))?.spec as { replicas?: number } | undefined)?.replicas;
}

async function untilAtZero(slug: string): Promise<void> {
  await stage.untilPhase(slug, 'asleep');
  await stage.wait('no replicas', async () => (await replicas(slug)) === 0);
}

function last(history: string[]): string[] {
  return (history.at(-1) ?? '').split('\n').filter((line) => /^(shop-|Mayfly-(Cause|Actor))/.test(line));
}

test('sleeps by command, and is woken on the page for visitors', async () => {
  const { mergeRequest, slug } = await ready('Sleepy');
  const sha = (mergeRequest.headSha ?? '').slice(0, 7);
  stage.gitlab.comment(mergeRequest, '/preview sleep', { user: ada });
  await untilAtZero(slug);
  expect(await stage.file(slug)).toContain('mayfly.dev/asleep: "true"');
  expect(last(await stage.history(slug))).toEqual([
    `${slug}: sleep ${sha}`,
    'Mayfly-Cause: sleep',
    'Mayfly-Actor: ada',
  ]);
  const page = `${stage.managerUrl}/wake/${slug}`;
  await stage.untilNote(mergeRequest, 'Preview asleep', 'It was put to sleep.', '`/preview wake`', `(${page})`);

  const pressed = await fetch(page, { method: 'POST', headers: { origin: stage.managerUrl } });
  expect(pressed.status).toBe(200);
  await stage.untilPhase(slug, 'ready');
  expect(await (await fetch(`${page}/status`)).json()).toEqual({
    state: 'ready',
    url: `https://${slug}.preview.example.com`,
  });
  expect(await stage.deployment(slug)).toMatchObject({ spec: { replicas: 1 }, status: { readyReplicas: 1 } });
  expect(await stage.file(slug)).not.toContain('asleep');
  expect(last(await stage.history(slug))).toEqual([
    `${slug}: wake ${sha}`,
    'Mayfly-Cause: wake',
    'Mayfly-Actor: visitor',
  ]);
  await stage.untilNote(mergeRequest, 'Preview ready');
});

test('a push wakes it, and the CLI puts it to sleep and wakes it', async () => {
  const { mergeRequest, slug } = await ready('Pushed');
  const environment = { env: { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken } };
  expect((await runProgram(['sleep', slug], environment)).code).toBe(0);
  await untilAtZero(slug);
  const { id } = await stage.gitlab.push(shopPath, { branch: mergeRequest.sourceBranch });
  await stage.untilRow(slug, 'the new sha', (row) => row.phase === 'ready' && row.deployed_sha === id);
  expect(await replicas(slug)).toBe(1);
  expect(last(await stage.history(slug))[0]).toBe(`${slug}: deploy ${id.slice(0, 7)}`);

  expect((await runProgram(['sleep', slug], environment)).code).toBe(0);
  await untilAtZero(slug);
  expect((await runProgram(['wake', slug], environment)).code).toBe(0);
  await stage.untilPhase(slug, 'ready');
  expect(last(await stage.history(slug))[0]).toBe(`${slug}: wake ${id.slice(0, 7)}`);
});

test('sleeps once nobody used it for a while, keeps its time to live, and is stopped while it sleeps', async () => {
  const { mergeRequest, slug } = await ready('Idle');
  const before = await stage.row(slug);
  await stage.writeManagerConfig((config) => ({
    ...config,
    defaults: { lifetime: { sleep: { after: '1s' } } },
  }));
  stage.programs[0]?.kill('SIGHUP');
  await stage.wait('the sweep to find it', async () => {
    await stage.tick('sweep');
    return (await stage.row(slug))?.phase === 'asleep';
  });
  await untilAtZero(slug);
  expect(last(await stage.history(slug)).slice(1)).toEqual(['Mayfly-Cause: idle', 'Mayfly-Actor: mayfly']);
  await stage.untilNote(mergeRequest, 'nobody used it for a while');
  expect((await stage.row(slug))?.expires_at).toEqual(before?.expires_at);
  stage.gitlab.closeMergeRequest(mergeRequest);
  await stage.untilPhase(slug, 'stopped');
  expect(await stage.namespace(slug)).toBeUndefined();
});
