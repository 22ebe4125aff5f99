import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createGitLab, type GitLab } from '../../src/gitlab/client.js';
import { readTargetBranch } from '../../src/gitlab/target-branch.js';
import type { Project } from '../../src/sandbox/gitlab/model.js';
import { type GitLab as StandIn, startGitLab } from '../../src/sandbox/gitlab/start-gitlab.js';

let directory: string;
let standIn: StandIn;
let gitlab: GitLab;
let cart: Project;
let calls: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mayfly-target-'));
  standIn = await startGitLab({ gitRoot: directory, gitUrl: 'http://127.0.0.1:1' });
  const observe = ({ call }: { call: string }) => calls.push(call);
  gitlab = createGitLab({ url: standIn.url, token: standIn.token, observe, retry: { maxAttempts: 1 } });
  cart = await standIn.createProject({ path: 'acme/cart', files: { 'README.md': '# cart\n' } });
});

afterAll(async () => {
  await gitlab?.close();
  await standIn?.close();
  await rm(directory, { recursive: true, force: true });
});

function read(branch: string, most = 20) {
  calls = [];
  return readTargetBranch(gitlab, { projectId: cart.id, branch, most });
}

it('answers the newest commits of the branch, the newest first', async () => {
  const first = cart.branches.get('main');
  const second = await standIn.push(cart, { branch: 'main', files: { a: '1' } });
  const third = await standIn.push(cart, { branch: 'main', files: { a: '2' } });
  expect(await read('main')).toEqual({ branch: 'main', shas: [third.id, second.id, first] });
  expect(calls).toEqual(['commit.list']);
  expect((await read('main', 2)).shas).toEqual([third.id, second.id]);
});

it('takes the default branch of a project that has none of that name', async () => {
  const release = await standIn.push(cart, { branch: 'release/1', files: { a: '3' } });
  expect((await read('release/1')).shas[0]).toBe(release.id);
  expect(await read('release/2')).toMatchObject({
    branch: 'main',
    shas: [cart.branches.get('main'), expect.any(String), expect.any(String)],
  });
});

it('takes no fault of GitLab for a branch that is not there', async () => {
  standIn.faults.add({ kind: 'token-expired', path: 'commits', count: 1 });
  await expect(read('main')).rejects.toMatchObject({ code: expect.not.stringContaining('not-found') });
});
