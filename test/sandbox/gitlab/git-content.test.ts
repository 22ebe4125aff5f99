import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { api, pick, temporaryFolder, testGitLab, until, webhookReceiver } from './gitlab-fixture.js';

async function git(folder: string, ...args: string[]): Promise<string> {
  const who = ['-c', 'user.name=Ann', '-c', 'user.email=ann@example.com'];
  const env = { ...process.env, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
  return (await promisify(execFile)('git', ['-C', folder, ...who, ...args], { env })).stdout.trim();
}

async function scene() {
  const gitRoot = await temporaryFolder();
  const gitlab = await testGitLab({ gitRoot });
  const project = await gitlab.createProject({
    path: 'acme/shop',
    files: { 'README.md': '# shop\n', 'deploy/app.yml': 'replicas: 1\n', 'deploy/deep/er.txt': 'x\n' },
  });
  const bare = `${gitRoot}/acme/shop.git`;
  const work = await temporaryFolder();
  await git(work, 'clone', '--quiet', bare, '.');
  return { gitlab, project, bare, work, gitRoot };
}

describe('projects with real Git content', () => {
  it('have commits that a Git client sees, with only the touched files changed', async () => {
    const { gitlab, project, bare, work } = await scene();
    const mergeRequest = await gitlab.createMergeRequest(project, {
      sourceBranch: 'feature/x',
      files: { 'deploy/app.yml': 'replicas: 2\n', 'new/file.txt': 'new\n' },
    });
    await git(work, 'fetch', '--quiet', 'origin', 'feature/x');
    expect(await git(work, 'rev-parse', 'FETCH_HEAD')).toBe(mergeRequest.headSha);
    expect(await git(work, 'diff', '--name-status', 'origin/main', 'FETCH_HEAD')).toBe(
      'M\tdeploy/app.yml\nA\tnew/file.txt',
    );
    expect(await git(bare, 'rev-parse', 'refs/merge-requests/1/head')).toBe(mergeRequest.headSha);
    expect(await git(bare, 'fsck', '--strict')).toBe('');
    const second = await gitlab.push(project, { branch: 'feature/x', files: { 'new/file.txt': null } });
    expect(await git(bare, 'rev-parse', 'refs/merge-requests/1/head')).toBe(second.id);
    expect(await git(bare, 'ls-tree', '-r', '--name-only', second.id)).toBe(
      'README.md\ndeploy/app.yml\ndeploy/deep/er.txt',
    );
  });

  it('notice what a Git client pushed: branch, merge request, webhooks', async () => {
    const { gitlab, project, work } = await scene();
    const receiver = await webhookReceiver();
    gitlab.addHook(project, { url: receiver.url });
    const mergeRequest = await gitlab.createMergeRequest(project, { sourceBranch: 'f' });
    const before = mergeRequest.headSha;
    await git(work, 'fetch', '--quiet', 'origin');
    await git(work, 'checkout', '--quiet', 'f');
    await writeFile(`${work}/README.md`, '# changed\n');
    await git(work, 'commit', '--quiet', '--all', '--message', 'Change the title');
    const sha = await git(work, 'rev-parse', 'HEAD');
    await git(work, 'push', '--quiet', 'origin', 'f');
    await gitlab.noticePush('acme/shop');
    await gitlab.hooks.idle();

    expect(mergeRequest.headSha).toBe(sha);
    expect(mergeRequest.versions).toHaveLength(2);
    const push = receiver.received.map(({ body }) => body).findLast((body) => pick(body, 'object_kind') === 'push');
    expect(push).toMatchObject({ before, after: sha, checkout_sha: sha, total_commits_count: 1 });
    expect(pick(push, 'commits.0')).toMatchObject({
      id: sha,
      title: 'Change the title',
      modified: ['README.md'],
      added: [],
    });
    const update = receiver.received.map(({ body }) => body).at(-1);
    expect(pick(update, 'object_attributes')).toMatchObject({ action: 'update', oldrev: before });
  });

  it('call a merge request merged when a push brings its head into the target', async () => {
    const { gitlab, project, work } = await scene();
    const mergeRequest = await gitlab.createMergeRequest(project, { sourceBranch: 'f' });
    await git(work, 'fetch', '--quiet', 'origin');
    await git(work, 'merge', '--quiet', '--no-ff', '--message', 'Merge f', 'origin/f');
    await git(work, 'push', '--quiet', 'origin', 'HEAD:main');
    await gitlab.noticePush(project);
    expect(mergeRequest.state).toBe('merged');
  });

  it('merge what can be merged, and refuse a conflict', async () => {
    const { gitlab, project, bare } = await scene();
    const a = await gitlab.createMergeRequest(project, { sourceBranch: 'a', files: { 'deploy/app.yml': 'a\n' } });
    const b = await gitlab.createMergeRequest(project, { sourceBranch: 'b', files: { 'deploy/app.yml': 'b\n' } });
    const c = await gitlab.createMergeRequest(project, { sourceBranch: 'c', files: { 'c.txt': 'c\n' } });
    await gitlab.mergeMergeRequest(a, { removeSourceBranch: true });
    await gitlab.mergeMergeRequest(c);
    expect(await git(bare, 'show', 'main:deploy/app.yml')).toBe('a');
    expect(await git(bare, 'show', 'main:c.txt')).toBe('c');
    expect(await git(bare, 'rev-list', '--count', '--min-parents=2', 'main')).toBe('2');
    expect(project.branches.has('a')).toBe(false);
    const refused = await api(gitlab, `/projects/1/merge_requests/${b.iid}/merge`, { method: 'PUT' });
    expect(refused).toMatchObject({ status: 422, body: { message: 'Branch cannot be merged' } });
    expect(b.state).toBe('opened');
  });

  it('take merge requests from a fork; the branch’s end closes them, and their head stays', async () => {
    const { gitlab, project, bare, gitRoot } = await scene();
    const fork = await gitlab.createProject({ path: 'eve/shop', forkedFrom: project });
    await git(`${gitRoot}/eve/shop.git`, 'fetch', '--quiet', bare, 'main:main');
    await gitlab.noticePush(fork);
    const eve = gitlab.addUser({ username: 'eve', project: fork, accessLevel: 50 });
    const mergeRequest = await gitlab.createMergeRequest(project, {
      sourceProject: fork,
      sourceBranch: 'theirs',
      author: eve,
      files: { 'theirs.txt': 'x\n' },
    });
    await api(gitlab, `/projects/${fork.id}/repository/branches/theirs`, { method: 'DELETE' });
    const one = (await api(gitlab, '/projects/1/merge_requests/1')).body;
    expect(one).toMatchObject({ source_project_id: fork.id, target_project_id: project.id, state: 'closed' });
    expect(await git(bare, 'rev-parse', 'refs/merge-requests/1/head')).toBe(mergeRequest.headSha);
  });

  it('are changed through the files and commits API, and refuse what cannot be', async () => {
    const { gitlab, bare } = await scene();
    const files = '/projects/acme%2Fshop/repository/files/';
    const body = { branch: 'main', commit_message: 'Change', content: 'replicas: 9\n' };
    expect((await api(gitlab, `${files}deploy%2Fapp.yml`, { method: 'PUT', body })).status).toBe(200);
    expect(await git(bare, 'show', 'main:deploy/app.yml')).toBe('replicas: 9');
    const again = await api(gitlab, `${files}deploy%2Fapp.yml`, { body });
    expect(again).toMatchObject({ status: 400, body: { message: 'A file with this name already exists' } });
    const read = await api(gitlab, `${files}deploy%2Fapp.yml?ref=main`);
    expect(Buffer.from(String(pick(read.body, 'content')), 'base64').toString()).toBe('replicas: 9\n');
    expect((await api(gitlab, `${files}none?ref=main`)).body).toEqual({ message: '404 File Not Found' });
    const commit = (actions: object[], branch = 'main') =>
      api(gitlab, '/projects/1/repository/commits', { body: { branch, commit_message: 'x', actions } });
    expect((await commit([{ action: 'update', file_path: 'none', content: '' }])).status).toBe(400);
    expect((await commit([{ action: 'create', file_path: '.git/config', content: '' }])).status).toBe(400);
    expect((await commit([{ action: 'create', file_path: 'a/../../b', content: '' }])).status).toBe(400);
    expect((await commit([{ action: 'delete', file_path: 'README.md' }], 'nowhere')).status).toBe(400);
  });

  it('outlive a restart, with what was pushed meanwhile', async () => {
    const gitRoot = await temporaryFolder();
    const dataFile = `${gitRoot}/state.json`;
    const first = await testGitLab({ gitRoot, dataFile });
    const project = await first.createProject({ path: 'acme/shop', files: { 'a.txt': 'a\n' } });
    first.setPipelinePlan(project, [{ name: 'build', durationMs: null }]);
    const opened = await first.createMergeRequest(project, { sourceBranch: 'f' });
    first.comment(opened, 'kept');
    await until('it runs', () => [...project.pipelines.values()].some(({ status }) => status === 'running'));
    const token = first.token;
    await first.close();
    const work = await temporaryFolder();
    await git(work, 'clone', '--quiet', '--branch', 'f', `${gitRoot}/acme/shop.git`, '.');
    await git(work, 'commit', '--quiet', '--allow-empty', '--message', 'meanwhile');
    await git(work, 'push', '--quiet', 'origin', 'f');

    const second = await testGitLab({ gitRoot, dataFile });
    expect(second.token).toBe(token);
    const mergeRequest = second.mergeRequest('acme/shop', 1);
    expect(mergeRequest.headSha).toBe(await git(work, 'rev-parse', 'HEAD'));
    expect([...mergeRequest.notes.values()].map(({ body }) => body)).toContain('kept');
    const next = await second.createMergeRequest('acme/shop', { sourceBranch: 'g' });
    expect(next.iid).toBe(2);
    expect(next.id).toBeGreaterThan(mergeRequest.id);
  });
});
