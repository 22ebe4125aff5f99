import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { MergeRequest, Project, User } from '../../src/sandbox/gitlab/model.js';
import { git } from '../support/git-client.js';
import { runProgram } from '../support/program.js';
import { environmentsPath, shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

const template = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {{slug}}
spec:
  project: previews
  destination:
    name: {{cluster}}
    namespace: {{namespace}}
  source:
    repoURL: {{quote source.repository}}
    targetRevision: {{sha}}
    path: {{quote source.path}}
    directory:
      recurse: true
  info:
    - name: replicas
      value: {{json values.replicas}}
    - name: greeting
      value: {{json values.greeting}}
`;

let stage: Stage;
let ada: User;
let eve: User;
let fork: Project;

beforeAll(async () => {
  stage = await openStage({
    project: {
      preview: {
        template: 'values',
        source: { path: 'deploy/preview' },
        values: { replicas: 1, greeting: 'Welcome', image: 'shop' },
      },
      settable: ['replicas', 'greeting'],
    },
  });
  const { gitlab } = stage;
  ada = gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  eve = gitlab.addUser({ username: 'eve', name: 'Eve' });
  fork = await gitlab.createProject({ path: 'eve/shop', forkedFrom: gitlab.project(shopPath), owner: eve });
  await git(stage.git.directory('eve/shop'), 'fetch', '--quiet', stage.git.directory(shopPath), 'main:main');
  await gitlab.noticePush(fork, eve);
  await gitlab.push(environmentsPath, { branch: 'dynamic-envs', files: { 'templates/values.yml.hbs': template } });
  await stage.startManager();
});

afterAll(() => stage?.close());

function emoji(note: { awards: { name: string }[] }): string[] {
  return note.awards.map((award) => award.name);
}

async function deployed(mergeRequest: MergeRequest) {
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'deploying');
  await stage.wait('the file', () => stage.file(slug));
  return slug;
}

async function values(slug: string): Promise<Record<string, unknown>> {
  const file = parse((await stage.file(slug)) ?? '{}') as { spec?: { info: { name: string; value: unknown }[] } };
  return Object.fromEntries((file.spec?.info ?? []).map(({ name, value }) => [name, value]));
}

function trailers(message: string | undefined): string[] {
  return (message ?? '').split('\n').filter((line) => /^Mayfly-(Cause|Actor)/.test(line));
}

test('a fork waits for the approval of its very commit; the next push waits again', async () => {
  const { gitlab } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, {
    title: 'From a fork',
    sourceProject: fork,
    sourceBranch: 'theirs',
    author: eve,
  });
  const slug = `shop-${mergeRequest.iid}`;
  const first = mergeRequest.headSha ?? '';
  await stage.untilRow(slug, 'the approval', (row) => row.phase === 'waiting' && row.waiting_for === 'approval');
  const line = `/preview approve ${first}`;
  const note = await stage.untilNote(mergeRequest, 'Preview waiting', line);
  expect(note).toContain('It comes from a fork');

  const unnamed = gitlab.comment(mergeRequest, '/preview approve', { user: ada });
  const stranger = gitlab.comment(mergeRequest, line, { user: eve });
  await stage.wait('both to be refused', () => [unnamed, stranger].every((one) => emoji(one).includes('thumbsdown')));
  expect((await stage.row(slug))?.phase).toBe('waiting');
  expect(await stage.file(slug)).toBeUndefined();

  const approval = gitlab.comment(mergeRequest, line, { user: ada });
  await stage.wait('the answer', () => emoji(approval).includes('thumbsup'));
  await deployed(mergeRequest);
  expect(await stage.file(slug)).toContain(`targetRevision: ${first}`);
  expect(trailers((await stage.history(slug))[0])).toEqual(['Mayfly-Cause: approve', 'Mayfly-Actor: ada']);

  const { id: second } = await gitlab.push(fork, { branch: 'theirs', user: eve });
  await stage.untilNote(mergeRequest, `/preview approve ${second}`);
  expect(await stage.file(slug)).toContain(`targetRevision: ${first}`);
  const old = gitlab.comment(mergeRequest, line, { user: ada });
  await stage.wait('the refusal', () => emoji(old).includes('thumbsdown'));
  await stage.untilNote(mergeRequest, 'is not the newest commit');
  const shortened = gitlab.comment(mergeRequest, `/preview approve ${second.slice(0, 12)}`, { user: ada });
  await stage.wait('the refusal', () => emoji(shortened).includes('thumbsdown'));
  await stage.untilNote(mergeRequest, 'names its whole sha');
  expect(await stage.file(slug)).toContain(`targetRevision: ${first}`);
  gitlab.comment(mergeRequest, `/preview approve ${second}`, { user: ada });
  await stage.wait('the second commit', async () => (await stage.file(slug))?.includes(`targetRevision: ${second}`));
});

test('values that are set are in the file, and a wrong one is told why', async () => {
  const { gitlab } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Values' });
  const slug = await deployed(mergeRequest);
  expect(await values(slug)).toEqual({ replicas: 1, greeting: 'Welcome' });
  gitlab.comment(mergeRequest, '/preview set replicas=3\n/preview set greeting=Hello: "you" #1', { user: ada });
  await stage.wait('the values', async () => (await values(slug)).replicas === 3);
  expect(await values(slug)).toEqual({ replicas: 3, greeting: 'Hello: "you" #1' });
  expect(trailers((await stage.history(slug)).at(-1))).toEqual(['Mayfly-Cause: set', 'Mayfly-Actor: ada']);

  const wrong = gitlab.comment(mergeRequest, '/preview set replicas=many\n/preview set image=evil', { user: ada });
  await stage.wait('the refusal', () => emoji(wrong).includes('thumbsdown'));
  await stage.untilNote(mergeRequest, '`replicas` must be a whole number', '`image` cannot be set');

  gitlab.comment(mergeRequest, '/preview unset replicas', { user: ada });
  await stage.wait('the configured value', async () => (await values(slug)).replicas === 1);
  const environment = { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken };
  expect((await runProgram(['set', slug, 'replicas=5'], { env: environment })).code).toBe(0);
  await stage.wait('the operator’s value', async () => (await values(slug)).replicas === 5);
  const refused = await runProgram(['set', slug, 'replicas=x'], { env: environment });
  expect(refused).toMatchObject({ code: 1, output: expect.stringContaining('replicas must be a whole number') });
});

test('an order to redeploy writes the file anew, with another revision', async () => {
  const { gitlab } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Again' });
  const slug = await deployed(mergeRequest);
  const before = await stage.file(slug);
  gitlab.comment(mergeRequest, '/preview redeploy', { user: ada });
  await stage.wait('another file', async () => (await stage.file(slug)) !== before);
  expect(await stage.file(slug)).toContain(`targetRevision: ${mergeRequest.headSha}`);
  const history = await stage.history(slug);
  expect(history).toHaveLength(2);
  expect(trailers(history[1])).toEqual(['Mayfly-Cause: redeploy', 'Mayfly-Actor: ada']);
});

test('help and status are answered in the note, the history tells orders, and too many are passed over', async () => {
  const { gitlab } = stage;
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Talkative' });
  const slug = await deployed(mergeRequest);
  gitlab.comment(mergeRequest, '/preview status', { user: ada });
  await stage.untilNote(mergeRequest, 'The status is what this note says.');
  gitlab.comment(mergeRequest, '/preview help', { user: ada });
  await stage.untilNote(mergeRequest, '`approve SHA`', 'KEY is `replicas` or `greeting`', 'Developer');
  gitlab.comment(mergeRequest, '/preview extend 2d\n'.repeat(18), { user: ada });
  const over = gitlab.comment(mergeRequest, '/preview stop', { user: ada });
  const silent = gitlab.comment(mergeRequest, '/preview stop', { user: ada });
  await stage.untilNote(mergeRequest, 'More than 20 commands in 10m');
  await stage.wait('the one answer', () => emoji(over).includes('thumbsdown'));
  expect(emoji(silent)).toEqual([]);
  expect((await stage.row(slug))?.phase).toBe('deploying');
  const { events } = await stage.api<{ events: { kind: string; actor: string; detail: string }[] }>(
    `/previews/${slug}/events`,
  );
  const orders = events.filter(({ kind }) => kind === 'ordered');
  expect(orders).toHaveLength(18);
  expect(orders[0]).toMatchObject({ actor: 'ada', detail: 'extend 2d' });
});
