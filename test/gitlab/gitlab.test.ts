import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitLab, type GitLab } from '../../src/gitlab/client.js';
import { type ListedMergeRequest, listMergeRequests, readMergeRequest } from '../../src/gitlab/merge-requests.js';
import {
  awardEmoji,
  createNote,
  deleteNote,
  getNote,
  listNotes,
  listNotesAfter,
  updateNote,
} from '../../src/gitlab/notes.js';
import { currentUser, getProject, listHooks, memberAccess, ownToken } from '../../src/gitlab/projects.js';
import type { MergeRequestFacts } from '../../src/preview/facts.js';
import { type GitLab as StandIn, startGitLab } from '../../src/sandbox/gitlab/start-gitlab.js';

let standIn: StandIn;
let gitlab: GitLab;
let projectId: number;
let now = Date.UTC(2026, 2, 4, 10);

beforeAll(async () => {
  standIn = await startGitLab({ clock: () => now });
  const project = await standIn.createProject({ path: 'acme/shop' });
  projectId = project.id;
  const bot = standIn.addUser({ username: 'mayfly-bot', name: 'Mayfly', project, accessLevel: 40 });
  gitlab = createGitLab({ url: `${standIn.url}/`, token: standIn.tokenFor(bot), retry: { baseDelayMs: 5 } });
});

afterAll(async () => {
  await gitlab.close();
  await standIn.close();
});

beforeEach(() => standIn.faults.clear());

describe('a merge request', () => {
  it('is read with its last push and its last reopening', async () => {
    const opened = await standIn.createMergeRequest(projectId, {
      title: 'Draft: cart',
      sourceBranch: 'cart',
      labels: ['x'],
    });
    const openedAt = now;
    now += 60_000;
    const { id: sha } = await standIn.push(projectId, { branch: 'cart' });
    expect(await readMergeRequest(gitlab, { projectId, iid: opened.iid })).toMatchObject({
      facts: { sha, lastPushAt: openedAt + 60_000, lastReopenedAt: null },
    });
    now += 60_000;
    standIn.closeMergeRequest(opened);
    now += 60_000;
    await standIn.reopenMergeRequest(opened);
    const reading = await readMergeRequest(gitlab, { projectId, iid: opened.iid });
    expect(reading).toMatchObject({
      known: true,
      facts: {
        projectId,
        iid: opened.iid,
        state: 'opened',
        sha,
        sourceBranch: 'cart',
        targetBranch: 'main',
        title: 'Draft: cart',
        authorUsername: 'root',
        draft: true,
        labels: ['x'],
        sourceProjectId: projectId,
        createdAt: openedAt,
        endedAt: null,
        // GitLab makes a version anew when it reopens.
        lastPushAt: openedAt + 180_000,
        lastReopenedAt: openedAt + 180_000,
      },
    });
  });

  it('that ended says when', async () => {
    const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'closed' });
    now += 1_234;
    standIn.closeMergeRequest(mergeRequest);
    const reading = await readMergeRequest(gitlab, { projectId, iid: mergeRequest.iid });
    expect(reading).toMatchObject({ known: true, facts: { state: 'closed', endedAt: now, lastReopenedAt: null } });
  });

  it('that ended says by whom, and one that was reopened says nobody', async () => {
    const ada = standIn.addUser({ username: 'ada-ends', name: 'Ada' });
    const bob = standIn.addUser({ username: 'bob-ends', name: 'Bob' });
    const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'ended', sourceBranch: 'ended' });
    const enderOf = async () => {
      const reading = await readMergeRequest(gitlab, { projectId, iid: mergeRequest.iid });
      return reading.known ? reading.facts.endedBy : 'unknown';
    };
    expect(await enderOf()).toBeNull();
    standIn.closeMergeRequest(mergeRequest, ada);
    expect(await enderOf()).toBe('ada-ends');
    await standIn.reopenMergeRequest(mergeRequest);
    expect(await enderOf()).toBeNull();
    await standIn.mergeMergeRequest(mergeRequest, { user: bob });
    expect(await enderOf()).toBe('bob-ends');
  });

  it.each(['token-expired', 'not-found', 'rate-limit', 'bad-gateway', 'empty'] as const)(
    'is unknown while GitLab answers with %s',
    async (kind) => {
      const mergeRequest = await standIn.createMergeRequest(projectId, { title: kind });
      standIn.faults.add({ kind, retryAfterSeconds: 100 });
      const before = Date.now();
      const reading = await readMergeRequest(gitlab, { projectId, iid: mergeRequest.iid });
      expect(reading.known).toBe(false);
      expect(reading.readStartedAt).toBeGreaterThanOrEqual(before);
    },
  );

  it('of which only a part can be read is unknown', async () => {
    const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'part', sourceBranch: 'part' });
    now += 60_000;
    await standIn.push(projectId, { branch: 'part' });
    standIn.faults.add({ kind: 'token-expired', path: 'versions' });
    expect((await readMergeRequest(gitlab, { projectId, iid: mergeRequest.iid })).known).toBe(false);
  });

  it('is not asked for pushes and reopenings that cannot have been', async () => {
    const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'asked', sourceBranch: 'asked' });
    const read = async (known: MergeRequestFacts | null) => {
      const reading = await readMergeRequest(gitlab, { projectId, iid: mergeRequest.iid, known });
      return reading.known ? reading.facts : null;
    };
    const unreadable = () => {
      standIn.faults.add({ kind: 'token-expired', path: 'versions' });
      standIn.faults.add({ kind: 'token-expired', path: 'resource_state_events' });
    };
    unreadable();
    const opened = await read(null);
    expect(opened).toMatchObject({ lastPushAt: now, lastReopenedAt: null });
    standIn.faults.clear();
    // Within a second of the opening, and after it was read: a push like any other.
    now += 300;
    await standIn.push(projectId, { branch: 'asked' });
    expect(await read(opened)).toMatchObject({ lastPushAt: now });
    unreadable();
    now += 60_000;
    await standIn.push(projectId, { branch: 'asked' });
    expect(await read(opened)).toBeNull();
    standIn.faults.clear();
    const pushed = await read(opened);
    expect(pushed).toMatchObject({ lastPushAt: now });
    unreadable();
    expect(await read(pushed)).toEqual(pushed);
    now += 60_000;
    standIn.closeMergeRequest(mergeRequest);
    expect(await read(pushed)).toBeNull();
    now += 60_000;
    await standIn.reopenMergeRequest(mergeRequest);
    expect(await read(pushed)).toBeNull();
    standIn.faults.clear();
    expect(await read(pushed)).toMatchObject({ lastReopenedAt: now });
  });
});

describe('a listing', () => {
  async function list(updatedAfter: number | null, project = projectId): Promise<ListedMergeRequest[]> {
    const all: ListedMergeRequest[] = [];
    for await (const page of listMergeRequests(gitlab, { projectId: project, updatedAfter })) all.push(...page);
    return all;
  }

  it('has all that are open, over all pages', async () => {
    const big = await standIn.createProject({ path: 'acme/big' });
    standIn.addUser({ username: 'mayfly-bot', name: 'Mayfly', project: big });
    for (let count = 0; count < 230; count += 1) await standIn.createMergeRequest(big, { title: `${count}` });
    standIn.closeMergeRequest(standIn.mergeRequest(big, 7));
    const listed = await list(null, big.id);
    expect(listed.length).toBe(229);
    expect(new Set(listed.map((one) => one.iid)).size).toBe(229);
    expect(listed[0]).toMatchObject({ iid: 1, state: 'opened', noteCount: 0 });
  });

  it('of what changed has those that ended too', async () => {
    now += 600_000;
    const changed = await standIn.createMergeRequest(projectId, { title: 'soon closed' });
    standIn.closeMergeRequest(changed);
    expect(await list(now - 1_000)).toMatchObject([{ iid: changed.iid, state: 'closed', updatedAt: now }]);
  });

  it('fails as a whole when one page does', async () => {
    standIn.faults.add({ kind: 'token-expired', path: 'merge_requests$' });
    await expect(list(null)).rejects.toMatchObject({ code: 'gitlab-unauthorized' });
  });
});

describe('notes', () => {
  it('are created, read, edited and removed', async () => {
    const { iid } = await standIn.createMergeRequest(projectId, { title: 'notes' });
    const key = { projectId, iid };
    const noteId = await createNote(gitlab, { ...key, body: 'first' });
    expect(await getNote(gitlab, { ...key, noteId })).toMatchObject({ id: noteId, body: 'first', system: false });
    expect(await updateNote(gitlab, { ...key, noteId, body: 'second' })).toBe(true);
    expect(await getNote(gitlab, { ...key, noteId })).toMatchObject({ body: 'second' });
    await deleteNote(gitlab, { ...key, noteId });
    await deleteNote(gitlab, { ...key, noteId });
    expect(await getNote(gitlab, { ...key, noteId })).toBeNull();
    expect(await updateNote(gitlab, { ...key, noteId, body: 'third' })).toBe(false);
  });

  it('newer than one come oldest first, over pages, and no more pages are read than needed', async () => {
    const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'many notes' });
    const written = Array.from({ length: 250 }, (_, index) => standIn.comment(mergeRequest, `note ${index}`).id);
    const key = { projectId, iid: mergeRequest.iid };
    const newer = await listNotesAfter(gitlab, { ...key, afterId: written[119] ?? 0 });
    expect(newer.map((note) => note.id)).toEqual(written.slice(120));
    let pages = 0;
    for await (const page of listNotes(gitlab, key)) pages += page.length > 0 ? 1 : 0;
    expect(pages).toBe(3);
    standIn.faults.add({ kind: 'token-expired', path: 'never' });
    const counting = standIn.faults.add({ kind: 'latency', ms: 0, path: 'notes$' });
    await listNotesAfter(gitlab, { ...key, afterId: written[248] ?? 0 });
    expect(standIn.faults.list().find((fault) => fault.id === counting)?.hits).toBe(2);
  });

  it('whose creation lost its answer were created once', async () => {
    const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'lost' });
    standIn.faults.add({ kind: 'lost-answer', method: 'POST' });
    const key = { projectId, iid: mergeRequest.iid };
    await expect(createNote(gitlab, { ...key, body: 'once' })).rejects.toMatchObject({ code: 'gitlab-unclear' });
    expect((await listNotesAfter(gitlab, { ...key, afterId: 0 })).map((note) => note.body)).toEqual(['once']);
  });

  it('take an emoji, and the same again', async () => {
    const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'emoji' });
    const note = standIn.comment(mergeRequest, '/preview stop');
    const key = { projectId, iid: mergeRequest.iid, noteId: note.id, name: 'thumbsup' };
    await awardEmoji(gitlab, key);
    await awardEmoji(gitlab, key);
    expect(note.awards.map((award) => award.name)).toEqual(['thumbsup']);
  });
});

describe('a project', () => {
  it('is found by its path', async () => {
    expect(await getProject(gitlab, { project: 'acme/shop' })).toMatchObject({ id: projectId, path: 'acme/shop' });
  });

  it('has members, inherited ones included, and strangers', async () => {
    const developer = standIn.addUser({
      username: 'dev',
      name: 'Dev',
      project: projectId,
      accessLevel: 30,
      inherited: true,
    });
    const stranger = standIn.addUser({ username: 'eve', name: 'Eve' });
    expect(await memberAccess(gitlab, { projectId, userId: developer.id })).toBe(30);
    expect(await memberAccess(gitlab, { projectId, userId: stranger.id })).toBe(0);
  });

  it('has webhooks', async () => {
    standIn.addHook(projectId, { url: 'http://127.0.0.1:9/webhooks/gitlab' });
    expect(await listHooks(gitlab, { projectId })).toMatchObject([
      { url: 'http://127.0.0.1:9/webhooks/gitlab', mergeRequestsEvents: true, noteEvents: true },
    ]);
  });
});

it('the token tells who it is and what it may', async () => {
  expect(await currentUser(gitlab)).toMatchObject({ username: 'mayfly-bot' });
  expect((await ownToken(gitlab))?.scopes).toContain('api');
});
