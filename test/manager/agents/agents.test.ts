import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { describeFailure } from '../../../src/agent/failure.js';
import { missingSecret } from '../../../src/agent/furnish/copy-secret.js';
import { AppError } from '../../../src/error/app-error.js';
import { type AgentsDeps, agentsRouter } from '../../../src/manager/agents/router.js';
import { renderNote } from '../../../src/manager/feedback/note.js';
import { acceptances, isAtOrAfter, recordGone, storePoll } from '../../../src/store/agents.js';
import { type BranchListener, listenToBranch } from '../../../src/store/branch-listener.js';
import { storeObservations } from '../../../src/store/observations.js';
import { readPreviews } from '../../../src/store/previews.js';
import { loadFeedbackInput } from '../../../src/store/projections-input.js';
import { acceptDeletions } from '../../../src/store/web-breaker.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { createWorld, facts, shopId, type World } from '../decide/decide-world.js';

const log = pino({ level: 'silent' });
let database: TestDatabase;
let world: World;
let server: Server;
let listener: BranchListener;
let stop: AbortController;
/** Merge requests whose end GitLab's API confirms; an error: it cannot say. */
let ended: Map<number, boolean | Error>;
let outcomes: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  listener = listenToBranch({ url: database.url, log });
});

afterAll(async () => {
  await listener.stop();
  await database.drop();
});

beforeEach(async () => {
  world = createWorld(database);
  ended = new Map();
  outcomes = [];
  stop = new AbortController();
  await world.sql(`truncate merge_request, wish, preview, preview_event, observation, agent_order, branch_write, slug,
    agent, installation, branch_commit cascade`);
  await world.sql("insert into branch_commit (commit, generation) values ('c1', 1), ('c2', 2), ('c3', 3)");
  await world.sql('delete from graphile_worker._private_jobs');
  const deps: AgentsDeps = {
    tokens: () =>
      new Map([
        ['default', 'token-1'],
        ['other', 'token-2'],
        ['broken', ''],
      ]),
    storePoll: (cluster, poll) => storePoll(database.pool, cluster, poll),
    recordGone: (input) => recordGone(database.pool, input),
    isAtOrAfter: (commit, generation) => isAtOrAfter(database.pool, commit, generation),
    storeObservations: (cluster, list) => storeObservations(database.pool, cluster, list),
    observed: (outcome) => outcomes.push(outcome),
    readPreviews: (pairs) => readPreviews(database.pool, pairs),
    acceptances: (pairs) => acceptances(database.pool, pairs),
    async hasEnded(_projectId, iid) {
      const answer = ended.get(iid) ?? false;
      if (answer instanceof Error) throw answer;
      return answer;
    },
    branchHead: async () => String((await world.sql('select branch_head from installation'))[0]?.branch_head),
    onBranchHead: (listen) => listener.subscribe(listen),
    signal: stop.signal,
    log,
  };
  server = createServer(express().use('/agent/v1', agentsRouter(deps)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  stop.abort();
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function url(path: string): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/agent/v1${path}`;
}

function post(path: string, body: unknown, token = 'token-1'): Promise<Response> {
  return fetch(url(path), {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function observation(more: object = {}) {
  return {
    slug: 'shop-42',
    incarnation: 1,
    revision: 'r1',
    branchCommit: 'c1',
    seq: [1, 1],
    state: 'progressing',
    objects: [],
    diagnosis: null,
    ...more,
  };
}

function poll(more: object = {}) {
  return {
    branchCommit: 'c1',
    living: [],
    orphans: [],
    breaker: { open: false, reason: null, pending: [] },
    acknowledged: [],
    ...more,
  };
}

async function opened(iid: number): Promise<void> {
  world.mergeRequests.set(iid, facts(iid));
  await world.hint(iid);
  await world.sql("update preview set wanted_revision = 'r1', needs_commit = false");
  await world.sql(
    `insert into branch_write (slug, incarnation, blob, generation)
     select slug, incarnation, 'b', 1 from preview where subject = $1`,
    [`mr:${shopId}:${iid}`],
  );
  await world.sql('delete from graphile_worker._private_jobs');
}

/** Stopped as by an end of the merge request, and its file removed with generation 2. */
async function stopping(iid: number, reason = 'merged', by: string | null = null): Promise<void> {
  await opened(iid);
  await world.sql(
    `update preview set phase = 'stopping', stop_reason = $2, stopped_by = $3, stopped_at = now() where subject = $1`,
    [`mr:${shopId}:${iid}`, reason, by],
  );
  await world.sql(
    `insert into branch_write (slug, incarnation, blob, generation)
     select slug, incarnation, null, 2 from preview where subject = $1`,
    [`mr:${shopId}:${iid}`],
  );
}

async function explain(iids: number[], token?: string): Promise<(string | null)[]> {
  const deletions = iids.map((iid) => ({ slug: `shop-${iid}`, incarnation: 1 }));
  const answer = (await (await post('/explain', { deletions }, token)).json()) as {
    deletions: { explanation: string | null }[];
  };
  return answer.deletions.map((each) => each.explanation);
}

test('only the token of a cluster is let in', async () => {
  expect((await fetch(url('/poll'), { method: 'POST' })).status).toBe(401);
  expect((await post('/poll', poll(), 'token-3')).status).toBe(401);
  expect((await post('/poll', poll(), '')).status).toBe(401);
  expect((await post('/poll', poll())).status).toBe(200);
  expect((await post('/poll', { nonsense: true })).status).toBe(400);
});

test('an observation is stored and its preview decided', async () => {
  await opened(42);
  expect((await post('/observations', { observations: [observation({ state: 'healthy' })] })).status).toBe(204);
  expect(outcomes).toEqual(['stored']);
  expect(await world.jobs()).toEqual([`decide:mr:${shopId}:42`]);
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ phase: 'ready', deployed_revision: 'r1' });
});

const refusedManifest = new AppError({
  code: 'kube-invalid',
  disposition: 'stall',
  publicMessage: 'Deployment web is not valid.',
});

test.each([
  ['no push mends', missingSecret('shop-42', 'creds', 'preview-secrets'), 'This is for an operator', 'Correct the'],
  ['a push mends', refusedManifest, 'Correct the manifest and push', 'This is for an operator'],
])('the note says who has to act on what %s, as the agent tells it', async (_, error, told, untold) => {
  await opened(42);
  const { problem } = describeFailure(error, 'r1', 0, 1);
  await post('/observations', { observations: [observation({ ...problem, state: 'degraded' })] });
  await world.decide(42);
  const input = await loadFeedbackInput(database.pool, { projectId: shopId, iid: 42 });
  if (input === null) throw new Error('no preview');
  const note = renderNote(input.view);
  expect(note).toContain('Preview failed');
  expect(note).toContain(`\`${error.publicMessage.replaceAll('`', "'")}\``);
  expect(note).toContain(`**What to do:** ${told}`);
  expect(note).not.toContain(untold);
});

test('the newer observation wins, whatever order they arrive in', async () => {
  await opened(42);
  await post('/observations', { observations: [observation({ seq: [2, 1], state: 'healthy' })] });
  // A repetition, one that was overtaken, and one of an earlier start of the agent.
  await post('/observations', { observations: [observation({ seq: [2, 1] }), observation({ seq: [2, 0] })] });
  await post('/observations', { observations: [observation({ seq: [1, 99], state: 'degraded' })] });
  expect(outcomes).toEqual(['stored', 'known', 'known', 'known']);
  expect(await world.sql('select state from observation')).toEqual([{ state: 'healthy' }]);
  // Of two in one batch the later counts.
  await post('/observations', {
    observations: [observation({ seq: [3, 2], state: 'healthy' }), observation({ seq: [3, 1], state: 'degraded' })],
  });
  expect(await world.sql('select state from observation')).toEqual([{ state: 'healthy' }]);
});

test('a repetition of the same state decides nothing', async () => {
  await opened(42);
  await post('/observations', { observations: [observation()] });
  await world.sql('delete from graphile_worker._private_jobs');
  await post('/observations', { observations: [observation({ seq: [1, 2] })] });
  expect(outcomes).toEqual(['stored', 'stored']);
  expect(await world.jobs()).toEqual([]);
});

test("another cluster's previews, strangers and malformed ones are refused, and the rest counts", async () => {
  await opened(42);
  await post('/observations', { observations: [observation({ state: 'gone', revision: null })] }, 'token-2');
  expect(await world.sql('select * from observation')).toEqual([]);
  const text = 'a \u0000 in a log';
  const diagnosis = { cause: 'health', object: null, sentence: text, evidence: [] };
  const batch = [observation({ slug: 'nobody' }), { slug: 7 }, observation({ diagnosis })];
  expect((await post('/observations', { observations: batch })).status).toBe(204);
  expect(outcomes.sort()).toEqual(['invalid', 'refused', 'stored', 'unknown']);
});

test('an order is repeated until it is acknowledged, by its own cluster', async () => {
  const [order] = await world.sql(
    "insert into agent_order (cluster, kind, by_name) values ('default', 'pause', 'ada') returning id",
  );
  const id = order?.id;
  const orders = async (body: object, token?: string) =>
    ((await (await post('/poll', poll(body), token)).json()) as { orders: object[] }).orders;
  expect(await orders({})).toEqual([{ id, kind: 'pause', by: 'ada' }]);
  expect(await orders({}, 'token-2')).toEqual([]);
  expect(await orders({ acknowledged: [id] }, 'token-2')).toEqual([]);
  expect(await orders({})).toEqual([{ id, kind: 'pause', by: 'ada' }]);
  expect(await orders({ acknowledged: [id] })).toEqual([]);
  expect(await orders({})).toEqual([]);
});

test('what a poll tells is kept for people to see', async () => {
  const living = [{ slug: 'shop-1', incarnation: 2, state: 'healthy' }];
  const breaker = { open: true, reason: 'limit', pending: [{ slug: 'shop-1', incarnation: 2 }] };
  await post('/poll', poll({ living, breaker }));
  expect(await world.sql('select * from agent')).toMatchObject([
    { name: 'default', branch_commit: 'c1', living, breaker },
  ]);
});

test('a removed preview that the agent no longer names is gone', async () => {
  await stopping(42);
  await world.sql('update merge_request set facts = $1', [
    JSON.stringify(facts(42, { state: 'merged', endedAt: Date.now() })),
  ]);
  await post('/poll', poll({ branchCommit: 'c3' }));
  await world.decide(42);
  expect(await world.row(42)).toMatchObject({ phase: 'stopped', stop_reason: 'merged' });
});

test('it is not gone while the agent names it, has not read the removal, or the removal was not pushed', async () => {
  await stopping(42);
  await post(
    '/poll',
    poll({ branchCommit: 'c2', living: [{ slug: 'shop-42', incarnation: 1, state: 'terminating' }] }),
  );
  await post('/poll', poll({ branchCommit: 'never-seen' }));
  await post('/poll', poll({ branchCommit: 'c1' }));
  await post('/poll', poll({ branchCommit: null }));
  await post('/poll', poll({ branchCommit: 'c2' }), 'token-2');
  expect(await world.sql('select * from observation')).toEqual([]);
  await world.sql('update preview set needs_commit = true');
  await post('/poll', poll({ branchCommit: 'c2' }));
  expect(await world.sql('select * from observation')).toEqual([]);
  await world.sql('update preview set needs_commit = false');
  await post('/poll', poll({ branchCommit: 'c2' }));
  expect(await world.sql('select state from observation')).toEqual([{ state: 'gone' }]);
});

test('an end is explained only when GitLab confirms it now', async () => {
  await stopping(1);
  await stopping(2, 'closed');
  await stopping(3);
  ended.set(1, true).set(2, false).set(3, new Error('502'));
  expect(await explain([1, 2, 3])).toEqual(['its merge request was merged', null, null]);
});

test('a named person explains; a filter, an expiry, an edit and a living preview do not', async () => {
  await stopping(1, 'operator', 'ada');
  await stopping(2, 'command', 'grace');
  for (const [iid, reason] of [
    [3, 'expired'],
    [4, 'label'],
    [5, 'git'],
    [6, 'unfollowed'],
  ] as const) {
    await stopping(iid, reason);
    ended.set(iid, true);
  }
  await opened(7);
  expect(await explain([1, 2, 3, 4, 5, 6, 7, 8])).toEqual([
    'stopped by ada',
    'stopped by grace',
    null,
    null,
    null,
    null,
    null,
    null,
  ]);
});

test("a cluster's agent learns nothing of another cluster's previews", async () => {
  await stopping(1, 'operator', 'ada');
  expect(await explain([1], 'token-2')).toEqual([null]);
});

test('an acceptance names its pairs: the agent is told, explain answers, and the stop is decided anew', async () => {
  await stopping(1, 'expired');
  await stopping(2, 'expired');
  const pairs = [{ slug: 'shop-1', incarnation: 1 }];
  await acceptDeletions(database.pool, { deletions: pairs, by: 'ada', reason: 'clean-up' });
  await acceptDeletions(database.pool, { deletions: pairs, by: 'grace', reason: 'again' });
  expect(await explain([1, 2])).toEqual(['accepted by ada', null]);
  expect(await world.jobs()).toContain(`decide:mr:${shopId}:1`);
  const { orders } = (await (await post('/poll', poll({ living: [{ ...pairs[0], state: 'held' }] }))).json()) as {
    orders: object[];
  };
  expect(orders).toMatchObject([{ kind: 'accept', slug: 'shop-1', incarnation: 1, by: 'ada' }]);
});

test('what only an agent knows can be accepted too', async () => {
  const pairs = [{ slug: 'lost', incarnation: 9 }];
  await post('/poll', poll({ breaker: { open: true, reason: 'limit', pending: pairs } }));
  await acceptDeletions(database.pool, { deletions: pairs, by: 'ada', reason: 'restored database' });
  const deletions = [...pairs, { slug: 'never', incarnation: 1 }];
  const answer = (await (await post('/explain', { deletions })).json()) as { deletions: object[] };
  expect(answer.deletions).toMatchObject([{ explanation: 'accepted by ada' }, { explanation: null }]);
});

/** What the branch writer does at each new head. */
async function moveHead(head: string): Promise<void> {
  await world.sql('update installation set branch_head = $1', [head]);
  await world.sql("select pg_notify('mayfly_branch', $1)", [head]);
}

test('hints send the head on connect and at each change, also when it was changed elsewhere', async () => {
  await world.sql("insert into installation (branch_head) values ('head-1')");
  const answer = await fetch(url('/hints'), { headers: { authorization: 'Bearer token-1' } });
  expect(answer.headers.get('content-type')).toContain('text/event-stream');
  let heard = '';
  const reading = (async () => {
    for await (const chunk of answer.body as unknown as AsyncIterable<Uint8Array>) {
      heard += new TextDecoder().decode(chunk);
    }
  })();
  await expect.poll(() => heard).toContain('event: head\ndata: {"branchCommit":"head-1"}\n\n');
  await expect
    .poll(async () => {
      // The listener's own connection may only just have been opened: each change is another head.
      await moveHead(`head-${Math.random()}`);
      return heard.split('event: head').length;
    })
    .toBeGreaterThan(2);
  await moveHead('last');
  await expect.poll(() => heard).toContain('last');
  stop.abort();
  await reading;
});
