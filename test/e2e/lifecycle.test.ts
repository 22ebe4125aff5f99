import { afterAll, beforeAll, expect, test } from 'vitest';
import { applicationFiles } from '../../src/sandbox/seed-files.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

const workloadPath = 'deploy/preview/workload.yaml';
const sitePath = 'deploy/preview/site.yaml';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ project: { lifetime: { ttl: '24h' } } });
  stage.gitlab.setPipelinePlan(shopPath, [{ name: 'build', outcome: 'success' }]);
  await stage.startManager();
  await stage.startAgent();
});

afterAll(() => stage?.close());

test('a merge request gets a preview that follows it and goes with it', async () => {
  const { gitlab } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'A first change', sourceBranch: 'first' });
  const slug = `shop-${mergeRequest.iid}`;
  const firstSha = mergeRequest.headSha ?? '';
  await stage.untilPhase(slug, 'ready');

  const namespace = await stage.namespace(slug);
  expect(namespace?.metadata.labels).toMatchObject({
    'mayfly.dev/preview': slug,
    'mayfly.dev/incarnation': '1',
    'mayfly.dev/agent': 'default',
    'pod-security.kubernetes.io/enforce': 'baseline',
  });
  const uid = namespace?.metadata.uid;
  expect(await stage.deployment(slug)).toMatchObject({
    metadata: { labels: { 'mayfly.dev/preview': slug } },
    status: { readyReplicas: 1 },
  });
  expect(await imageOf(slug)).toBe('shop:1.0');
  expect(await stage.file(slug)).toContain(`targetRevision: ${firstSha}`);
  await stage.untilNote(mergeRequest, 'Preview ready', `https://${slug}.preview.example.com`, firstSha.slice(0, 8));
  await stage.wait('the commit status', () => statuses(firstSha).length > 0);
  expect(statuses(firstSha)).toEqual(['mayfly/preview success']);

  const { id: secondSha } = await gitlab.push(shopPath, {
    branch: 'first',
    files: {
      [workloadPath]: withImage('shop:2.0'),
      [sitePath]: (applicationFiles[sitePath] ?? '').replace('Welcome', 'Good day'),
    },
  });
  await stage.untilRow(slug, 'the second sha', (row) => row.phase === 'ready' && row.deployed_sha === secondSha);
  expect(await imageOf(slug)).toBe('shop:2.0');
  expect(await stage.deployment(slug)).toMatchObject({ status: { readyReplicas: 1, updatedReplicas: 1 } });
  expect(await stage.configMap(slug, 'site')).toMatchObject({ data: { greeting: 'Good day to the shop' } });
  expect((await stage.namespace(slug))?.metadata.uid).toBe(uid);
  await stage.untilNote(mergeRequest, 'Preview ready', secondSha.slice(0, 8));

  gitlab.closeMergeRequest(mergeRequest);
  expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'closed' });
  expect(await stage.namespace(slug)).toBeUndefined();
  expect(await stage.file(slug)).toBeUndefined();
  await stage.untilNote(mergeRequest, 'Preview stopped', 'the merge request was closed');
  expect(stage.notes(mergeRequest)).toHaveLength(1);

  const history = await stage.history(slug);
  expect(history.map(subject)).toEqual([
    `${slug}: deploy ${firstSha.slice(0, 7)}`,
    `${slug}: deploy ${secondSha.slice(0, 7)}`,
    `${slug}: remove`,
  ]);
  expect(history.map((message) => trailer(message, 'Mayfly-Preview'))).toEqual(Array(3).fill(`${slug}#1`));
  expect(history.map((message) => trailer(message, 'Mayfly-Merge-Request'))).toEqual(
    Array(3).fill(`${shopPath}!${mergeRequest.iid}`),
  );
  expect(history.map((message) => trailer(message, 'Mayfly-Cause'))).toEqual(['opened', 'push', 'closed']);
  const generations = history.map((message) => Number(trailer(message, 'Mayfly-Generation')));
  expect(generations).toEqual([...new Set(generations)].sort((a, b) => a - b));
  expect(await phasesTold(slug)).toEqual([
    'waiting',
    'deploying',
    'ready',
    'deploying',
    'ready',
    'stopping closed',
    'stopped closed',
  ]);
});

test('members order in comments, others are refused', async () => {
  const { gitlab } = stage;
  const ada = gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  const eve = gitlab.addUser({ username: 'eve', name: 'Eve' });
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Orders', author: ada });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'ready');

  const refused = gitlab.comment(mergeRequest, '/preview stop', { user: eve });
  await stage.wait('the refusal', () => emoji(refused).includes('thumbsdown'));
  await stage.untilNote(mergeRequest, 'Preview ready', 'for members of this project with the role Developer');

  const extend = gitlab.comment(mergeRequest, '/preview extend 2d', { user: ada });
  const until = extend.createdAt + 2 * 86_400_000;
  await stage.untilRow(slug, 'the extension', (row) => row.expires_at.getTime() === until);
  await stage.wait('the answer', () => emoji(extend).includes('thumbsup'));
  expect(await stage.row(slug)).toMatchObject({ phase: 'ready', incarnation: 1 });

  gitlab.comment(mergeRequest, '/preview stop', { user: ada });
  expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'command', stopped_by: 'ada' });
  expect(await stage.namespace(slug)).toBeUndefined();
  await stage.untilNote(mergeRequest, 'Preview stopped', '`/preview stop`');

  gitlab.comment(mergeRequest, '/preview start', { user: ada });
  await stage.untilPhase(slug, 'ready', 2);
  expect((await stage.namespace(slug))?.metadata.labels).toMatchObject({ 'mayfly.dev/incarnation': '2' });
  expect(await imageOf(slug)).toBe('shop:1.0');
  await stage.untilNote(mergeRequest, 'Preview ready');
  expect(stage.notes(mergeRequest)).toHaveLength(1);
  const history = await stage.history(slug);
  expect(history.map((message) => trailer(message, 'Mayfly-Preview'))).toEqual([`${slug}#1`, `${slug}#1`, `${slug}#2`]);
  expect(history.map((message) => trailer(message, 'Mayfly-Actor'))).toEqual(['mayfly', 'ada', 'ada']);
});

test('a workload that crashes is told in the words of its pod, and its fix makes it ready', async () => {
  const { gitlab } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, {
    title: 'A crash',
    sourceBranch: 'crash',
    files: { [workloadPath]: withImage('shop:crash') },
  });
  const slug = `shop-${mergeRequest.iid}`;
  const failed = await stage.untilPhase(slug, 'failed');
  expect(failed).toMatchObject({ cause: 'health', deployed_sha: null });
  await stage.untilNote(
    mergeRequest,
    'Preview failed',
    'exit code 1',
    'panic: config: DATABASE_URL is not set',
    'What to do',
  );
  const sha = mergeRequest.headSha ?? '';
  expect(statuses(sha)).toEqual([]);

  await gitlab.push(shopPath, { branch: 'crash', files: { [workloadPath]: withImage('shop:1.1') } });
  await stage.untilPhase(slug, 'ready');
  const note = await stage.untilNote(mergeRequest, 'Preview ready');
  expect(note).not.toContain('panic');
  expect(await imageOf(slug)).toBe('shop:1.1');
  expect(stage.notes(mergeRequest)).toHaveLength(1);
});

function withImage(image: string): string {
  return (applicationFiles[workloadPath] ?? '').replace('shop:1.0', image);
}

async function imageOf(slug: string): Promise<string | undefined> {
  const deployment = await stage.deployment(slug);
  const spec = deployment?.spec as { template: { spec: { containers: { image: string }[] } } } | undefined;
  return spec?.template.spec.containers[0]?.image;
}

/** What was posted to a commit, beside the jobs of its pipeline. */
function statuses(sha: string): string[] {
  return [...stage.gitlab.project(shopPath).pipelines.values()]
    .filter((pipeline) => pipeline.sha === sha)
    .flatMap((pipeline) => pipeline.jobs)
    .filter((job) => job.kind === 'external')
    .map((job) => `${job.name} ${job.status}`);
}

function emoji(note: { awards: { name: string }[] }): string[] {
  return note.awards.map((award) => award.name);
}

function subject(message: string): string {
  return message.split('\n')[0] ?? '';
}

function trailer(message: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(message)?.[1];
}

/** The phases that the history tells of, each with the reason of a stop. */
async function phasesTold(slug: string): Promise<string[]> {
  const { rows } = await stage.database.pool.query<{ to_phase: string; detail: string | null }>(
    `select to_phase, detail from preview_event
    where slug = $1 and kind = to_phase or slug = $1 and kind = 'created' order by id`,
    [slug],
  );
  return rows.map(({ to_phase, detail }) => (to_phase.startsWith('stop') ? `${to_phase} ${detail}` : to_phase));
}
