import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitLab, type GitLab } from '../../../src/gitlab/client.js';
import { postCommitStatus } from '../../../src/gitlab/commit-status.js';
import { findDiscussion, replyInDiscussion, resolveDiscussion } from '../../../src/gitlab/discussions.js';
import { createNote, deleteNote, getNote, listNotes, updateNote } from '../../../src/gitlab/notes.js';
import { newestPipeline } from '../../../src/gitlab/pipelines.js';
import { currentUser } from '../../../src/gitlab/projects.js';
import { noteMarker } from '../../../src/manager/feedback/note.js';
import { type FeedbackDeps, type FeedbackSettings, runFeedback } from '../../../src/manager/feedback/run.js';
import type { Preview } from '../../../src/preview/preview.js';
import type { Job, MergeRequest, Note, Project, User } from '../../../src/sandbox/gitlab/model.js';
import { type GitLab as StandIn, startGitLab } from '../../../src/sandbox/gitlab/start-gitlab.js';
import { loadAbsentInput } from '../../../src/store/absent-input.js';
import { doubtNote } from '../../../src/store/note-look.js';
import { claimCreation, isStatusNameTaken, releaseCreation, saveWritten } from '../../../src/store/projections.js';
import { loadFeedbackInput } from '../../../src/store/projections-input.js';
import { saveSubject } from '../../../src/store/subject-save.js';
import { basePolicy } from '../../preview/model/world.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { memberOf, previewOf, viewOf } from './view.js';

const signal = new AbortController().signal;

let database: TestDatabase;
let standIn: StandIn;
let gitlab: GitLab;
let bot: User;
let deps: FeedbackDeps;
let settings: FeedbackSettings;
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
      newestPipeline: (input) => newestPipeline(gitlab, input),
      postCommitStatus: (input) => postCommitStatus(gitlab, input),
    },
    store: {
      load: (input) => loadFeedbackInput(database.pool, input),
      async loadAbsent(input) {
        const loaded = await loadAbsentInput(database.pool, input);
        if (loaded === null) return null;
        const { facts, spoken, wishes, note, now } = loaded;
        return { absent: { facts, spoken, wishes }, note, now };
      },
      claimCreation: (input) => claimCreation(database.pool, input),
      releaseCreation: (input) => releaseCreation(database.pool, input),
      saveWritten: (input) => saveWritten(database.pool, input),
      isNameTaken: (input) => isStatusNameTaken(database.pool, input),
    },
    settingsOf: () => settings,
    policyOf: () => ({ name: 'shop', policy: basePolicy }),
    longestLifeOf: () => null,
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
  settings = { note: true, commitStatus: { name: 'mayfly/preview', blocking: false }, logs: true };
  await database.pool.query(
    'truncate preview, merge_request, projection, note_answer, observation, preview_event cascade',
  );
  count += 1;
  project = await standIn.createProject({ path: `acme/p${count}` });
  standIn.addUser({ username: 'mayfly-bot', name: 'Mayfly', project, accessLevel: 40 });
  mergeRequest = await standIn.createMergeRequest(project, { title: 'x', sourceBranch: 'cart' });
});

const sha = () => mergeRequest.headSha ?? '';

/** Saves the row as a decision does. */
async function save(change: Partial<Preview> = {}, of: MergeRequest = mergeRequest): Promise<void> {
  version += 1;
  const head = of.headSha ?? '';
  const preview = previewOf({
    slug: `shop-${count}-${of.iid}`,
    subject: `mr:${project.id}:${of.iid}`,
    members: [memberOf({ projectId: project.id, iid: of.iid, wantedSha: head, deployedSha: head })],
    version,
    ...change,
  });
  await saveSubject(database.pool, {
    ended: null,
    preview,
    events: [],
    needsCommit: false,
    openedGates: [],
    images: [],
    jobs: [],
  });
}

const run = (change: { settleMs?: number } = {}, of: MergeRequest = mergeRequest) =>
  runFeedback(deps, { projectId: project.id, iid: of.iid, signal, ...change });

const ours = (): Note[] => [...mergeRequest.notes.values()].filter((note) => note.authorId === bot.id && !note.system);

/** As the reading of comments leaves it. */
async function answered({ noteId, line }: { noteId: number; line: string | null }): Promise<void> {
  await database.pool.query(
    `insert into note_answer (note_id, project_id, iid, emoji, line, by_name, at)
     values ($1::bigint, $2, $3, 'thumbsup', $4, 'ada', to_timestamp($1::bigint))`,
    [noteId, project.id, mergeRequest.iid, line],
  );
}

const written = (): Promise<{ rows: { creating: boolean; known: boolean }[] }> =>
  database.pool.query(`select creating_since is not null as creating, external_id is not null as known
    from projection where kind = 'note'`);

const requests = { notes: /notes/ };
const hits = (id: number): number => standIn.faults.list().find((fault) => fault.id === id)?.hits ?? 0;
const countRequests = (method: string, path: RegExp): number =>
  standIn.faults.add({ kind: 'latency', ms: 0, method, path: path.source });

describe('the note', () => {
  it('is made once and edited in place', async () => {
    await save({ phase: 'deploying', deployingSince: 0 });
    await run();
    expect(ours().map((note) => note.body)).toEqual([expect.stringContaining('Preview deploying')]);
    const [first] = ours();
    await save({ phase: 'ready' });
    await run();
    expect(ours()).toEqual([
      expect.objectContaining({ id: first?.id, body: expect.stringContaining('Preview ready') }),
    ]);
  });

  it('of a public project keeps the log to the dashboard, and shows the events', async () => {
    const diagnosis = {
      cause: 'health',
      object: 'Pod/web',
      sentence: 'It crashes',
      evidence: ['BackOff'],
      logs: ['panic'],
    };
    await save({ phase: 'failed', cause: 'health' });
    await database.pool.query(
      `insert into observation (slug, incarnation, cluster, revision, branch_commit, start_number, counter, state,
        objects, diagnosis) select slug, incarnation, cluster, wanted_revision, 'c', 1, 1, 'degraded', '[]', $1 from preview`,
      [JSON.stringify(diagnosis)],
    );
    await run();
    expect(ours()[0]?.body).toContain('BackOff');
    expect(ours()[0]?.body).toContain('panic');
    settings = { ...settings, logs: false };
    await run();
    expect(ours()[0]?.body).toContain('BackOff');
    expect(ours()[0]?.body).not.toContain('panic');
    expect(ours()[0]?.body).toContain('on the dashboard alone');
  });

  it('is not written twice when nothing changed', async () => {
    await save();
    await run();
    const puts = countRequests('PUT', requests.notes);
    const posts = countRequests('POST', requests.notes);
    const gets = countRequests('GET', requests.notes);
    await run();
    await save();
    await run();
    expect([hits(puts), hits(posts), hits(gets)]).toEqual([0, 0, 0]);
  });

  it('is known again by its marker, over all pages, when its id was lost', async () => {
    await save();
    await run();
    for (let index = 0; index < 120; index += 1) standIn.comment(mergeRequest, `talk ${index}`);
    await database.pool.query('truncate projection');
    await save({ phase: 'failed', cause: 'health', wantedRevision: 'r2' });
    await run();
    expect(ours().map((note) => note.body)).toEqual([expect.stringContaining('Preview failed')]);
  });

  it('is never somebody else’s that has the marker', async () => {
    const forged = standIn.comment(mergeRequest, `${noteMarker}\nmine`);
    await save();
    await run();
    expect(forged.body).toBe(`${noteMarker}\nmine`);
    expect(ours().length).toBe(1);
  });

  it('that a person removed is made anew at the next change, once', async () => {
    await save();
    await run();
    mergeRequest.notes.delete(ours()[0]?.id ?? 0);
    await run();
    expect(ours()).toEqual([]);
    await save({ phase: 'failed', cause: 'health', wantedRevision: 'r2' });
    await run();
    await run();
    expect(ours().length).toBe(1);
  });

  it('that a person removed is put back once it is doubted, and one that stands is not edited for nothing', async () => {
    const key = { projectId: project.id, iid: mergeRequest.iid };
    await save();
    await run();
    const [first] = ours();
    const puts = countRequests('PUT', requests.notes);
    await doubtNote(database.pool, key);
    await run();
    expect([ours().map(({ id }) => id), hits(puts)]).toEqual([[first?.id], 0]);
    mergeRequest.notes.delete(first?.id ?? 0);
    await doubtNote(database.pool, key);
    await Promise.allSettled([run(), run()]);
    await run({ settleMs: 0 });
    expect(ours().map(({ body }) => body)).toEqual([first?.body]);
  });

  it('of a merge request without a preview is made once somebody wrote a command, and becomes the preview’s', async () => {
    await run();
    expect(ours()).toEqual([]);
    await answered({ noteId: 1, line: null });
    await Promise.allSettled(Array.from({ length: 4 }, () => run()));
    await run({ settleMs: 0 });
    const [first] = ours();
    expect(ours()).toHaveLength(1);
    expect(first?.body).toContain('No preview');
    expect(first?.body).toContain('GitLab has not shown this merge request to Mayfly yet');
    await answered({ noteId: 2, line: 'Commands: many.' });
    await run();
    expect(ours().map(({ body }) => body)).toEqual([expect.stringContaining('Commands: many.')]);
    await save({ phase: 'waiting', waitingFor: 'pipeline' });
    await run();
    expect(ours()).toEqual([
      expect.objectContaining({ id: first?.id, body: expect.stringContaining('Preview waiting') }),
    ]);
  });

  it('of one whose project is followed no more, or wants none, is not made by a command', async () => {
    await answered({ noteId: 1, line: 'No.' });
    await runFeedback({ ...deps, policyOf: () => null }, { projectId: project.id, iid: mergeRequest.iid, signal });
    settings = { ...settings, note: false };
    await run();
    expect(ours()).toEqual([]);
  });

  it('of a preview that was over before it was told is made to answer a command', async () => {
    await save({ phase: 'waiting' });
    await save({ phase: 'stopped', stopReason: 'closed' });
    await answered({ noteId: 1, line: 'Commands: many.' });
    await run();
    expect(ours().map(({ body }) => body)).toEqual([expect.stringMatching(/Preview stopped.*Commands: many/s)]);
  });

  it('tells of a refused command', async () => {
    await save();
    await run();
    await database.pool.query(
      `insert into note_answer (note_id, project_id, iid, emoji, line, by_name, at)
       values (1, $1, $2, 'thumbsdown', 'No.', 'eve', now())`,
      [project.id, mergeRequest.iid],
    );
    await run();
    expect(ours()[0]?.body).toContain('`eve`');
  });

  it('tells a member who was refused whatever strangers write afterwards', async () => {
    await save();
    await database.pool.query(
      `insert into note_answer (note_id, project_id, iid, emoji, line, by_name, at, permitted, commands)
       select n, $1::bigint, $2::int, 'thumbsdown', l, b, now() + n * interval '1 s', p, 1 from (values
         (1, 'Not a command.', 'ada', true), (2, null, 'ada', true), (3, 'Members alone.', 'eve', false)
       ) t(n, l, b, p) union all
       select n, $1::bigint, $2::int, 'thumbsdown', 'Members alone.', 'eve' || n, now() + n * interval '1 s', false, 1
       from generate_series(10, 40) n`,
      [project.id, mergeRequest.iid],
    );
    await run();
    const quoted =
      ours()[0]
        ?.body.split('\n')
        .filter((line) => line.startsWith('> ')) ?? [];
    expect(quoted).toEqual([
      expect.stringMatching(/^> `eve40`, [^;]+; `eve39`, [^;]+: Members alone\.$/),
      expect.stringMatching(/^> `ada`, .*: Not a command\.$/),
    ]);
  });

  it('says how long after the push it was deployed once, and after a wake or in a next life only when', async () => {
    const pushedAt = Date.now() - 600_000;
    const facts = { ...viewOf().facts, projectId: project.id, iid: mergeRequest.iid, sha: sha(), lastPushAt: pushedAt };
    await database.pool.query('insert into merge_request (project_id, iid, facts) values ($1, $2, $3)', [
      project.id,
      mergeRequest.iid,
      JSON.stringify(facts),
    ]);
    const ready = (incarnation: number, afterMs: number) =>
      database.pool.query(
        `insert into preview_event (slug, incarnation, kind, to_phase, at)
         values ($1, $2, 'ready', 'ready', to_timestamp($3::float8 / 1000))`,
        [`shop-${count}-${mergeRequest.iid}`, incarnation, pushedAt + afterMs],
      );
    // Healthy before that push, too: with another sha.
    const createdAt = pushedAt - 60_000;
    await save({ createdAt, shaSince: pushedAt + 1_000 });
    await ready(1, -30_000);
    await ready(1, 20_000);
    await run();
    expect(ours()[0]?.body).toContain('20 s after the push');
    await ready(1, 90_000);
    await run();
    expect(ours()[0]?.body).not.toContain('after the push');
    await save({ createdAt, phase: 'stopped', stopReason: 'command', stoppedAt: pushedAt + 95_000 });
    await save({ incarnation: 2, createdAt: pushedAt + 100_000, shaSince: pushedAt + 100_000 });
    await ready(2, 110_000);
    await run();
    expect(ours()[0]?.body).toContain('Preview ready');
    expect(ours()[0]?.body).not.toContain('after the push');
  });

  it('is not made for what ended before it lived, nor for a merge request without a preview', async () => {
    await run();
    await save({ phase: 'waiting' });
    await save({ phase: 'stopped', stopReason: 'closed' });
    await run();
    expect(ours()).toEqual([]);
  });

  it('of one that waited says that it is over, when it ends before it lived', async () => {
    await save({ phase: 'waiting', waitingFor: 'pipeline' });
    await run();
    expect(ours()[0]?.body).toContain('Preview waiting');
    await save({ phase: 'stopped', stopReason: 'closed' });
    await run();
    expect(ours().map((note) => note.body)).toEqual([expect.stringContaining('Preview stopped')]);
  });

  it('can be switched off', async () => {
    settings = { ...settings, note: false };
    await save();
    await run();
    expect(ours()).toEqual([]);
  });
});

describe('a creation', () => {
  const post = { method: 'POST', path: 'notes$', count: 1 };

  it('whose answer was lost is found, not repeated', async () => {
    await save();
    standIn.faults.add({ kind: 'lost-answer', ...post });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unclear' });
    expect((await written()).rows).toEqual([{ creating: true, known: false }]);
    await run();
    expect(ours().length).toBe(1);
    expect((await written()).rows).toEqual([{ creating: false, known: true }]);
  });

  it('that may still turn up is waited for, then made again', async () => {
    await save();
    standIn.faults.add({ kind: 'bad-gateway', ...post });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unclear' });
    await expect(run()).rejects.toMatchObject({ code: 'note-creation-open', disposition: 'retry' });
    expect(ours()).toEqual([]);
    await run({ settleMs: 0 });
    expect(ours().length).toBe(1);
  });

  it.each([
    ['rate-limit', 'gitlab-rate-limited'],
    ['token-expired', 'gitlab-unauthorized'],
  ] as const)('that was refused (%s) is simply sent again', async (kind, code) => {
    await save();
    standIn.faults.add({ kind, ...post });
    await expect(run()).rejects.toMatchObject({ code });
    expect((await written()).rows).toEqual([{ creating: false, known: false }]);
    await run();
    expect(ours().length).toBe(1);
  });

  it('by many at once makes one note', async () => {
    await save();
    await Promise.allSettled(Array.from({ length: 8 }, () => run()));
    await run({ settleMs: 0 });
    expect(ours().length).toBe(1);
  });
});

it('the newest row stands in the end, however writers meet', async () => {
  await save();
  await run();
  for (let round = 0; round < 5; round += 1) {
    const slow = run();
    await save({ phase: 'failed', cause: 'health', message: `round ${round}` });
    await Promise.allSettled([slow, run(), run()]);
    await run();
    expect(ours()[0]?.body).toContain(`round ${round}`);
  }
});

it('a merge request that GitLab does not show is left alone', async () => {
  await save();
  await run();
  await save({ phase: 'failed', cause: 'health', wantedRevision: 'r2' });
  standIn.faults.add({ kind: 'not-found' });
  await expect(run()).rejects.toMatchObject({ code: 'gitlab-not-found' });
  standIn.faults.clear();
  await run();
  expect(ours().length).toBe(1);
});

describe('the commit status', () => {
  const statuses = (): [string, string][] =>
    [...project.pipelines.values()]
      .flatMap((pipeline) => pipeline.jobs)
      .filter((job: Job) => job.kind === 'external' && !job.retried)
      .map((job) => [job.name, job.status]);

  it('is success in the CI pipeline when ready', async () => {
    await standIn.runPipeline(project, { ref: 'cart', jobs: [{ name: 'build' }] });
    await save({ phase: 'deploying' });
    await run();
    expect(statuses()).toEqual([]);
    await save();
    await run();
    expect(statuses()).toEqual([['mayfly/preview', 'success']]);
    await run();
    expect(project.pipelines.size).toBe(1);
  });

  it('is not posted where there is no CI', async () => {
    await save();
    await run();
    expect(project.pipelines.size).toBe(0);
  });

  it('that blocks goes from running to its end, without CI too', async () => {
    settings = { ...settings, commitStatus: { name: 'mayfly/preview', blocking: true } };
    await save({ phase: 'deploying' });
    await run();
    expect(statuses()).toEqual([['mayfly/preview', 'running']]);
    await save({ phase: 'failed', cause: 'health' });
    await run();
    expect(statuses()).toEqual([['mayfly/preview', 'failed']]);
    await save({ phase: 'deploying' });
    await run();
    await save({ phase: 'stopping', stopReason: 'command' });
    await run();
    expect(statuses()).toEqual([['mayfly/preview', 'success']]);
  });

  it('of a second preview of the same commit has its slug', async () => {
    const pipeline = await standIn.runPipeline(project, { ref: 'cart', jobs: [{ name: 'build' }] });
    await standIn.push(project, { branch: 'other' });
    const second = await standIn.createMergeRequest(project, {
      title: 'y',
      sourceBranch: 'cart',
      targetBranch: 'other',
    });
    expect(second.headSha).toBe(sha());
    await save();
    await run();
    await save({}, second);
    await run({}, second);
    await run();
    expect(
      statuses()
        .map(([name]) => name)
        .sort(),
    ).toEqual(['mayfly/preview', `mayfly/preview (shop-${count}-${second.iid})`]);
    expect(pipeline.jobs.length).toBe(3);
  });

  it('that fails does not hold up the note, and is tried again', async () => {
    await standIn.runPipeline(project, { ref: 'cart', jobs: [{ name: 'build' }] });
    await save();
    standIn.faults.add({ kind: 'bad-gateway', path: 'statuses', count: 1 });
    await expect(run()).rejects.toMatchObject({ code: 'gitlab-unclear' });
    expect(ours().length).toBe(1);
    await run();
    expect(statuses()).toEqual([['mayfly/preview', 'success']]);
  });
});
