import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MergeRequest } from '../../src/sandbox/gitlab/model.js';
import { createPerson, type Person } from '../support/git-client.js';
import type { Program } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

/** What people do to a merge request, its branches and its project, at the worst of times. */
let stage: Stage;
let manager: Program;

beforeAll(async () => {
  stage = await openStage({
    project: {
      gate: { pipeline: 'success' },
      follow: { targetBranches: ['main', 'release/*'], forks: 'always' },
    },
  });
  const { gitlab } = stage;
  await gitlab.push(shopPath, { branch: 'release/1' });
  await gitlab.push(shopPath, { branch: 'next' });
  gitlab.setPipelinePlan(shopPath, [{ name: 'build', outcome: 'success' }]);
  manager = await stage.startManager();
  await stage.startAgent();
});

const cleanUp: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const each of cleanUp) await each();
  await stage?.close();
});

async function cloned(): Promise<Person> {
  const person = await createPerson(stage.git.repositoryUrl(shopPath));
  cleanUp.push(person.remove);
  return person;
}

async function ready(title: string): Promise<{ mergeRequest: MergeRequest; slug: string; uid: string | undefined }> {
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title, sourceBranch: title.toLowerCase() });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'ready');
  return { mergeRequest, slug, uid: await uidOf(slug) };
}

async function uidOf(slug: string): Promise<string | undefined> {
  return (await stage.namespace(slug))?.metadata.uid;
}

function deployed(slug: string, sha: string) {
  return stage.untilRow(slug, sha, (row) => row.phase === 'ready' && row.deployed_sha === sha);
}

async function verbs(slug: string): Promise<string[]> {
  const subjects = (await stage.history(slug)).map((message) => message.split('\n')[0] ?? '');
  return subjects.map((line) => line.replace(`${slug}: `, '').split(' ')[0] ?? '');
}

/** Each incarnation, the oldest first. */
async function incarnations(
  slug: string,
): Promise<{ incarnation: number; phase: string; stop_reason: string | null }[]> {
  const { rows } = await stage.database.pool.query(
    'select incarnation, phase, stop_reason from preview where slug = $1 order by incarnation',
    [slug],
  );
  return rows;
}

test('merged before its gate opened: there never was a file, and a late success of the pipeline begins nothing', async () => {
  const { gitlab } = stage;
  gitlab.setPipelinePlan(shopPath, [{ name: 'build', durationMs: null }]);
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Early', sourceBranch: 'early' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilRow(slug, 'its pipeline', (row) => row.waiting_for === 'pipeline');
  await stage.untilNote(mergeRequest, 'pipeline');
  await gitlab.mergeMergeRequest(mergeRequest);
  await stage.untilRow(slug, 'the merge', (row) => row.phase === 'stopped' && row.stop_reason === 'merged');
  await stage.untilNote(mergeRequest, 'Preview stopped', 'merged');
  const project = gitlab.project(shopPath);
  const pipeline = [...project.pipelines.values()].findLast(({ sha }) => sha === mergeRequest.headSha);
  if (pipeline === undefined) throw new Error('the push ran no pipeline');
  gitlab.finishJob(shopPath, pipeline, 'build', 'success');
  await stage.wait('the success to be heard', async () => {
    const heard = await stage.database.pool.query(
      `select from delivery where event = 'pipeline' and facts ->> 'sha' = $1 and facts ->> 'status' = 'success'`,
      [mergeRequest.headSha],
    );
    return heard.rowCount !== 0;
  });
  gitlab.setPipelinePlan(shopPath, [{ name: 'build', outcome: 'success' }]);
  // What was heard before this one was decided before it.
  await ready('After');
  expect(await incarnations(slug)).toEqual([{ incarnation: 1, phase: 'stopped', stop_reason: 'merged' }]);
  expect(await stage.history(slug)).toEqual([]);
  expect(await stage.namespace(slug)).toBeUndefined();
});

test('merged while its first file is being pushed: the file goes, and nothing is left', async () => {
  const { gitlab } = stage;
  const held = await stage.holdPushes();
  const mergeRequest = await gitlab.createMergeRequest(shopPath, { title: 'Hasty', sourceBranch: 'hasty' });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.wait('the push', held.reached);
  await gitlab.mergeMergeRequest(mergeRequest);
  await stage.untilRow(slug, 'the merge', (row) => row.phase === 'stopping' && row.stop_reason === 'merged');
  await held.release();
  await stage.untilPhase(slug, 'stopped');
  expect(await verbs(slug)).toEqual(['deploy', 'remove']);
  expect(await stage.file(slug)).toBeUndefined();
  expect(await stage.namespace(slug)).toBeUndefined();
});

// Each waits for a namespace to be gone: they wait together.
describe.concurrent('at the same time', () => {
  test('closed, and reopened while it is torn down: one lives in the end, begun when the other was gone', async () => {
    const { gitlab } = stage;
    const { mergeRequest, slug, uid } = await ready('Reopened');
    gitlab.closeMergeRequest(mergeRequest);
    await stage.untilRow(slug, 'the stop', (row) => row.phase === 'stopping');
    await gitlab.reopenMergeRequest(mergeRequest);
    await stage.untilPhase(slug, 'ready', 2);
    expect(await incarnations(slug)).toEqual([
      { incarnation: 1, phase: 'stopped', stop_reason: 'closed' },
      { incarnation: 2, phase: 'ready', stop_reason: null },
    ]);
    const namespace = await stage.namespace(slug);
    expect(namespace?.metadata.labels).toMatchObject({ 'mayfly.dev/incarnation': '2' });
    expect(namespace?.metadata.uid).not.toBe(uid);
    const { rows } = await stage.database.pool.query(
      `select bool_and(n.at >= e.at) as in_order from preview_event e, preview_event n where e.slug = $1 and n.slug = $1
        and e.incarnation = 1 and e.kind = 'stopped' and n.incarnation = 2 and n.kind = 'deploying'`,
      [slug],
    );
    expect(rows).toEqual([{ in_order: true }]);
    expect(await verbs(slug)).toEqual(['deploy', 'remove', 'deploy']);
    await stage.untilNote(mergeRequest, 'Preview ready');
    expect(stage.notes(mergeRequest)).toHaveLength(1);
  });

  test('closed and reopened again and again within a second: one lives in the end', async () => {
    const { gitlab } = stage;
    const { mergeRequest, slug } = await ready('Toggled');
    for (let times = 0; times < 5; times += 1) {
      gitlab.closeMergeRequest(mergeRequest);
      await gitlab.reopenMergeRequest(mergeRequest);
    }
    const { id: sha } = await gitlab.push(shopPath, { branch: 'toggled' });
    await deployed(slug, sha);
    const all = await incarnations(slug);
    expect(all.filter(({ phase }) => phase !== 'stopped')).toHaveLength(1);
    expect((await stage.namespace(slug))?.metadata.labels).toMatchObject({
      'mayfly.dev/incarnation': String(all.at(-1)?.incarnation),
    });
    await stage.untilNote(mergeRequest, 'Preview ready', sha.slice(0, 8));
    expect(stage.notes(mergeRequest)).toHaveLength(1);
  });

  test('force-pushed, back and forth, and rebased: the commit that GitLab shows is what runs', async () => {
    const { mergeRequest, slug, uid } = await ready('Rewritten');
    const person = await cloned();
    const first = mergeRequest.headSha ?? '';
    await person.pull('rewritten');
    await person.git('commit', '--quiet', '--amend', '--message', 'Said otherwise');
    const amended = await person.git('rev-parse', 'HEAD');
    await person.git('push', '--quiet', '--force', 'origin', 'HEAD:refs/heads/rewritten');
    await deployed(slug, amended);
    await person.git('push', '--quiet', '--force', 'origin', `${first}:refs/heads/rewritten`);
    await deployed(slug, first);

    await stage.gitlab.push(shopPath, { branch: 'main', files: { 'MAIN.md': 'moved on\n' } });
    await person.git('fetch', '--quiet', 'origin', 'main');
    await person.git('rebase', '--quiet', 'FETCH_HEAD');
    const rebased = await person.git('rev-parse', 'HEAD');
    expect(rebased).not.toBe(amended);
    await person.git('push', '--quiet', '--force', 'origin', 'HEAD:refs/heads/rewritten');
    await deployed(slug, rebased);

    expect(await stage.file(slug)).toContain(`targetRevision: ${rebased}`);
    expect(await verbs(slug)).toEqual(['deploy', 'deploy', 'deploy', 'deploy']);
    expect(await uidOf(slug)).toBe(uid);
    await stage.untilNote(mergeRequest, 'Preview ready', rebased.slice(0, 8));
    expect(stage.notes(mergeRequest)).toHaveLength(1);
  });

  test('retargeted: what is followed goes on, what is not ends, and the way back begins the next one', async () => {
    const { gitlab } = stage;
    const { mergeRequest, slug, uid } = await ready('Retargeted');
    await gitlab.updateMergeRequest(mergeRequest, { targetBranch: 'release/1' });
    const { id: sha } = await gitlab.push(shopPath, { branch: 'retargeted' });
    await deployed(slug, sha);
    expect(await uidOf(slug)).toBe(uid);

    await gitlab.updateMergeRequest(mergeRequest, { targetBranch: 'next' });
    expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'unfollowed' });
    expect(await stage.file(slug)).toBeUndefined();
    await stage.untilNote(mergeRequest, 'its target branch is none of `follow.targetBranches`');
    await gitlab.updateMergeRequest(mergeRequest, { targetBranch: 'main' });
    await stage.untilPhase(slug, 'ready', 2);
    await stage.untilNote(mergeRequest, 'Preview ready');
  });

  test('its source branch is deleted: GitLab closes it, and it goes', async () => {
    const { mergeRequest, slug } = await ready('Branchless');
    const person = await cloned();
    await person.git('push', '--quiet', 'origin', '--delete', 'branchless');
    expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'closed' });
    expect(await stage.namespace(slug)).toBeUndefined();
    await stage.untilNote(mergeRequest, 'Preview stopped', 'the merge request was closed');
  });

  test('the fork that it came from is deleted: what runs goes on until the merge request ends', async () => {
    const { gitlab } = stage;
    const eve = gitlab.addUser({ username: 'eve', name: 'Eve' });
    const fork = await gitlab.createProject({ path: 'eve/shop', forkedFrom: gitlab.project(shopPath), owner: eve });
    const person = await cloned();
    await person.pull('main');
    await person.git('push', '--quiet', stage.git.repositoryUrl('eve/shop'), 'HEAD:refs/heads/main');
    await stage.wait('the fork to have it', () => fork.branches.has('main'));
    const mergeRequest = await gitlab.createMergeRequest(shopPath, {
      title: 'From a fork',
      sourceProject: fork,
      sourceBranch: 'of-eve',
      author: eve,
    });
    const slug = `shop-${mergeRequest.iid}`;
    // A fork's own pipeline opens no gate: one of the target project does.
    await stage.untilRow(slug, 'its pipeline', (row) => row.waiting_for === 'pipeline');
    await person.git('fetch', '--quiet', 'origin', `refs/merge-requests/${mergeRequest.iid}/head`);
    await person.git('push', '--quiet', 'origin', 'FETCH_HEAD:refs/heads/trusted');
    await stage.untilPhase(slug, 'ready');
    const uid = await uidOf(slug);

    gitlab.removeProject(fork);
    await gitlab.updateMergeRequest(mergeRequest, { title: 'From a fork that is gone' });
    await stage.wait('that to be known', async () => {
      const known = await stage.database.pool.query(
        `select from merge_request where iid = $1 and facts ->> 'title' like '%gone' and facts ->> 'sourceProjectId' is null`,
        [mergeRequest.iid],
      );
      return known.rowCount === 1;
    });
    expect(await stage.row(slug)).toMatchObject({ phase: 'ready', unknown_since: null });
    expect(await uidOf(slug)).toBe(uid);
    gitlab.closeMergeRequest(mergeRequest);
    expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'closed' });
  });
});

test('its project is renamed: the id is who it is, and the next commit comes from the new address', async () => {
  const { gitlab } = stage;
  const { mergeRequest, slug, uid } = await ready('Renamed');
  const shop = gitlab.project(shopPath);
  await gitlab.moveProject(shop, 'acme/store');
  // Between two ticks of the clock, nobody has looked under which path it is found now.
  await manager.kill('SIGTERM');
  manager = await stage.startManager();
  await stage.wait('the new path to be told', () =>
    manager.logLines().some(({ msg }) => msg === 'project has another path now, set it in the configuration'),
  );
  const { id: sha } = await gitlab.push(shop, { branch: 'renamed' });
  await deployed(slug, sha);
  expect(await stage.file(slug)).toContain(`repoURL: ${stage.git.repositoryUrl('acme/store')}`);
  expect(await incarnations(slug)).toEqual([{ incarnation: 1, phase: 'ready', stop_reason: null }]);
  expect(await uidOf(slug)).toBe(uid);
  await stage.untilNote(mergeRequest, 'Preview ready', sha.slice(0, 8));
  expect(stage.notes(mergeRequest)).toHaveLength(1);

  // To where the agent may not read: nothing new is deployed, and what runs stays.
  await gitlab.moveProject(shop, 'labs/store');
  await manager.kill('SIGTERM');
  manager = await stage.startManager();
  expect(await stage.untilPhase(slug, 'failed')).toMatchObject({ cause: 'source', deployed_sha: sha });
  await stage.untilNote(mergeRequest, 'Preview failed', 'labs/store');
  expect(await uidOf(slug)).toBe(uid);
  expect(await stage.deployment(slug)).toBeDefined();
  gitlab.closeMergeRequest(mergeRequest);
  await stage.untilPhase(slug, 'stopped');
});
