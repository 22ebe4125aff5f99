import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MergeRequest, User } from '../../src/sandbox/gitlab/model.js';
import { applicationFiles } from '../../src/sandbox/seed-files.js';
import { createPerson } from '../support/git-client.js';
import { runProgram } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

const cartPath = 'acme/cart';
const docsPath = 'acme/docs';
const hourMs = 3_600_000;
const builtIn = readFileSync(new URL('../../templates/application.yml.hbs', import.meta.url), 'utf8');
const storeTemplate = builtIn.replace(
  '  syncPolicy:',
  '  info:\n    - name: cart\n      value: {{quote members.cart.sha}}\n    - name: shop\n      value: {{quote members.shop.sha}}\n  syncPolicy:',
);
const lifetime = { ttl: '72h', max: '14d', warn: '12h' };
let stage: Stage;
let ada: User;
let bob: User;

beforeAll(async () => {
  stage = await openStage();
  const { gitlab } = stage;
  for (const path of [cartPath, 'acme/wiki']) await addProject(path);
  ada = gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  bob = gitlab.addUser({ username: 'bob', name: 'Bob', project: cartPath, accessLevel: 30 });
  await stage.writeManagerConfig((config) => {
    const follow = { targetBranches: ['*'] };
    const preview = { template: 'store', url: 'https://{{slug}}.preview.example.com' };
    return {
      ...config,
      projects: [
        ...(config.projects as unknown[]),
        { name: 'cart', path: cartPath, follow },
        { name: 'wiki', path: 'acme/wiki', follow },
        { name: 'docs', path: docsPath, follow },
      ],
      groups: [
        { name: 'store', projects: ['shop', 'cart'], link: 'branch', preview, lifetime },
        { name: 'site', projects: ['wiki', 'docs'], link: 'branch', preview: { template: 'application' } },
      ],
    };
  });
  await stage.startManager();
  await stage.startAgent();
  const person = await createPerson(stage.environments);
  try {
    await person.pull('dynamic-envs');
    await person.write('templates/store.yml.hbs', storeTemplate);
    await person.push('dynamic-envs', 'The template of the store');
  } finally {
    await person.remove();
  }
  await stage.tick('readback');
});

afterAll(() => stage?.close());

async function addProject(path: string): Promise<void> {
  const { gitlab } = stage;
  const project = await gitlab.createProject({ path, visibility: 'private', files: applicationFiles });
  gitlab.addUser({ username: 'mayfly', name: 'Mayfly', project, accessLevel: 40 });
  const [hook] = gitlab.project(shopPath).hooks.values();
  if (hook?.token == null) throw new Error('the shop has a webhook with a secret');
  gitlab.addHook(project, { url: `${stage.managerUrl}/webhooks/gitlab`, token: hook.token });
}

function mayfly(...args: string[]) {
  return runProgram(args, { env: { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken } });
}

interface Pair {
  shop: MergeRequest;
  cart: MergeRequest;
  slug: string;
}

/** A merge request of Ada in the one project and of Bob in the other, deployed together. */
async function pair(branch: string): Promise<Pair> {
  const { gitlab } = stage;
  const slug = `store-${branch}`;
  const shop = await gitlab.createMergeRequest(shopPath, {
    title: `Shop ${branch}`,
    sourceBranch: branch,
    author: ada,
  });
  const cart = await gitlab.createMergeRequest(cartPath, {
    title: `Cart ${branch}`,
    sourceBranch: branch,
    author: bob,
  });
  await untilRuns(slug, shop.headSha ?? '', cart.headSha ?? '');
  // Nobody pushes in the second of the opening, which the test is fast enough for.
  for (const each of [shop, cart]) each.createdAt -= 60_000;
  return { shop, cart, slug };
}

async function untilRuns(slug: string, ...shas: string[]): Promise<void> {
  await stage.wait(`${slug} to run ${shas.join(' ')}`, async () => {
    const shown = await stage
      .api<{ phase: string; members: { deployedSha: string }[] }>(`/previews/${slug}`)
      .catch(() => null);
    return shown?.phase === 'ready' && shown.members.map((member) => member.deployedSha).join() === shas.join();
  });
  await stage.wait('its pods', async () => (await replicas(slug)) === 1);
}

async function replicas(slug: string): Promise<unknown> {
  return ((await stage.deployment(slug))?.spec as { replicas?: number } | undefined)?.replicas;
}

async function untilAsleep({ slug, shop, cart }: Pair, words: string): Promise<void> {
  await stage.wait(`${slug} to sleep`, async () => {
    await stage.tick('sweep');
    return (await stage.row(slug))?.phase === 'asleep' && (await replicas(slug)) === 0;
  });
  for (const each of [shop, cart]) await stage.untilNote(each, 'Preview asleep', words);
}

async function untilAwake({ slug, shop, cart }: Pair): Promise<void> {
  await stage.untilPhase(slug, 'ready');
  await stage.wait('its pods', async () => (await replicas(slug)) === 1);
  for (const each of [shop, cart]) await stage.untilNote(each, 'Preview ready');
}

async function newest(slug: string): Promise<string[]> {
  const message = (await stage.history(slug)).at(-1) ?? '';
  return message.split('\n').filter((line) => /^(store-|Mayfly-(Cause|Actor))/.test(line));
}

/** All that happened to both is so much longer ago, and GitLab tells that something happened. */
async function age({ shop, cart, slug }: Pair, hours: number): Promise<void> {
  const ms = hours * hourMs;
  for (const each of [shop, cart]) {
    each.createdAt -= ms;
    for (const version of each.versions) version.createdAt -= ms;
    await stage.database.pool.query(`update wish set at = at - $1 * interval '1 ms' where subject like 'mr:%:' || $2`, [
      ms,
      each.iid,
    ]);
  }
  await stage.database.pool.query(`update wish set at = at - $1 * interval '1 ms' where subject like 'group:store:%'`, [
    ms,
  ]);
  await stage.database.pool.query(
    `update preview set created_at = created_at - $1 * interval '1 ms', sha_since = sha_since - $1 * interval '1 ms'
     where slug = $2 and phase <> 'stopped'`,
    [ms, slug],
  );
  for (const each of [shop, cart]) {
    await stage.gitlab.updateMergeRequest(each, { title: `${each.title}, ${hours} h later` });
  }
}

async function setLifetime(change: Record<string, unknown>): Promise<void> {
  await stage.writeManagerConfig((config) => ({
    ...config,
    groups: (config.groups as { name: string }[]).map((group) =>
      group.name === 'store' ? { ...group, lifetime: { ...lifetime, ...change } } : group,
    ),
  }));
  stage.programs[0]?.kill('SIGHUP');
}

/** Mayfly's answers below its note. */
function replies(mergeRequest: MergeRequest): string[] {
  return stage
    .notes(mergeRequest)
    .slice(1)
    .map(({ body }) => body);
}

test('sleeps and wakes as one, whoever asks in whichever merge request', async () => {
  const both = await pair('nap');
  const { shop, cart, slug } = both;
  const { gitlab } = stage;
  gitlab.comment(cart, '/preview sleep', { user: bob });
  await untilAsleep(both, 'It was put to sleep.');
  expect(await stage.file(slug)).toContain('mayfly.dev/asleep: "true"');
  const shas = `${shop.headSha?.slice(0, 7)} ${cart.headSha?.slice(0, 7)}`;
  expect(await newest(slug)).toEqual([`${slug}: sleep ${shas}`, 'Mayfly-Cause: sleep', 'Mayfly-Actor: bob']);

  gitlab.comment(shop, '/preview wake', { user: ada });
  await untilAwake(both);
  expect(await newest(slug)).toEqual([`${slug}: wake ${shas}`, 'Mayfly-Cause: wake', 'Mayfly-Actor: ada']);

  expect((await mayfly('sleep', slug)).code).toBe(0);
  await untilAsleep(both, 'It was put to sleep.');
  const { id } = await gitlab.push(cartPath, { branch: 'nap' });
  await untilRuns(slug, shop.headSha ?? '', id);

  gitlab.comment(shop, '/preview sleep', { user: ada });
  await untilAsleep(both, 'It was put to sleep.');
  const page = `${stage.managerUrl}/wake/${slug}`;
  expect((await fetch(page, { method: 'POST', headers: { origin: stage.managerUrl } })).status).toBe(200);
  await untilAwake(both);
  expect(await (await fetch(`${page}/status`)).json()).toEqual({
    state: 'ready',
    url: `https://${slug}.preview.example.com`,
  });
});

test('sleeps when nobody uses it and outside its hours, and each author is warned once of its end', async () => {
  const both = await pair('idle');
  const { shop, cart, slug } = both;
  await setLifetime({ sleep: { after: '1s' } });
  await untilAsleep(both, 'nobody used it for a while');
  expect((await newest(slug))[1]).toBe('Mayfly-Cause: idle');

  // Asleep as it is, its time to live goes on.
  await age(both, 65);
  const warned = () => [...replies(shop), ...replies(cart)].length === 2;
  await stage.wait(`both warnings; replies: ${JSON.stringify([replies(shop), replies(cart)])}`, warned);
  expect(replies(shop)[0]).toContain('@ada This preview ends at ');
  expect(replies(cart)[0]).toContain('@bob This preview ends at ');
  await gitlabSays(both);
  expect([replies(shop).length, replies(cart).length]).toEqual([1, 1]);
  await setLifetime({});
  await untilAwake(both);
  stage.gitlab.comment(cart, '/preview extend 3d', { user: bob });
  await stage.wait('both warnings to go', () => replies(shop).length + replies(cart).length === 0);

  await age(both, 3);
  await setLifetime({ sleep: { awake: hoursFrom(-2, -1) } });
  await untilAsleep(both, 'outside its hours');
  await setLifetime({ sleep: { awake: hoursFrom(-2, 2) } });
  await stage.wait('its hours to begin', async () => {
    await stage.tick('sweep');
    return (await stage.row(slug))?.phase === 'ready';
  });
  await untilAwake(both);
  expect((await newest(slug))[1]).toBe('Mayfly-Cause: schedule');
  await setLifetime({});
});

/** Both are read once more, and everything that follows is done. */
async function gitlabSays({ shop, cart }: Pair): Promise<void> {
  for (const each of [shop, cart]) await stage.gitlab.updateMergeRequest(each, { title: `${each.title}, again` });
  await stage.tick('sweep');
  await stage.wait('all jobs to be done', async () => {
    const jobs = await stage.database.pool.query('select from graphile_worker._private_jobs where run_at <= now()');
    return jobs.rowCount === 0;
  });
}

/** Hours of every day by UTC, counted from now. */
function hoursFrom(begin: number, end: number): string {
  const [from, to] = [begin, end].map((hours) => new Date(Date.now() + hours * hourMs).toISOString().slice(11, 16));
  return `Mon-Sun ${from}-${to} Etc/UTC`;
}

test('render shows what the branch would get before there is a preview, with the baselines of the others', async () => {
  const { gitlab } = stage;
  const quiet = await gitlab.createMergeRequest(shopPath, {
    title: 'Not yet',
    sourceBranch: 'shown',
    labels: ['no-preview'],
  });
  const render = (...args: string[]) => mayfly('render', '--project', 'shop', '--mr', String(quiet.iid), ...args);
  const shown = await render();
  expect(shown.code).toBe(0);
  const mainOfCart = gitlab.project(cartPath).branches.get('main') ?? '';
  expect(shown.output).toContain(`value: ${mainOfCart}`);
  expect(shown.output).toContain(`value: ${quiet.headSha}`);
  expect((await render('--diff')).output).toContain('--- /dev/null\n+++ b/apps/store-shown.yml');
  expect(await stage.row('store-shown')).toBeUndefined();
  await gitlab.updateMergeRequest(quiet, { labels: [] });
  await stage.untilPhase('store-shown', 'ready');
  expect(shown.output).toBe(await stage.file('store-shown'));
});

test('waits for a project of its group that GitLab does not show, and says so, until it is there', async () => {
  const { gitlab } = stage;
  const wiki = await gitlab.createMergeRequest('acme/wiki', { title: 'A page', sourceBranch: 'page' });
  await stage.untilNote(wiki, 'Preview waiting', 'GitLab does not show Mayfly the project `docs` of this group');
  expect(await stage.row('site-page')).toMatchObject({ phase: 'waiting', waiting_for: 'project' });
  expect((await mayfly('list')).output).toMatch(/site-page.*waiting \(project\)/);
  const logged = stage.programs[0]?.logLines().filter(({ slug }) => slug === 'site-page') ?? [];
  expect(logged.some(({ projects }) => JSON.stringify(projects) === '["docs"]')).toBe(true);
  const refused = await mayfly('render', '--project', 'wiki', '--mr', String(wiki.iid));
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('GitLab has never shown docs of the group site');
  expect(await stage.file('site-page')).toBeUndefined();

  await addProject(docsPath);
  await stage.writeManagerConfig((config) => ({ ...config, limits: { previews: 199 } }));
  stage.programs[0]?.kill('SIGHUP');
  await stage.untilPhase('site-page', 'ready');
  const mainOfDocs = gitlab.project(docsPath).branches.get('main') ?? '';
  await stage.untilNote(wiki, 'Preview ready', '`acme/docs`', mainOfDocs.slice(0, 8));
});
