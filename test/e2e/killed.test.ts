import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { Program } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

let stage: Stage;
let manager: Program;
let agent: Program;

beforeAll(async () => {
  stage = await openStage();
  manager = await stage.startManager();
  agent = await stage.startAgent();
});

afterEach(() => stage.gitlab.faults.clear());

afterAll(() => stage?.close());

test('a manager killed after it answered the webhook deploys once when it is back', async () => {
  const { gitlab } = stage;
  const fault = gitlab.faults.add({ kind: 'silence', method: 'GET', path: '/merge_requests/\\d+$' });
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Heard and forgotten' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.wait('the webhook to be answered', () => answers('Merge Request Hook').includes(202));
  await stage.wait('the merge request to be asked for', () => hits(fault) > 0);

  await manager.kill('SIGKILL');
  gitlab.faults.clear();
  expect(await stage.file(slug)).toBeUndefined();
  manager = await stage.startManager();

  await stage.untilPhase(slug, 'ready');
  await stage.untilNote(mergeRequest, 'Preview ready');
  await expectOnce(slug, ['deploy']);
});

test('a manager killed before it heard that its note was made, makes no second one', async () => {
  const { gitlab } = stage;
  const fault = gitlab.faults.add({ kind: 'lost-answer', method: 'POST', path: '/notes$', count: 1 });
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'One note' });
  await stage.wait('the note', () => hits(fault) > 0 && stage.notes(mergeRequest).length > 0);

  await manager.kill('SIGKILL');
  manager = await stage.startManager();

  await stage.untilNote(mergeRequest, 'Preview ready');
  expect(stage.notes(mergeRequest)).toHaveLength(1);
});

test('a manager killed between its push and the answer knows its own commit again', async () => {
  const { gitlab } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Pushed', sourceBranch: 'pushed' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'ready');

  const held = await stage.holdPushes();
  const { id: sha } = await gitlab.push(shopPath, { branch: 'pushed' });
  await stage.wait('the push of the second sha', held.reached);
  await manager.kill('SIGKILL');
  await held.release();
  expect(await stage.file(slug)).toContain(sha);
  manager = await stage.startManager();

  const row = await stage.untilRow(slug, 'the second sha', (now) => now.phase === 'ready' && now.deployed_sha === sha);
  expect(row.incarnation).toBe(1);
  await expectOnce(slug, ['deploy', 'deploy']);

  const heldAgain = await stage.holdPushes();
  gitlab.closeMergeRequest(mergeRequest);
  await stage.wait('the push of the removal', heldAgain.reached);
  await manager.kill('SIGKILL');
  await heldAgain.release();
  manager = await stage.startManager();

  expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'closed' });
  expect(await stage.namespace(slug)).toBeUndefined();
  await expectOnce(slug, ['deploy', 'deploy', 'remove']);
  await stage.untilNote(mergeRequest, 'Preview stopped');
  expect(stage.notes(mergeRequest)).toHaveLength(1);
});

test('an agent killed while it applies or tears down goes on where it was', async () => {
  const { gitlab } = stage;
  const count = 150;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, {
    title: 'Many objects',
    files: { 'deploy/preview/many.yaml': manyConfigMaps(count) },
  });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.wait('the first objects', async () => (await countConfigMaps(slug)) > 0);
  await agent.kill('SIGKILL');
  const { uid } = (await stage.namespace(slug))?.metadata ?? {};
  expect(await countConfigMaps(slug)).toBeLessThan(count);
  expect(await stage.deployment(slug)).toBeUndefined();

  agent = await stage.startAgent();
  await stage.untilPhase(slug, 'ready');
  expect(await countConfigMaps(slug)).toBe(count);
  expect((await stage.namespace(slug))?.metadata.uid).toBe(uid);
  await expectOnce(slug, ['deploy']);

  gitlab.closeMergeRequest(mergeRequest);
  await stage.wait('the teardown to begin', () =>
    agent.logLines().some((line) => line.msg === 'preview is torn down' && line.slug === slug),
  );
  await agent.kill('SIGKILL');
  expect(await stage.row(slug)).toMatchObject({ phase: 'stopping' });
  agent = await stage.startAgent();

  expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'closed' });
  expect(await stage.namespace(slug)).toBeUndefined();
  await stage.untilNote(mergeRequest, 'Preview stopped');
  expect(stage.notes(mergeRequest)).toHaveLength(1);
});

/** One commit a change, one incarnation, and nothing of it was taken for a person's. */
async function expectOnce(slug: string, verbs: string[]): Promise<void> {
  const subjects = (await stage.history(slug)).map((message) => message.split('\n')[0] ?? '');
  expect(subjects.map((line) => line.replace(`${slug}: `, '').split(' ')[0])).toEqual(verbs);
  const { rows } = await stage.database.pool.query('select incarnation, edited from preview where slug = $1', [slug]);
  expect(rows).toEqual([{ incarnation: 1, edited: null }]);
  const events = await stage.database.pool.query('select kind from preview_event where slug = $1', [slug]);
  expect(events.rows.map(({ kind }) => kind)).not.toContain('edited');
}

function answers(event: string): (number | null)[] {
  return stage.gitlab.hooks.deliveries
    .filter((delivery) => delivery.event === event)
    .flatMap((delivery) => delivery.answers);
}

function hits(fault: number): number {
  return stage.gitlab.faults.list().find(({ id }) => id === fault)?.hits ?? 0;
}

function manyConfigMaps(count: number): string {
  return Array.from({ length: count }, (_, index) =>
    stringify({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `many-${index}` },
      data: { index: `${index}` },
    }),
  ).join('---\n');
}

async function countConfigMaps(slug: string): Promise<number> {
  const namespace = `${stage.namespacePrefix}${slug}`;
  const { items } = await stage.cluster.client.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace });
  return items.filter(({ metadata }) => metadata.name.startsWith('many-')).length;
}
