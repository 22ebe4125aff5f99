import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Person } from '../support/git-client.js';
import { until } from '../support/until.js';
import { branchName, createGuardWorld, type GuardWorld } from './support/guard-world.js';
import { type Herd, raiseHerd } from './support/herd.js';
import {
  callApi,
  expectAgentHolds,
  expectManagerBlocked,
  metric,
  shownBreaker,
  shownPreview,
} from './support/sight.js';

let world: GuardWorld;
let herd: Herd;
let person: Person;
let mend: () => Promise<unknown> = async () => undefined;

beforeAll(async () => {
  world = await createGuardWorld();
  await world.startManager();
  await world.startAgent();
  herd = await raiseHerd(world, 12);
});

afterAll(() => world?.close());

afterEach(async () => {
  await mend();
  mend = async () => undefined;
  await herd.provoke({ agent: false });
  await herd.expectWell();
});

/** A clone of the branch as it is now, and where it stands. */
async function clone(): Promise<string> {
  await herd.idle();
  person ??= await world.person();
  await person.pull(branchName);
  return person.git('rev-parse', 'HEAD');
}

const forcePush = (what: string) =>
  person.git('push', '--quiet', '--force', 'origin', `${what}:refs/heads/${branchName}`);

/** Takes one commit back, as a person who notices does. */
async function revert(commit: string): Promise<void> {
  await person.pull(branchName);
  await person.git('revert', '--no-edit', commit);
  await person.git('push', '--quiet', 'origin', `HEAD:refs/heads/${branchName}`);
}

/** Makes the branch continue the history that it lost, with the files that it has now. */
async function rejoin(lost: string): Promise<void> {
  await herd.idle();
  await person.pull(branchName);
  await person.git('merge', '--quiet', '--allow-unrelated-histories', '-s', 'ours', '-m', 'Rejoin', lost);
  await person.git('push', '--quiet', 'origin', `HEAD:refs/heads/${branchName}`);
}

async function startAnew(message: string): Promise<void> {
  await person.git('checkout', '--quiet', '--orphan', 'anew');
  await person.commit(message);
  await forcePush('HEAD');
  await person.git('checkout', '--quiet', '-B', branchName, 'HEAD');
  await person.git('branch', '--quiet', '-D', 'anew');
}

interface Way {
  name: string;
  /** Breaks the branch. */
  begin(): Promise<void>;
  /** The agent's reason. */
  agent: string;
  /** Why the manager writes nothing; absent: it goes on writing. */
  blocked?: RegExp;
}

const ways: Way[] = [
  {
    name: 'it is overwritten by an unrelated history without mayfly.yml',
    async begin() {
      const before = await clone();
      await person.git('rm', '--quiet', '-r', '.');
      await person.write('README.md', '# something else\n');
      await startAnew('something else');
      mend = () => forcePush(before);
    },
    agent: 'installation-missing',
    blocked: /mayfly\.yml is gone/,
  },
  {
    name: 'it is overwritten by a new history that has one preview left',
    async begin() {
      const before = await clone();
      for (const { slug } of herd.previews.slice(1)) await person.git('rm', '--quiet', `apps/${slug}.yml`);
      await startAnew('squashed, and most is lost');
      mend = () => rejoin(before);
    },
    agent: 'rewritten',
  },
  {
    name: 'it is set back to an older commit',
    async begin() {
      const before = await clone();
      const [oldest] = (await person.git('log', '--format=%H', '--diff-filter=A', '--', 'apps/shop-2.yml')).split('\n');
      await forcePush(`${oldest}`);
      mend = () => rejoin(before);
    },
    agent: 'rewritten',
  },
  {
    name: 'it is deleted',
    async begin() {
      const before = await clone();
      await person.git('push', '--quiet', 'origin', '--delete', branchName);
      mend = () => forcePush(before);
    },
    agent: 'installation-missing',
    blocked: /The branch is gone/,
  },
  {
    name: 'mayfly.yml is removed',
    async begin() {
      await clone();
      await person.git('rm', '--quiet', 'mayfly.yml');
      const commit = await person.push(branchName, 'tidy up');
      mend = () => revert(commit);
    },
    agent: 'installation-missing',
    blocked: /mayfly\.yml is gone/,
  },
  {
    name: 'mayfly.yml has the id of another installation',
    async begin() {
      await clone();
      await person.write('mayfly.yml', 'installation: 11111111-1111-4111-8111-111111111111\nlayout: 1\n');
      for (const { slug } of herd.previews) await person.git('rm', '--quiet', `apps/${slug}.yml`);
      const commit = await person.push(branchName, 'another installation takes over');
      mend = () => revert(commit);
    },
    agent: 'installation-changed',
    blocked: /belongs to installation 11111111/,
  },
  {
    name: 'mayfly.yml is not YAML any more',
    async begin() {
      await clone();
      await person.write('mayfly.yml', '<<<<<<< HEAD\ninstallation: [\n');
      const commit = await person.push(branchName, 'a merge gone wrong');
      mend = () => revert(commit);
    },
    agent: 'installation-missing',
    blocked: /cannot be read/,
  },
  {
    name: 'apps/ is removed by one commit',
    async begin() {
      await clone();
      await person.git('rm', '--quiet', '-r', 'apps');
      const commit = await person.push(branchName, 'remove apps');
      mend = () => revert(commit);
    },
    // The manager puts the folder back, empty.
    agent: 'all-files-gone',
  },
  {
    name: 'apps/ is renamed',
    async begin() {
      await clone();
      await person.git('mv', 'apps', 'applications');
      const commit = await person.push(branchName, 'rename the folder');
      mend = () => revert(commit);
    },
    agent: 'all-files-gone',
  },
  {
    name: 'every file is removed by one commit',
    async begin() {
      await clone();
      for (const { slug } of herd.previews) await person.git('rm', '--quiet', `apps/${slug}.yml`);
      const commit = await person.push(branchName, 'remove all');
      mend = () => revert(commit);
    },
    agent: 'all-files-gone',
  },
  {
    name: 'four files are removed by one commit',
    async begin() {
      await clone();
      for (const { slug } of herd.previews.slice(0, 4)) await person.git('rm', '--quiet', `apps/${slug}.yml`);
      const commit = await person.push(branchName, 'remove four');
      mend = () => revert(commit);
    },
    agent: 'limit',
  },
  {
    name: 'a replacement over all files gives them another incarnation',
    async begin() {
      await clone();
      for (const { slug } of herd.previews) {
        const text = await person.read(`apps/${slug}.yml`);
        await person.write(`apps/${slug}.yml`, text.replace(/(mayfly\.dev\/incarnation: ")\d+"/, '$199"'));
      }
      const commit = await person.push(branchName, 'replace all');
      mend = () => revert(commit);
    },
    agent: 'limit',
  },
];

describe('the branch is broken, and none goes', () => {
  test.each(ways)('$name', async ({ begin, agent, blocked }) => {
    const mark = world.log.mark();
    await begin();
    await herd.provoke();
    await expectAgentHolds(world, agent, mark);
    if (blocked !== undefined) await expectManagerBlocked(world, blocked, mark);
    await herd.agentSpoke();
    await herd.expectNoneLost();
  });

  test('every file is made unreadable: they stay as they are, and the agent says so', async () => {
    const mark = world.log.mark();
    await clone();
    for (const { slug } of herd.previews) await person.write(`apps/${slug}.yml`, 'a: [unclosed\n');
    const commit = await person.push(branchName, 'a bad merge');
    mend = () => revert(commit);
    await herd.provoke();
    await herd.expectNoneLost();
    expect(world.log.find('file not followed', mark).length).toBeGreaterThanOrEqual(12);
    const shown = await callApi<{ edited: string | null }>(world, '/previews/shop-3');
    expect(shown.edited).toBe('refused');
  });
});

describe('what is rendered for all is wrong, and what lives goes on', () => {
  const good = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {{slug}}
spec:
  project: default
  destination: {name: {{cluster}}, namespace: {{namespace}}}
  source: {repoURL: {{quote source.repoURL}}, targetRevision: {{sha}}, path: {{quote source.path}}}
`;
  const templates = [
    { name: 'the template cannot be read', text: good.replace('{{slug}}', '{{slug') },
    { name: 'the template gives the same name to all', text: good.replace('{{slug}}', 'shop') },
    { name: 'the template renders nothing', text: '{{#if false}}{{/if}}\n' },
  ];

  test.each(templates)('$name', async ({ text }) => {
    const mark = world.log.mark();
    await clone();
    await person.write('templates/application.yml.hbs', text);
    const commit = await person.push(branchName, 'change the template');
    mend = async () => {
      await revert(commit);
      await herd.idle();
      for (const preview of herd.previews) await herd.push(preview);
    };
    for (const preview of herd.previews) await herd.push(preview);
    await until(
      'all have failed',
      async () => (await metric(world, 'mayfly_previews', { project: 'shop', phase: 'failed' })) === 12,
      { deadlineMs: 15_000, explain: world.log.tail },
    );
    await herd.provoke();
    await herd.expectNoneLost();
    expect(await shownPreview(world, 'shop-7')).toMatchObject({ phase: 'failed', cause: 'template' });
    expect(world.log.find('the file cannot be written', mark).length).toBeGreaterThanOrEqual(12);
  });
});

test('a person accepts two of six held deletions: exactly these go, and the others come back with their files', async () => {
  const mark = world.log.mark();
  await clone();
  const removed = herd.previews.slice(0, 6).map(({ slug }) => slug);
  const files = new Map<string, string>();
  for (const slug of removed) {
    files.set(slug, await person.read(`apps/${slug}.yml`));
    await person.git('rm', '--quiet', `apps/${slug}.yml`);
  }
  await person.push(branchName, 'remove six');
  await herd.provoke();
  await expectAgentHolds(world, 'limit', mark);
  await herd.expectNoneLost();
  const shown = (await shownBreaker(world)).agents.flatMap(({ breaker }) => breaker?.pending ?? []);
  expect(shown.map(({ slug }) => slug).sort()).toEqual([...removed].sort());
  const deletions = shown.filter(({ slug }) => slug === removed[1] || slug === removed[4]);
  const answer = await callApi<{ accepted: unknown[] }>(world, '/breaker/accept', { reason: 'not needed', deletions });
  expect(answer.accepted).toHaveLength(2);
  await herd.waitForLost([removed[1] ?? '', removed[4] ?? '']);
  await herd.agentSpoke();
  await herd.agentSpoke();
  await herd.waitForLost([removed[1] ?? '', removed[4] ?? '']);
  const condemned = world.log.find('preview is torn down', mark);
  expect(condemned.map(({ slug, why }) => `${slug}: ${why}`).sort()).toEqual([
    `${removed[1]}: accepted by olga`,
    `${removed[4]}: accepted by olga`,
  ]);
  mend = async () => {
    await person.pull(branchName);
    for (const slug of removed) {
      if (slug !== removed[1] && slug !== removed[4]) await person.write(`apps/${slug}.yml`, files.get(slug) ?? '');
    }
    await person.push(branchName, 'bring four back');
    await herd.idle();
    for (const slug of [removed[1], removed[4]]) await callApi(world, `/previews/${slug}/start`, {});
  };
});
