import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGitLab, type GitLab } from '../../../src/gitlab/client.js';
import { listMergeRequests } from '../../../src/gitlab/merge-requests.js';
import { getProject } from '../../../src/gitlab/projects.js';
import { type CatchUpDeps, catchUp } from '../../../src/manager/follow/catch-up.js';
import { resolveProjects } from '../../../src/manager/follow/resolve-projects.js';
import { type GitLab as StandIn, startGitLab } from '../../../src/sandbox/gitlab/start-gitlab.js';
import {
  askAbsent,
  askListed,
  loadFollowCursor,
  recallProject,
  rememberProject,
  saveFollowCursor,
} from '../../../src/store/follow-cursor.js';
import { noticeRemoved } from '../../../src/store/note-look.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const log = pino({ level: 'silent' });
const signal = new AbortController().signal;

let database: TestDatabase;
let standIn: StandIn;
let gitlab: GitLab;
let deps: CatchUpDeps;
let projectId: number;
let now = Date.UTC(2026, 2, 4, 10);
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  standIn = await startGitLab({ clock: () => now });
  gitlab = createGitLab({ url: standIn.url, token: standIn.token, retry: { maxAttempts: 1 } });
  deps = {
    listMergeRequests: (input) => listMergeRequests(gitlab, input),
    loadCursor: (input) => loadFollowCursor(database.pool, input),
    askListed: (input) => askListed(database.pool, input),
    noticeRemoved: (input) => noticeRemoved(database.pool, input),
    askAbsent: (input) => askAbsent(database.pool, input),
    saveCursor: (input) => saveFollowCursor(database.pool, input),
    log,
  };
});

afterAll(async () => {
  await gitlab.close();
  await standIn.close();
  await database.drop();
});

beforeEach(async () => {
  standIn.faults.clear();
  await database.pool.query('truncate merge_request, preview, follow_cursor, projection cascade');
  await forgetJobs();
  count += 1;
  projectId = (await standIn.createProject({ path: `acme/p${count}` })).id;
});

const run = (change: { fullSince?: number; fullEveryMs?: number } = {}) =>
  catchUp(deps, { projectId, path: `acme/p${count}`, fullSince: 0, signal, ...change });

async function jobKeys(): Promise<string[]> {
  const jobs = await database.pool.query<{ key: string }>('select key from graphile_worker._private_jobs order by key');
  return jobs.rows.map((job) => job.key.replace(`${projectId}`, 'P'));
}

async function forgetJobs(): Promise<void> {
  await database.pool.query('delete from graphile_worker._private_jobs');
}

/** As the decision leaves it after it read the merge request. */
async function read(iid: number): Promise<void> {
  const { state, headSha, updatedAt, labels } = standIn.mergeRequest(projectId, iid);
  await database.pool.query(
    `insert into merge_request (project_id, iid, facts, updated_at) values ($1, $2, $3, to_timestamp($4 / 1000.0))
     on conflict (project_id, iid) do update
       set facts = excluded.facts, updated_at = excluded.updated_at, asked_at = null`,
    [projectId, iid, JSON.stringify({ state, sha: headSha, labels }), updatedAt],
  );
}

async function preview(iid: number, phase: string): Promise<void> {
  await database.pool.query(
    `with p as (insert into preview (slug, incarnation, subject, project, cluster, namespace, phase, last_activity_at, expires_at, created_at)
       values ($1, 1, $1, 'shop', 'default', $1, $3, now(), now(), now()) returning slug)
     insert into preview_member (slug, incarnation, ordinal, project_id, iid) select slug, 1, 0, $4, $2 from p`,
    [`s${iid}`, iid, phase, projectId],
  );
}

/** Mayfly's note, as feedback remembers it. */
async function told(iid: number): Promise<void> {
  await database.pool.query(
    `insert into projection (kind, project_id, iid, written_hash, external_id) values ('note', $1, $2, 'h', 1)`,
    [projectId, iid],
  );
}

async function doubted(): Promise<number[]> {
  const rows = await database.pool.query<{ iid: number }>(
    `select iid from projection where kind = 'note' and written_hash is null order by iid`,
  );
  return rows.rows.map((row) => row.iid);
}

async function asked(): Promise<number[]> {
  const rows = await database.pool.query<{ iid: number }>(
    'select iid from merge_request where asked_at is not null order by iid',
  );
  return rows.rows.map((row) => row.iid);
}

describe('the first catch-up', () => {
  it('asks for every open merge request, over pages', async () => {
    for (let number = 0; number < 120; number += 1) await standIn.createMergeRequest(projectId, { title: 'x' });
    standIn.closeMergeRequest(standIn.mergeRequest(projectId, 3));
    expect(await run()).toEqual({ full: true, listed: 119, asked: 119 });
    expect((await jobKeys()).length).toBe(119);
    expect(await asked()).not.toContain(3);
  });

  it('asks nothing for what is known as it is', async () => {
    await standIn.createMergeRequest(projectId, { title: 'x' });
    await read(1);
    expect(await run()).toEqual({ full: true, listed: 1, asked: 0 });
    expect(await jobKeys()).toEqual([]);
  });

  it('asks for one whose label was renamed or removed in its project, which moves no time', async () => {
    const labels = ['demo', 'bug'];
    for (const iid of [1, 2, 3]) {
      await standIn.createMergeRequest(projectId, { title: 'x', labels });
      await read(iid);
    }
    standIn.mergeRequest(projectId, 1).labels = ['bug', 'demo'];
    standIn.mergeRequest(projectId, 2).labels = ['demo'];
    standIn.mergeRequest(projectId, 3).labels = ['demo', 'defect'];
    expect(await run()).toMatchObject({ full: true, asked: 2 });
    expect(await asked()).toEqual([2, 3]);
  });

  it('reads the comments of those that have some', async () => {
    const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'x' });
    standIn.comment(mergeRequest, '/preview stop');
    await run();
    expect(await jobKeys()).toEqual(['decide:mr:P:1', 'notes:P:1']);
  });
});

describe('a later catch-up', () => {
  beforeEach(async () => {
    for (const title of ['one', 'two', 'three']) {
      now += 120_000;
      await standIn.createMergeRequest(projectId, { title, sourceBranch: title });
    }
    for (const iid of [1, 2, 3]) await read(iid);
    await run();
    await forgetJobs();
    now += 120_000;
  });

  it('lists only what changed since', async () => {
    await standIn.push(projectId, { branch: 'two' });
    expect(await run()).toMatchObject({ full: false, asked: 1 });
    expect(await jobKeys()).toEqual(['decide:mr:P:2']);
  });

  it('finds an end that no webhook told', async () => {
    standIn.closeMergeRequest(standIn.mergeRequest(projectId, 1));
    await run();
    expect(await jobKeys()).toEqual(['decide:mr:P:1']);
  });

  it('finds a comment that no webhook told', async () => {
    standIn.comment(standIn.mergeRequest(projectId, 3), '/preview stop');
    now += 1;
    await run();
    expect(await jobKeys()).toEqual(['decide:mr:P:3', 'notes:P:3']);
  });

  it('lists all again after a while, and after a start of the manager', async () => {
    expect((await run()).full).toBe(false);
    expect((await run({ fullEveryMs: 0 })).full).toBe(true);
    expect((await run({ fullSince: Date.now() + 60_000 })).full).toBe(true);
  });

  it('asks for living previews that a full listing does not show, and for no others', async () => {
    await preview(1, 'ready');
    await preview(77, 'ready');
    await preview(78, 'stopping');
    await preview(79, 'stopped');
    await run({ fullEveryMs: 0 });
    expect(await jobKeys()).toEqual(['decide:mr:P:77']);
  });

  it('takes an empty listing for no end: it only asks', async () => {
    await preview(1, 'ready');
    standIn.faults.add({ kind: 'empty' });
    await run({ fullEveryMs: 0 });
    expect(await asked()).toEqual([1]);
    const rows = await database.pool.query(`select phase from preview`);
    expect(rows.rows).toEqual([{ phase: 'ready' }]);
  });

  it.each([
    ['token-expired', 'gitlab-unauthorized'],
    ['not-found', 'gitlab-not-found'],
    ['rate-limit', 'gitlab-rate-limited'],
  ] as const)('changes nothing when GitLab answers with %s', async (kind, code) => {
    await preview(1, 'ready');
    const before = await loadFollowCursor(database.pool, { projectId });
    standIn.faults.add({ kind });
    await expect(run({ fullEveryMs: 0 })).rejects.toMatchObject({ code });
    expect(await jobKeys()).toEqual([]);
    expect(await loadFollowCursor(database.pool, { projectId })).toMatchObject({
      listedAt: before.listedAt,
      updatedAfter: before.updatedAfter,
    });
  });
});

describe('configured projects', () => {
  const resolve = (paths: string[]) =>
    resolveProjects(
      {
        getProject: (input) => getProject(gitlab, input),
        remember: (input) => rememberProject(database.pool, input),
        recall: (input) => recallProject(database.pool, input),
        log,
      },
      { paths, signal },
    );

  it('are found, and one that is missing leaves the others alone', async () => {
    expect(await resolve([`acme/p${count}`, 'acme/nowhere'])).toEqual([
      { path: `acme/p${count}`, projectId, cloneUrl: `${standIn.url}/acme/p${count}.git`, isPublic: false },
      { path: 'acme/nowhere', projectId: null, cloneUrl: null, isPublic: null },
    ]);
  });

  it('keep the id of their living previews under a path that GitLab does not know, without a cursor too', async () => {
    await preview(1, 'ready');
    expect(await recallProject(database.pool, { path: 'acme/renamed', name: 'shop' })).toEqual({
      projectId,
      cloneUrl: null,
    });
    expect(await recallProject(database.pool, { path: 'acme/renamed', name: 'cart' })).toBeNull();
    await database.pool.query("update preview set phase = 'stopped'");
    expect(await recallProject(database.pool, { path: 'acme/renamed', name: 'shop' })).toBeNull();
  });

  it('that were moved are found by their id, under their new address', async () => {
    const path = `acme/p${count}`;
    await resolve([path]);
    await standIn.moveProject(projectId, `labs/p${count}`);
    const cloneUrl = `${standIn.url}/labs/p${count}.git`;
    expect(await resolve([path])).toEqual([{ path, projectId, cloneUrl, isPublic: false }]);
    standIn.faults.add({ kind: 'token-expired' });
    expect(await resolve([path])).toEqual([{ path, projectId, cloneUrl, isPublic: null }]);
  });

  it('keep their id while GitLab cannot say', async () => {
    const path = `acme/p${count}`;
    const known = await resolve([path]);
    standIn.faults.add({ kind: 'not-found' });
    expect(await resolve([path])).toEqual(known.map((each) => ({ ...each, isPublic: null })));
    expect(known[0]?.projectId).toBe(projectId);
  });
});

describe('a comment that was removed', () => {
  it('has the note looked at where a preview lives, once, and nothing else costs anything', async () => {
    for (const iid of [1, 2, 3]) {
      const mergeRequest = await standIn.createMergeRequest(projectId, { title: 'x' });
      standIn.comment(mergeRequest, 'one');
      await told(iid);
      await preview(iid, iid === 3 ? 'stopped' : 'ready');
      await read(iid);
    }
    await run();
    expect(await doubted()).toEqual([]);
    for (const iid of [1, 3]) standIn.mergeRequest(projectId, iid).notes.clear();
    standIn.comment(standIn.mergeRequest(projectId, 2), 'another');
    for (const iid of [1, 2, 3]) await read(iid);
    await forgetJobs();
    await run({ fullEveryMs: 0 });
    expect(await doubted()).toEqual([1]);
    expect(await jobKeys()).toEqual(['feedback:P:1']);
    await database.pool.query(`update projection set written_hash = 'h'`);
    await forgetJobs();
    await run({ fullEveryMs: 0 });
    expect([await doubted(), await jobKeys()]).toEqual([[], []]);
  });
});
