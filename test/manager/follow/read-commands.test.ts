import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitLab, type GitLab } from '../../../src/gitlab/client.js';
import { awardEmoji, createNote, getNote, listNotesAfter } from '../../../src/gitlab/notes.js';
import { currentUser, memberAccess } from '../../../src/gitlab/projects.js';
import { answerComments } from '../../../src/manager/follow/answer-comments.js';
import { type CommandDeps, readCommands } from '../../../src/manager/follow/read-commands.js';
import { gitlabCalls } from '../../../src/manager/serve-gitlab.js';
import type { MergeRequest, Note, User } from '../../../src/sandbox/gitlab/model.js';
import { type GitLab as StandIn, startGitLab } from '../../../src/sandbox/gitlab/start-gitlab.js';
import { loadNoteState, markAnswered, openAnswers, saveHandledNotes, writtenSince } from '../../../src/store/notes.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const signal = new AbortController().signal;

let database: TestDatabase;
let standIn: StandIn;
let gitlab: GitLab;
let deps: CommandDeps;
let developer: User;
let stranger: User;
let projectId: number;
let mergeRequest: MergeRequest;

beforeAll(async () => {
  database = await createTestDatabase();
  standIn = await startGitLab();
  const project = await standIn.createProject({ path: 'acme/shop' });
  projectId = project.id;
  developer = standIn.addUser({ username: 'dev', name: 'Dev', project, accessLevel: 30, inherited: true });
  stranger = standIn.addUser({ username: 'eve', name: 'Eve' });
  const bot = standIn.addUser({ username: 'mayfly-bot', name: 'Mayfly', project, accessLevel: 40 });
  gitlab = createGitLab({ url: standIn.url, token: standIn.tokenFor(bot), retry: { maxAttempts: 1 } });
  const calls = gitlabCalls(gitlab).commands;
  deps = {
    gitlab: {
      listNotesAfter: (input) => listNotesAfter(gitlab, input),
      getNote: (input) => getNote(gitlab, input),
      memberAccess: (input) => memberAccess(gitlab, input),
      ownUserId: async () => (await currentUser(gitlab)).id,
      readHead: (input) => calls.readHead(input),
    },
    rulesOf: () => ({ level: 30, settable: { replicas: 'integer' } }),
    store: {
      loadNoteState: (input) => loadNoteState(database.pool, input),
      writtenSince: (input) => writtenSince(database.pool, input),
      saveHandled: (input) => saveHandledNotes(database.pool, input),
    },
  };
});

afterAll(async () => {
  await gitlab.close();
  await standIn.close();
  await database.drop();
});

beforeEach(async () => {
  standIn.faults.clear();
  await database.pool.query('truncate merge_request, wish, note_answer, delivery, preview, preview_event cascade');
  await database.pool.query('delete from graphile_worker._private_jobs');
  mergeRequest = await standIn.createMergeRequest(projectId, { title: 'x' });
});

async function run(): Promise<void> {
  const input = { projectId, iid: mergeRequest.iid, signal };
  await readCommands(deps, input);
  await answerComments(
    {
      openAnswers: (key) => openAnswers(database.pool, key),
      awardEmoji: (award) => awardEmoji(gitlab, award),
      markAnswered: (answered) => markAnswered(database.pool, answered),
    },
    input,
  );
}

async function wishes(): Promise<{ kind: string; by_name: string }[]> {
  const rows = await database.pool.query<{ kind: string; by_name: string }>(
    'select kind, by_name from wish order by id',
  );
  return rows.rows;
}

async function jobKeys(): Promise<string[]> {
  const jobs = await database.pool.query<{ key: string }>('select key from graphile_worker._private_jobs order by key');
  return jobs.rows.map((job) => job.key);
}

async function hint(noteId: number, ageMs = 0): Promise<void> {
  await database.pool.query(
    `insert into merge_request (project_id, iid, notes_hinted) values ($1, $2, array[$3::bigint])
     on conflict (project_id, iid) do update set notes_hinted = excluded.notes_hinted`,
    [projectId, mergeRequest.iid, noteId],
  );
  await database.pool.query(
    `insert into delivery (event, project_id, facts, received_at) values ('note', $1, $2, now() - $3 * interval '1 ms')`,
    [projectId, JSON.stringify({ noteId }), ageMs],
  );
}

const comment = (body: string, user: User): Note => standIn.comment(mergeRequest, body, { user });
const emoji = (note: Note): string[] => note.awards.map((award) => award.name);

describe('commands in comments', () => {
  it('and all that people write have the note looked at; what Mayfly writes does not', async () => {
    let looks = 0;
    const store = {
      ...deps.store,
      doubtNote: async () => {
        looks += 1;
      },
    };
    const read = () => readCommands({ ...deps, store }, { projectId, iid: mergeRequest.iid, signal });
    await createNote(gitlab, { projectId, iid: mergeRequest.iid, body: 'the note' });
    await read();
    expect(looks).toBe(0);
    comment('looks good', stranger);
    await read();
    await read();
    expect(looks).toBe(1);
  });

  it('of a developer, inherited too, become orders with GitLab’s time, and are answered', async () => {
    const note = comment('/preview extend 2d\n/preview stop', developer);
    await run();
    const rows = await database.pool.query(
      'select subject, kind, source, amount_ms, at, by_name, note_id, ordinal from wish order by id',
    );
    const base = {
      subject: `mr:${projectId}:${mergeRequest.iid}`,
      source: 'command',
      at: new Date(note.createdAt),
      by_name: 'dev',
      note_id: note.id,
    };
    expect(rows.rows).toEqual([
      { ...base, kind: 'extend', amount_ms: 172_800_000, ordinal: 0 },
      { ...base, kind: 'stop', amount_ms: null, ordinal: 1 },
    ]);
    expect(emoji(note)).toEqual(['thumbsup']);
    expect(await jobKeys()).toEqual([
      `decide:mr:${projectId}:${mergeRequest.iid}`,
      `feedback:${projectId}:${mergeRequest.iid}`,
    ]);
  });

  it('of a stranger become none, and are answered', async () => {
    const note = comment('/preview stop', stranger);
    await run();
    expect(await wishes()).toEqual([]);
    expect(emoji(note)).toEqual(['thumbsdown']);
    expect(await jobKeys()).toEqual([`feedback:${projectId}:${mergeRequest.iid}`]);
  });

  it('of Mayfly itself, and words that only look like it, are nothing', async () => {
    await createNote(gitlab, { projectId, iid: mergeRequest.iid, body: '/preview stop' });
    comment('```\n/preview stop\n```\n> /preview stop', developer);
    await run();
    expect(await wishes()).toEqual([]);
    expect(await jobKeys()).toEqual([]);
  });

  it('are done once, however often they are read', async () => {
    const note = comment('/preview stop', developer);
    await run();
    await hint(note.id);
    await run();
    await database.pool.query('update merge_request set notes_seen = 0');
    await run();
    expect((await wishes()).length).toBe(1);
    expect(emoji(note)).toEqual(['thumbsup']);
  });

  it('in a comment that a webhook named count though a newer one was seen', async () => {
    const late = comment('/preview stop', developer);
    const newer = comment('hello', developer);
    await database.pool.query('insert into merge_request (project_id, iid, notes_seen) values ($1, $2, $3)', [
      projectId,
      mergeRequest.iid,
      newer.id,
    ]);
    await hint(late.id);
    await run();
    expect(await wishes()).toEqual([{ kind: 'stop', by_name: 'dev' }]);
    const state = await loadNoteState(database.pool, { projectId, iid: mergeRequest.iid });
    expect(state).toEqual({ seen: newer.id, hinted: [] });
  });
});

describe('what an order is about', () => {
  it('is kept with it, and the history tells it', async () => {
    const sha = mergeRequest.headSha ?? '';
    await database.pool.query(
      `insert into preview (slug, incarnation, subject, project, cluster, namespace, phase, last_activity_at, expires_at,
         created_at) values ('shop-1', 1, $1, 'shop', 'default', 'preview-shop-1', 'ready', now(), now(), now())`,
      [`mr:${projectId}:${mergeRequest.iid}`],
    );
    comment(`/preview approve ${sha}\n/preview set replicas=3\n/preview unset replicas`, developer);
    await run();
    const rows = await database.pool.query('select kind, detail from wish order by id');
    expect(rows.rows).toEqual([
      { kind: 'approve', detail: { sha } },
      { kind: 'set', detail: { key: 'replicas', value: 3 } },
      { kind: 'unset', detail: { key: 'replicas' } },
    ]);
    const events = await database.pool.query('select kind, actor, detail from preview_event order by id');
    const ordered = { kind: 'ordered', actor: 'dev' };
    expect(events.rows).toEqual([
      { ...ordered, detail: `approve ${sha.slice(0, 8)}` },
      { ...ordered, detail: 'set replicas=3' },
      { ...ordered, detail: 'unset replicas' },
    ]);
  });

  it('waits while GitLab does not show what is to be approved', async () => {
    comment('/preview approve', developer);
    standIn.faults.add({ kind: 'bad-gateway', path: `merge_requests/${mergeRequest.iid}$`, count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'merge-request-not-read', disposition: 'retry' });
    expect(await wishes()).toEqual([]);
    await run();
    expect(await wishes()).toEqual([{ kind: 'approve', by_name: 'dev' }]);
  });
});

it('whether an author may give commands is kept, also of what comes over the limit', async () => {
  for (const user of [developer, stranger]) {
    comment('/preview help\n'.repeat(20), user);
    comment('/preview stop', user);
  }
  await run();
  const { rows } = await database.pool.query('select by_name, permitted, commands from note_answer order by note_id');
  expect(rows).toEqual([
    { by_name: 'dev', permitted: true, commands: 20 },
    { by_name: 'dev', permitted: true, commands: 0 },
    { by_name: 'eve', permitted: false, commands: 20 },
    { by_name: 'eve', permitted: false, commands: 0 },
  ]);
});

describe('too many commands', () => {
  it('are passed over, which is said once, and only to whom they are from', async () => {
    comment('/preview extend 1d\n'.repeat(19), developer);
    await run();
    const last = comment('/preview stop', developer);
    const first = comment('/preview start', developer);
    const second = comment('/preview stop', developer);
    const other = comment('/preview stop', stranger);
    await run();
    const third = comment('/preview stop', developer);
    await run();
    expect((await wishes()).length).toBe(20);
    expect([last, first, second, third, other].map(emoji)).toEqual([
      ['thumbsup'],
      ['thumbsdown'],
      [],
      [],
      ['thumbsdown'],
    ]);
    const lines = await database.pool.query('select line from note_answer where line is not null order by note_id');
    expect(lines.rows).toEqual([
      { line: expect.stringContaining('More than 20 commands in 10m') },
      { line: expect.stringContaining('Developer') },
    ]);
  });

  it('of one comment are passed over together where they would go beyond the limit; fewer of them are not', async () => {
    comment('/preview extend 1d\n'.repeat(15), developer);
    const many = comment('/preview pin\n'.repeat(6), developer);
    const few = comment('/preview stop\n'.repeat(5), developer);
    await run();
    expect([many, few].map(emoji)).toEqual([['thumbsdown'], ['thumbsup']]);
    expect((await wishes()).map(({ kind }) => kind)).toEqual([...Array(15).fill('extend'), ...Array(5).fill('stop')]);
  });

  it('in one comment are done as far as it may hold them, and its author is told', async () => {
    const note = comment('/preview pin\n'.repeat(25), developer);
    await run();
    expect((await wishes()).length).toBe(20);
    expect(emoji(note)).toEqual(['thumbsdown']);
    const { rows } = await database.pool.query('select line from note_answer');
    expect(rows).toEqual([{ line: expect.stringContaining('may hold 20 commands') }]);
  });

  it('count again after a while, by the times of the comments', async () => {
    comment('/preview extend 1d\n'.repeat(20), developer);
    await run();
    await database.pool.query(`update note_answer set at = at - interval '10 minutes'`);
    comment('/preview stop', developer);
    await run();
    expect((await wishes()).at(-1)).toEqual({ kind: 'stop', by_name: 'dev' });
  });
});

describe('what cannot be found out now', () => {
  it('stays for the next run, and nothing behind it is lost', async () => {
    const first = comment('/preview extend 1d', developer);
    comment('/preview stop', stranger);
    comment('/preview stop', developer);
    standIn.faults.add({ kind: 'bad-gateway', path: `members/all/${stranger.id}$`, count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unavailable' });
    expect(await wishes()).toEqual([{ kind: 'extend', by_name: 'dev' }]);
    expect((await loadNoteState(database.pool, { projectId, iid: mergeRequest.iid })).seen).toBe(first.id);
    await run();
    expect((await wishes()).map((wish) => wish.kind)).toEqual(['extend', 'stop']);
  });

  it.each(['token-expired', 'not-found', 'rate-limit', 'bad-gateway'] as const)(
    'is everything while GitLab answers with %s',
    async (kind) => {
      comment('/preview stop', developer);
      standIn.faults.add({ kind });
      await expect(run()).rejects.toThrow();
      expect(await wishes()).toEqual([]);
      standIn.faults.clear();
      await run();
      expect((await wishes()).length).toBe(1);
    },
  );

  it('is a comment that its webhook outran: it is looked for again', async () => {
    await hint(999_999);
    await expect(run()).rejects.toMatchObject({ code: 'note-not-visible', disposition: 'retry' });
  });

  it('but not for ever: a removed comment is forgotten', async () => {
    await hint(999_999, 300_000);
    await run();
    expect((await loadNoteState(database.pool, { projectId, iid: mergeRequest.iid })).hinted).toEqual([]);
  });
});

describe('the emoji', () => {
  it('is put later when GitLab could not take it', async () => {
    const note = comment('/preview stop', developer);
    standIn.faults.add({ kind: 'bad-gateway', path: 'award_emoji$', count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unclear' });
    expect(emoji(note)).toEqual([]);
    await run();
    expect(emoji(note)).toEqual(['thumbsup']);
    expect((await wishes()).length).toBe(1);
  });

  it('whose answer was lost is there once', async () => {
    const note = comment('/preview stop', developer);
    standIn.faults.add({ kind: 'lost-answer', path: 'award_emoji$', count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unclear' });
    await run();
    expect(emoji(note)).toEqual(['thumbsup']);
    expect(await openAnswers(database.pool, { projectId, iid: mergeRequest.iid })).toEqual([]);
  });
});
