import { afterAll, beforeAll, expect, test } from 'vitest';
import { followJob } from '../../src/manager/serve-tasks.js';
import type { MergeRequest, User } from '../../src/sandbox/gitlab/model.js';
import { indexState } from '../../src/sandbox/gitlab/state.js';
import { enqueue } from '../../src/store/queue.js';
import { git } from '../support/git-client.js';
import { type Program, runProgram } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

/** What befalls GitLab itself, while the manager and the agent go on. */
let stage: Stage;
let manager: Program;
let ada: User;

beforeAll(async () => {
  stage = await openStage();
  ada = stage.gitlab.addUser({ username: 'ada', name: 'Ada', project: shopPath, accessLevel: 30 });
  manager = await stage.startManager();
  await stage.startAgent();
});

afterAll(() => stage?.close());

const anHourMs = 3_600_000;

async function ready(title: string): Promise<{ mergeRequest: MergeRequest; slug: string }> {
  const mergeRequest = await stage.gitlab.createMergeRequest(shopPath, { title, sourceBranch: title.toLowerCase() });
  const slug = `shop-${mergeRequest.iid}`;
  await stage.untilPhase(slug, 'ready');
  await stage.untilNote(mergeRequest, 'Preview ready');
  return { mergeRequest, slug };
}

async function uidOf(slug: string): Promise<string | undefined> {
  return (await stage.namespace(slug))?.metadata.uid;
}

function deployed(slug: string, sha: string) {
  return stage.untilRow(slug, sha, (row) => row.phase === 'ready' && row.deployed_sha === sha);
}

/** The full listing of the catch-up, which the clock asks for every ten minutes. */
async function catchUp(): Promise<void> {
  await stage.database.pool.query('update follow_cursor set listed_at = null');
  await enqueue(stage.database.pool, [followJob(stage.gitlab.project(shopPath).id)]);
}

async function order(slug: string, verb: string): Promise<number> {
  const headers = { authorization: `Bearer ${stage.apiToken}`, 'content-type': 'application/json' };
  const answer = await fetch(`${stage.managerUrl}/api/v1/previews/${slug}/${verb}`, {
    method: 'POST',
    headers,
    body: '{}',
  });
  return answer.status;
}

async function cli(...words: string[]): Promise<string> {
  const env = { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken };
  const { code, output } = await runProgram(words, { env });
  expect(code, output).toBe(0);
  return output;
}

test('no webhook arrives for a day: the catch-up finds what was opened, pushed, ordered, merged and closed', async () => {
  const { gitlab } = stage;
  const shop = gitlab.project(shopPath);
  const [pushed, ordered, merged, closed] = await Promise.all(['Pushed', 'Ordered', 'Merged', 'Closed'].map(ready));
  if (!pushed || !ordered || !merged || !closed) throw new Error('four were opened');
  const hooks = new Map(shop.hooks);
  shop.hooks.clear();
  const { id: sha } = await gitlab.push(shopPath, { branch: 'pushed' });
  gitlab.comment(ordered.mergeRequest, '/preview stop', { user: ada });
  await gitlab.mergeMergeRequest(merged.mergeRequest);
  gitlab.closeMergeRequest(closed.mergeRequest);
  const opened = await gitlab.createMergeRequest(shopPath, { title: 'Opened' });
  // As it is after a day without any: the last listing is old.
  await stage.database.pool.query(`update follow_cursor set listed_at = listed_at - interval '1 day',
    updated_after = updated_after - interval '1 day'`);
  await enqueue(stage.database.pool, [followJob(shop.id)]);

  await deployed(pushed.slug, sha);
  await stage.untilPhase(`shop-${opened.iid}`, 'ready');
  for (const [{ slug }, reason] of [
    [ordered, 'command'],
    [merged, 'merged'],
    [closed, 'closed'],
  ] as const) {
    expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: reason });
  }
  shop.hooks = hooks;
});

test('its project is archived: it can still be stopped, and the note follows when it may be written again', async () => {
  const { gitlab } = stage;
  const { mergeRequest, slug } = await ready('Archived');
  const path = `/projects/${mergeRequest.projectId}/`;
  for (const method of ['POST', 'PUT', 'DELETE']) gitlab.faults.add({ kind: 'forbidden', method, path });
  expect(await order(slug, 'stop')).toBe(202);
  expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'operator' });
  expect(await stage.namespace(slug)).toBeUndefined();
  expect(await stage.file(slug)).toBeUndefined();
  await stage.wait('the refusal in the log', () => manager.output().includes('gitlab-forbidden'));
  expect(stage.notes(mergeRequest)[0]?.body).toContain('Preview ready');
  gitlab.faults.clear();
  await stage.untilNote(mergeRequest, 'Preview stopped');
});

test('it is deleted in GitLab: unknown, told, nothing goes until an operator stops it', async () => {
  const { gitlab } = stage;
  const { mergeRequest, slug } = await ready('Deleted');
  const uid = await uidOf(slug);
  gitlab.project(shopPath).mergeRequests.delete(mergeRequest.iid);
  await catchUp();
  const { unknown_since: since } = await stage.untilRow(slug, 'unknown', (row) => row.unknown_since !== null);
  expect(await stage.row(slug)).toMatchObject({ phase: 'ready', stop_reason: null });
  expect(await uidOf(slug)).toBe(uid);
  expect(await stage.file(slug)).toBeDefined();
  expect(await stage.api(`/previews/${slug}`)).toMatchObject({ phase: 'ready', unknownSince: since?.toISOString() });
  expect(await cli('list')).toMatch(new RegExp(`${slug} .*ready \\(unknown to GitLab since `));
  expect(manager.output()).toContain('merge request not read');

  expect(await order(slug, 'stop')).toBe(202);
  expect(await stage.untilPhase(slug, 'stopped')).toMatchObject({ stop_reason: 'operator' });
  expect(await stage.namespace(slug)).toBeUndefined();
});

test('GitLab is restored from a backup: commits, states, numbers and notes go back, and Mayfly with them', async () => {
  const { gitlab } = stage;
  const shop = gitlab.project(shopPath);
  const [older, reopened] = await Promise.all(['Older', 'Reopens'].map(ready));
  if (!older || !reopened) throw new Error('two were opened');
  const sha = older.mergeRequest.headSha ?? '';
  const restore = await takeBackup([older.mergeRequest.iid, reopened.mergeRequest.iid]);

  await deployed(older.slug, (await gitlab.push(shopPath, { branch: 'older' })).id);
  await gitlab.mergeMergeRequest(reopened.mergeRequest);
  const reused = await ready('Reused');
  const orphaned = await ready('Orphaned');
  gitlab.comment(reused.mergeRequest, '/preview stop', { user: ada });
  for (const { slug } of [reopened, reused]) await stage.untilPhase(slug, 'stopped');
  const uid = await uidOf(orphaned.slug);

  await restore();
  await catchUp();

  // An older commit, and a note that nobody made any more.
  await deployed(older.slug, sha);
  const restored = gitlab.mergeRequest(shop, older.mergeRequest.iid);
  expect(restored).not.toBe(older.mergeRequest);
  await stage.untilNote(restored, 'Preview ready', sha.slice(0, 8));
  expect(stage.notes(restored)).toHaveLength(1);
  // Open again, though nobody reopened it.
  await stage.untilPhase(reopened.slug, 'ready', 2);
  // Gone: unknown, and left alone.
  await stage.untilRow(orphaned.slug, 'unknown', (row) => row.unknown_since !== null);
  expect(await stage.row(orphaned.slug)).toMatchObject({ phase: 'ready', incarnation: 1 });
  expect(await uidOf(orphaned.slug)).toBe(uid);

  // The same numbers are given again: what was ordered of the former bearers counts no more.
  const next = await gitlab.createMergeRequest(shopPath, { title: 'Another', sourceBranch: 'another' });
  expect(`shop-${next.iid}`).toBe(reused.slug);
  await stage.untilPhase(reused.slug, 'ready', 2);
  const extend = gitlab.comment(next, '/preview extend 9d', { user: ada });
  await stage.wait('the answer', () => extend.awards.some(({ name }) => name === 'thumbsup'));
  const end = extend.createdAt + 9 * 24 * anHourMs;
  await stage.untilRow(reused.slug, 'the extension', (row) => row.expires_at.getTime() === end);
  await stage.untilNote(next, 'Preview ready');
  expect(stage.notes(next)).toHaveLength(1);

  const heir = await gitlab.createMergeRequest(shopPath, { title: 'Heir', sourceBranch: 'heir' });
  expect(`shop-${heir.iid}`).toBe(orphaned.slug);
  await deployed(orphaned.slug, heir.headSha ?? '');
  await stage.untilNote(heir, 'Preview ready', (heir.headSha ?? '').slice(0, 8));
  expect(stage.notes(heir)).toHaveLength(1);
  expect((await stage.row(orphaned.slug))?.unknown_since).toBeNull();
});

/** The project as it was an hour before: without what Mayfly said of these. Answers what brings it back. */
async function takeBackup(iids: readonly number[]): Promise<() => Promise<void>> {
  const { ctx } = stage.gitlab;
  const shop = stage.gitlab.project(shopPath);
  const repository = stage.git.directory(shopPath);
  const refs = await git(repository, 'for-each-ref', '--format=%(objectname) %(refname)');
  const kept = structuredClone({ project: shop, lastIds: ctx.state.lastIds });
  for (const iid of iids) {
    const mergeRequest = kept.project.mergeRequests.get(iid);
    if (mergeRequest === undefined) throw new Error(`no merge request !${iid}`);
    mergeRequest.updatedAt -= anHourMs;
    for (const { id, authorId } of [...mergeRequest.notes.values()]) {
      if (authorId === stage.bot.id) mergeRequest.notes.delete(id);
    }
  }
  return async () => {
    const now = await git(repository, 'for-each-ref', '--format=%(refname)');
    for (const ref of now.split('\n')) if (!refs.includes(` ${ref}`)) await git(repository, 'update-ref', '-d', ref);
    for (const line of refs.split('\n')) {
      const [sha = '', ref = ''] = line.split(' ');
      await git(repository, 'update-ref', ref, sha);
    }
    Object.assign(shop, kept.project);
    ctx.state.lastIds = kept.lastIds;
    Object.assign(ctx.index, indexState(ctx.state));
  };
}

test('the token expires: it is said everywhere, nothing is deleted, and all is seen once it works again', async () => {
  const { gitlab } = stage;
  const { mergeRequest, slug } = await ready('Expired');
  const { mergeRequest: other, slug: otherSlug } = await ready('Closes');
  const uid = await uidOf(slug);
  setRevoked(true);
  gitlab.comment(mergeRequest, '/preview redeploy', { user: ada });
  gitlab.closeMergeRequest(other);
  await stage.untilRow(otherSlug, 'unknown', (row) => row.unknown_since !== null);

  const words = 'GitLab does not accept the token of Mayfly any more (401)';
  expect(await readiness()).toEqual({ status: 200, ok: false, reason: expect.stringContaining(words) });
  expect(await metric('mayfly_gitlab_token_refused')).toBe('1');
  expect(await stage.api('/breaker')).toMatchObject({ gitlab: { text: expect.stringContaining(words) } });
  expect(await stage.api('/previews')).toMatchObject({ gitlab: { text: expect.stringContaining(words) } });
  const listed = await cli('list');
  expect(listed).toContain(words);
  expect(listed).toMatch(new RegExp(`${otherSlug} .*unknown to GitLab since `));
  const said = manager.logLines().filter(({ msg }) => msg === 'GitLab refuses the token');
  expect(said).toHaveLength(1);
  expect(await stage.row(otherSlug)).toMatchObject({ phase: 'ready', stop_reason: null });
  expect(await uidOf(slug)).toBe(uid);
  expect(await stage.namespace(otherSlug)).toBeDefined();

  setRevoked(false);
  // Whatever asks GitLab next finds out; the clock does every minute.
  await catchUp();
  expect(await stage.untilPhase(otherSlug, 'stopped')).toMatchObject({ stop_reason: 'closed', unknown_since: null });
  await stage.untilNote(other, 'Preview stopped');
  expect(await readiness()).toEqual({ status: 200, ok: true, reason: null });
  expect(await metric('mayfly_gitlab_token_refused')).toBe('0');
  expect(await stage.api('/breaker')).toMatchObject({ gitlab: null });
  await stage.wait('the order to be carried out', async () => (await stage.history(slug)).length === 2);
  await stage.untilPhase(slug, 'ready');
  expect(await uidOf(slug)).toBe(uid);
});

function setRevoked(revoked: boolean): void {
  for (const token of stage.gitlab.ctx.state.tokens.values()) {
    if (token.userId === stage.bot.id) token.revoked = revoked;
  }
}

async function readiness(): Promise<{ status: number; ok: boolean; reason: string | null }> {
  const answer = await fetch(`${stage.metricsUrl}/readyz`);
  const { checks } = (await answer.json()) as { checks: { name: string; ok: boolean; reason: string | null }[] };
  const { ok = true, reason = null } = checks.find(({ name }) => name === 'gitlab') ?? {};
  return { status: answer.status, ok, reason };
}

async function metric(name: string): Promise<string | undefined> {
  const text = await (await fetch(`${stage.metricsUrl}/metrics`)).text();
  return new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1];
}
