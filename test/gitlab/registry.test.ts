import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createGitLab, type GitLab } from '../../src/gitlab/client.js';
import { hasRegistryTag } from '../../src/gitlab/registry.js';
import type { Project } from '../../src/sandbox/gitlab/model.js';
import { type GitLab as StandIn, startGitLab } from '../../src/sandbox/gitlab/start-gitlab.js';

let standIn: StandIn;
let gitlab: GitLab;
let calls: string[];
let shop: Project;
let count = 0;

beforeAll(async () => {
  standIn = await startGitLab();
});

afterAll(async () => {
  await gitlab.close();
  await standIn.close();
});

beforeEach(async () => {
  await gitlab?.close();
  calls = [];
  const observe = ({ call }: { call: string }) => calls.push(call);
  gitlab = createGitLab({ url: standIn.url, token: standIn.token, observe, retry: { maxAttempts: 1 } });
  count += 1;
  shop = await standIn.createProject({ path: `Acme/Shop${count}` });
});

const has = (repository: string, tag = 'a1b2') => hasRegistryTag(gitlab, { projectId: shop.id, repository, tag });

it('finds a tag in the repository of the project, or below it', async () => {
  expect(await has(`acme/shop${count}`)).toBe(false);
  standIn.addImage(shop, 'a1b2');
  standIn.addImage(shop, 'c3d4', 'web');
  expect(await has(`acme/shop${count}`)).toBe(true);
  expect(await has(`acme/shop${count}`, 'c3d4')).toBe(false);
  expect(await has(`acme/shop${count}/web`, 'c3d4')).toBe(true);
  expect(await has(`acme/shop${count}/other`)).toBe(false);
});

it('asks for no more than the tag once it knows the repository', async () => {
  standIn.addImage(shop, 'a1b2');
  await has(`acme/shop${count}`);
  calls = [];
  expect(await has(`acme/shop${count}`, 'none')).toBe(false);
  expect(calls).toEqual(['registry.tag']);
});

it('finds the image of another project by its path', async () => {
  const images = await standIn.createProject({ path: `tools/images${count}` });
  standIn.addImage(images, 'a1b2', 'base');
  expect(await has(`tools/images${count}/base`)).toBe(true);
  expect(await has(`nobody/images${count}/base`)).toBe(false);
});

it('does not take silence for an answer', async () => {
  standIn.addImage(shop, 'a1b2');
  standIn.faults.add({ kind: 'token-expired', path: 'registry', count: 1 });
  await expect(has(`acme/shop${count}`)).rejects.toMatchObject({ code: 'gitlab-unauthorized' });
  standIn.faults.add({ kind: 'bad-gateway', path: 'tags', count: 1 });
  await expect(has(`acme/shop${count}`)).rejects.toMatchObject({ code: 'gitlab-unavailable' });
});
