import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applicationFiles } from '../../src/sandbox/seed-files.js';
import { createPerson, git } from '../support/git-client.js';
import { runProgram } from '../support/program.js';
import { environmentsPath, shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

const cartPath = 'acme/cart';
const builtIn = readFileSync(new URL('../../templates/application.yml.hbs', import.meta.url), 'utf8');
/** Of an app of apps no more is needed here than that its file names the sha of every service. */
const storeTemplate = builtIn.replace(
  '  syncPolicy:',
  '  info:\n    - name: cart\n      value: {{quote members.cart.sha}}\n    - name: shop\n      value: {{quote members.shop.sha}}\n  syncPolicy:',
);
const slug = 'store-cart-v2';
let stage: Stage;

interface Shown {
  phase: string;
  project: string;
  members: { projectId: number; iid: number | null; wantedSha: string; deployedSha: string }[];
}

beforeAll(async () => {
  stage = await openStage();
  const { gitlab } = stage;
  const cart = await gitlab.createProject({ path: cartPath, visibility: 'private', files: applicationFiles });
  gitlab.addUser({ username: 'mayfly', name: 'Mayfly', project: cart, accessLevel: 40 });
  await stage.writeManagerConfig((config) => {
    const { webhookSecret } = config.gitlab as { webhookSecret: string };
    gitlab.addHook(cart, { url: `${stage.managerUrl}/webhooks/gitlab`, token: webhookSecret });
    const follow = { targetBranches: ['*'] };
    return {
      ...config,
      projects: [...(config.projects as unknown[]), { name: 'cart', path: cartPath, follow }],
      groups: [
        {
          name: 'store',
          projects: ['shop', 'cart'],
          forks: ['cart'],
          link: 'branch',
          preview: { template: 'store', url: 'https://{{slug}}.preview.example.com' },
        },
      ],
    };
  });
  await stage.startManager();
  await stage.startAgent();
  const ada = await createPerson(stage.environments);
  try {
    await ada.pull('dynamic-envs');
    await ada.write('templates/store.yml.hbs', storeTemplate);
    await ada.push('dynamic-envs', 'The template of the store');
  } finally {
    await ada.remove();
  }
  const head = (await git(stage.git.directory(environmentsPath), 'rev-parse', 'dynamic-envs')).trim();
  await stage.tick('readback');
  await stage.wait('the manager to see the template', async () => {
    const { rows } = await stage.database.pool.query('select branch_head from installation');
    return rows[0]?.branch_head === head;
  });
});

afterAll(() => stage?.close());

function headOf(path: string, branch: string): string {
  return stage.gitlab.project(path).branches.get(branch) ?? '';
}

async function untilRuns(what: string, shop: string, cart: string): Promise<Shown> {
  return stage.wait(what, async () => {
    const shown = await stage.api<Shown>(`/previews/${slug}`).catch(() => null);
    const runs = shown?.members.map((member) => member.deployedSha).join(' ') === `${shop} ${cart}`;
    return shown !== null && runs && shown.phase === 'ready' && shown;
  });
}

test('merge requests of two projects on one branch share one preview until the last of them ends', async () => {
  const { gitlab } = stage;
  const shop = await gitlab.createMergeRequest(shopPath, { title: 'Show the new cart', sourceBranch: 'cart-v2' });
  const shopSha = shop.headSha ?? '';
  const mainOfCart = headOf(cartPath, 'main');
  const first = await untilRuns('the first with a baseline', shopSha, mainOfCart);
  expect(first).toMatchObject({ project: 'store', members: [{ iid: shop.iid }, { iid: null }] });
  await stage.untilNote(shop, 'Preview ready', '`acme/cart`', 'no merge request, `main`', mainOfCart.slice(0, 8));

  // Another project's merge request on that branch joins it.
  const cart = await gitlab.createMergeRequest(cartPath, { title: 'A new cart', sourceBranch: 'cart-v2' });
  const cartSha = cart.headSha ?? '';
  await untilRuns('both merge requests', shopSha, cartSha);
  const file = (await stage.file(slug)) ?? '';
  expect(file).toContain(`value: ${cartSha}`);
  expect(file).toContain(`value: ${shopSha}`);
  expect(file).toContain(`mayfly.dev/merge-request: ${shopPath}!${shop.iid} ${cartPath}!${cart.iid}`);
  const words = ['Preview ready', shopSha.slice(0, 8), cartSha.slice(0, 8), `${slug}.preview.example.com`];
  const shopNote = await stage.untilNote(shop, ...words);
  const cartNote = await stage.untilNote(cart, ...words);
  expect(withoutTimes(cartNote)).toBe(withoutTimes(shopNote));
  const { rows } = await stage.database.pool.query('select distinct slug from preview');
  expect(rows).toEqual([{ slug }]);
  const [newest = ''] = (await stage.history(slug)).slice(-1);
  expect(newest).toContain(`${slug}: deploy ${shopSha.slice(0, 7)} ${cartSha.slice(0, 7)}`);
  expect(newest).toContain(
    `Mayfly-Merge-Request: ${shopPath}!${shop.iid}\nMayfly-Merge-Request: ${cartPath}!${cart.iid}`,
  );

  // A command in the comments of either is for both.
  await gitlab.comment(cart, '/preview extend 9d');
  const until = new Date(Date.now() + 9 * 86_400_000).getUTCDate();
  await stage.untilNote(shop, `${until} `);

  // A push to one moves that one alone.
  const { id: pushed } = await gitlab.push(cartPath, { branch: 'cart-v2' });
  await untilRuns('the push', shopSha, pushed);

  // One that closes leaves it to the other, with its target branch in its place.
  gitlab.closeMergeRequest(cart);
  await untilRuns('the baseline again', shopSha, mainOfCart);
  await stage.untilNote(cart, 'no longer with this merge request', 'was closed', `[!${shop.iid}]`);
  expect(stage.notes(cart)).toHaveLength(1);

  // The last one ends it.
  await gitlab.mergeMergeRequest(shop);
  await stage.untilPhase(slug, 'stopped');
  expect(await stage.file(slug)).toBeUndefined();
  expect(await stage.row(slug)).toMatchObject({ stop_reason: 'merged' });
  await stage.untilNote(shop, 'Preview stopped', 'the merge request was merged');
  expect(stage.notes(shop)).toHaveLength(1);
});

test('a fork of a named project joins with its approval, and all of the preview has the trust of a fork', async () => {
  const { gitlab } = stage;
  const ada = gitlab.addUser({ username: 'ada', name: 'Ada', project: gitlab.project(cartPath), accessLevel: 30 });
  const eve = gitlab.addUser({ username: 'eve', name: 'Eve' });
  const fork = await gitlab.createProject({ path: 'eve/cart', forkedFrom: gitlab.project(cartPath), owner: eve });
  await git(stage.git.directory('eve/cart'), 'fetch', '--quiet', stage.git.directory(cartPath), 'main:main');
  await gitlab.noticePush(fork, eve);
  const theirs = { title: 'Theirs', sourceProject: fork, sourceBranch: 'forked', author: eve };
  const stranger = await gitlab.createMergeRequest(cartPath, theirs);
  const strangeSha = stranger.headSha ?? '';
  await stage.untilNote(stranger, 'Preview waiting', `/preview approve ${strangeSha}`);
  const shop = await gitlab.createMergeRequest(shopPath, { title: 'Ours', sourceBranch: 'forked' });
  await stage.untilPhase('store-forked', 'ready');
  expect(await stage.file('store-forked')).not.toContain(strangeSha);
  expect(await stage.untilNote(shop, 'Preview ready')).not.toContain('fork:');

  gitlab.comment(stranger, `/preview approve ${strangeSha}`, { user: ada });
  await stage.wait('its commit in the file', async () => (await stage.file('store-forked'))?.includes(strangeSha));
  const words = ['Preview ready', strangeSha.slice(0, 8), 'all of it gets what a fork gets'];
  await Promise.all([stage.untilNote(shop, ...words), stage.untilNote(stranger, ...words)]);
  await stage.untilPhase(`cart-${stranger.iid}`, 'stopped');

  const { id: second } = await gitlab.push(fork, { branch: 'forked', user: eve });
  await stage.untilNote(stranger, `/preview approve ${second}`);
  expect(await stage.file('store-forked')).toContain(strangeSha);
  gitlab.closeMergeRequest(stranger);
  await stage.wait('the baseline', async () => (await stage.file('store-forked'))?.includes(headOf(cartPath, 'main')));
  await stage.wait('the note without the fork', () => !stage.notes(shop)[0]?.body.includes('what a fork gets'));
  await gitlab.mergeMergeRequest(shop);
  await stage.untilPhase('store-forked', 'stopped');
});

test('show lists every member', async () => {
  const { gitlab } = stage;
  const shop = await gitlab.createMergeRequest(shopPath, { title: 'For the list', sourceBranch: 'listed' });
  await stage.untilPhase('store-listed', 'ready');
  const shown = await runProgram(['show', 'store-listed', '--output', 'json'], {
    env: { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken },
  });
  expect(shown.code).toBe(0);
  expect(shown.output).toContain(`"iid": ${shop.iid}`);
  expect(shown.output).toContain(headOf(cartPath, 'main'));
});

/** The note says how long after the push it was deployed, which each project's own push decides. */
function withoutTimes(note: string): string {
  return note.replace(/\d+ (?:s|min) after the push/g, '').replace(/, (?= \|)/g, '');
}

test('a command in one that its project’s own filters refuse is told which', async () => {
  const { gitlab } = stage;
  const eve = gitlab.addUser({ username: 'eve', name: 'Eve', project: gitlab.project(shopPath), accessLevel: 30 });
  const refused = await gitlab.createMergeRequest(shopPath, {
    title: 'Alone',
    sourceBranch: 'refused',
    labels: ['no-preview'],
  });
  gitlab.comment(refused, '/preview extend 2d', { user: eve });
  await stage.untilNote(
    refused,
    'No preview',
    'it has the label no-preview',
    'There is no preview for `extend 2d` now',
  );
});
