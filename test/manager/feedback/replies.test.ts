import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitLab, type GitLab } from '../../../src/gitlab/client.js';
import { findDiscussion, replyInDiscussion, resolveDiscussion } from '../../../src/gitlab/discussions.js';
import { createNote, deleteNote, getNote, listNotes, updateNote } from '../../../src/gitlab/notes.js';
import { currentUser } from '../../../src/gitlab/projects.js';
import { wantedReply } from '../../../src/manager/feedback/replies.js';
import { type FeedbackDeps, runFeedback } from '../../../src/manager/feedback/run.js';
import type { Preview } from '../../../src/preview/preview.js';
import type { MergeRequest, Note, Project, User } from '../../../src/sandbox/gitlab/model.js';
import { type GitLab as StandIn, startGitLab } from '../../../src/sandbox/gitlab/start-gitlab.js';
import { claimCreation, releaseCreation, saveWritten } from '../../../src/store/projections.js';
import { loadFeedbackInput } from '../../../src/store/projections-input.js';
import { saveSubject } from '../../../src/store/subject-save.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { at, memberOf, previewOf, viewOf } from './view.js';

const hourMs = 3_600_000;
const signal = new AbortController().signal;

let database: TestDatabase;
let standIn: StandIn;
let gitlab: GitLab;
let bot: User;
let deps: FeedbackDeps;
let project: Project;
let mergeRequest: MergeRequest;
let version = 0;
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  standIn = await startGitLab();
  bot = standIn.addUser({ username: 'mayfly-bot', name: 'Mayfly' });
  gitlab = createGitLab({ url: standIn.url, token: standIn.tokenFor(bot), retry: { maxAttempts: 1 } });
  deps = {
    gitlab: {
      listNotes: (input) => listNotes(gitlab, input),
      createNote: (input) => createNote(gitlab, input),
      updateNote: (input) => updateNote(gitlab, input),
      getNote: (input) => getNote(gitlab, input),
      deleteNote: (input) => deleteNote(gitlab, input),
      findDiscussion: (input) => findDiscussion(gitlab, input),
      replyInDiscussion: (input) => replyInDiscussion(gitlab, input),
      resolveDiscussion: (input) => resolveDiscussion(gitlab, input),
      ownUserId: async () => (await currentUser(gitlab)).id,
      newestPipeline: async () => null,
      postCommitStatus: async () => undefined,
    },
    store: {
      load: (input) => loadFeedbackInput(database.pool, input),
      claimCreation: (input) => claimCreation(database.pool, input),
      releaseCreation: (input) => releaseCreation(database.pool, input),
      saveWritten: (input) => saveWritten(database.pool, input),
      isNameTaken: async () => false,
    },
    settingsOf: () => ({ note: true, commitStatus: { name: 'mayfly/preview', blocking: false }, logs: true }),
    longestLifeOf: () => 100 * hourMs,
    log: pino({ level: 'silent' }),
  };
});

afterAll(async () => {
  await gitlab.close();
  await standIn.close();
  await database.drop();
});

beforeEach(async () => {
  standIn.faults.clear();
  await database.pool.query('truncate preview, merge_request, projection, preview_event cascade');
  count += 1;
  project = await standIn.createProject({ path: `acme/p${count}` });
  standIn.addUser({ username: 'mayfly-bot', name: 'Mayfly', project, accessLevel: 40 });
  mergeRequest = await standIn.createMergeRequest(project, { title: 'x', sourceBranch: 'cart' });
});

/** Saves the row as a decision does. */
async function save(change: Partial<Preview> = {}): Promise<void> {
  version += 1;
  const head = mergeRequest.headSha ?? '';
  const preview = previewOf({
    slug: `shop-${count}`,
    subject: `mr:${project.id}:${mergeRequest.iid}`,
    members: [memberOf({ projectId: project.id, iid: mergeRequest.iid, wantedSha: head, deployedSha: head })],
    version,
    ...change,
  });
  const nothing = { ended: null, events: [], needsCommit: false, openedGates: [], images: [], jobs: [] };
  await saveSubject(database.pool, { ...nothing, preview });
}

const run = (change: { settleMs?: number } = {}) =>
  runFeedback(deps, { projectId: project.id, iid: mergeRequest.iid, signal, ...change });

const ours = (): Note[] => [...mergeRequest.notes.values()].filter((note) => note.authorId === bot.id && !note.system);
const replies = (): string[] =>
  ours()
    .slice(1)
    .map((note) => note.body);

const end = at + 72 * hourMs;
const warned = { warnedAt: end - hourMs, warnedFor: end };
const failed = { phase: 'failed', cause: 'health' } as const;

describe('a warning', () => {
  it('is one answer in the thread of the note, which then stands in the way of no merge', async () => {
    await save();
    await run();
    expect(ours()[0]?.thread).toBe(false);
    await save(warned);
    await run();
    await run();
    const [note, reply] = ours();
    expect(replies()).toEqual([expect.stringContaining('This preview ends at 26 Nov 14:02 UTC.')]);
    expect(reply).toMatchObject({ discussionId: note?.discussionId, resolved: true });
    expect(note).toMatchObject({ thread: true, resolved: true });
  });

  it('comes with the note where there is none yet', async () => {
    await save(warned);
    await run();
    expect(ours()[0]?.body).toContain('Preview ready');
    expect(replies().length).toBe(1);
  });

  it.each<[string, Partial<Preview>]>([
    ['it is extended', { expiresAt: end + hourMs }],
    ['it is pinned', { ...warned, pinnedBy: 'ada', warnedAt: null, warnedFor: null }],
    ['it is stopped', { ...warned, phase: 'stopping', stopReason: 'command' }],
  ])('goes when %s', async (_, change) => {
    await save(warned);
    await run();
    expect(replies().length).toBe(1);
    await save(change);
    await run();
    await run();
    expect(replies()).toEqual([]);
  });

  it('is told once a term, whatever goes between, and anew in the next', async () => {
    await save(warned);
    await run();
    await save({ ...warned, phase: 'stopping', stopReason: 'git' });
    await run();
    await save(warned);
    await run();
    expect(replies()).toEqual([]);
    const later = end + hourMs;
    await save({ expiresAt: later, warnedAt: end, warnedFor: later });
    await run();
    expect(replies()).toEqual([expect.stringContaining('26 Nov 15:02 UTC')]);
  });

  it('that a person removed does not come back', async () => {
    await save(warned);
    await run();
    mergeRequest.notes.delete(ours()[1]?.id ?? 0);
    await save({ ...warned, edited: 'edited' });
    await run();
    expect(replies()).toEqual([]);
  });

  it('whose answer was lost is found, not repeated', async () => {
    await save();
    await run();
    await save(warned);
    standIn.faults.add({ kind: 'lost-answer', method: 'POST', path: 'discussions', count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unclear' });
    await run();
    expect(replies().length).toBe(1);
  });

  it('that may still turn up is waited for, then made again, or seen to be gone', async () => {
    await save();
    await run();
    await save(warned);
    standIn.faults.add({ kind: 'bad-gateway', method: 'POST', path: 'discussions', count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unclear' });
    await expect(run()).rejects.toMatchObject({ code: 'note-creation-open' });
    await run({ settleMs: 0 });
    expect(replies().length).toBe(1);

    await save({ expiresAt: end + hourMs, warnedAt: end, warnedFor: end + hourMs });
    standIn.faults.add({ kind: 'lost-answer', method: 'POST', path: 'discussions', count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unclear' });
    await save({ expiresAt: end + 60 * hourMs });
    await run({ settleMs: 0 });
    expect(replies()).toEqual([]);
  });

  it('leaves its thread resolved though the first word about that was lost', async () => {
    await save();
    await run();
    await save(warned);
    standIn.faults.add({ kind: 'bad-gateway', method: 'PUT', path: 'discussions', count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unavailable' });
    expect(ours()[0]?.resolved).not.toBe(true);
    await run();
    expect(ours().map((note) => note.resolved)).toEqual([true, true]);
  });

  it('by many at once is one', async () => {
    await save(warned);
    await run();
    await save({ expiresAt: end + hourMs, warnedAt: end, warnedFor: end + hourMs });
    await Promise.allSettled(Array.from({ length: 8 }, () => run()));
    await run({ settleMs: 0 });
    expect(replies().length).toBe(1);
  });

  it('whose number is somebody else’s now, after GitLab was restored, is not what is deleted', async () => {
    await save(warned);
    await run();
    const [, reply] = ours();
    const stranger = standIn.comment(mergeRequest, 'mine');
    await database.pool.query(`update projection set external_id = $1 where kind = 'warning'`, [stranger.id]);
    await save({ expiresAt: end + hourMs });
    await run();
    expect(mergeRequest.notes.has(stranger.id)).toBe(true);
    expect(mergeRequest.notes.has(reply?.id ?? 0)).toBe(false);
  });

  it('survives the loss of the database', async () => {
    await save(warned);
    await run();
    await database.pool.query('truncate projection');
    await run();
    expect(ours().length).toBe(2);
  });
});

describe('what failed after it was ready', () => {
  it('is told once a term, and taken back when it is well', async () => {
    await save();
    await run();
    await save(failed);
    await run();
    expect(replies()).toEqual([expect.stringContaining('has failed since')]);
    await save();
    await run();
    expect(replies()).toEqual([]);
    await save(failed);
    await run();
    expect(replies()).toEqual([]);
    await save({ ...failed, expiresAt: end + hourMs });
    await run();
    expect(replies().length).toBe(1);
    await save({ ...failed, expiresAt: end + 2 * hourMs });
    await run();
    expect(replies().length).toBe(1);
  });

  it('a failed deployment is told by the note alone', async () => {
    await save({ ...failed, wantedRevision: 'r2' });
    await run();
    expect(ours().length).toBe(1);
  });
});

it('the end of a line is told, once', async () => {
  await save();
  await database.pool.query(
    `insert into preview_event (slug, incarnation, kind, detail) values ($1, 1, 'waiting', 'slot')`,
    [`shop-${count}`],
  );
  await run();
  expect(replies()).toEqual([expect.stringContaining('The line has come to this preview')]);
  await save({ phase: 'deploying' });
  await run();
  await save();
  await run();
  expect(replies()).toEqual([]);
});

describe('the words of a reply', () => {
  it('mention the author, and nobody by a name that is none', () => {
    expect(wantedReply('warning', viewOf(warned), null)?.body).toContain(
      '\n@ada This preview ends at 26 Nov 14:02 UTC.',
    );
    const view = viewOf(warned);
    const facts = view.facts === null ? null : { ...view.facts, authorUsername: 'a b @all' };
    expect(wantedReply('warning', { ...view, facts }, null)?.body).not.toContain('@');
  });

  it('name what helps: an extension, or only a pin where the longest life ends', () => {
    expect(wantedReply('warning', viewOf(warned), 100 * hourMs)?.body).toContain('extend 2d');
    const last = wantedReply('warning', viewOf({ ...warned, createdAt: end - 100 * hourMs }), 100 * hourMs);
    expect(last?.body).toContain('/preview pin');
    expect(last?.body).not.toContain('extend');
  });
});
