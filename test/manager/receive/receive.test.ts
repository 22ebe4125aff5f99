import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { batchDeliveries, type NewDelivery } from '../../../src/manager/receive/batch.js';
import { createReceiver, type ObservedDelivery, type ReceiveDeps } from '../../../src/manager/receive/router.js';
import { saveDeliveries } from '../../../src/store/deliveries.js';
import { inTransaction } from '../../../src/store/pool.js';
import { enqueue } from '../../../src/store/queue.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { mergeRequestPayload, notePayload, pipelinePayload, pushPayload, sha } from './payloads.js';

const readback = { task: 'readback', key: 'readback', payload: {} };
const common = { tokens: ['common'], signingTokens: [] };
const own = { tokens: ['own'], signingTokens: [] };

let database: TestDatabase;
let server: Server;
let url: string;
let observed: ObservedDelivery[];
let store: (delivery: NewDelivery) => Promise<number>;

beforeAll(async () => {
  database = await createTestDatabase();
  const deps: ReceiveDeps = {
    commonSecrets: () => common,
    allSecrets: () => ({ tokens: [...common.tokens, ...own.tokens], signingTokens: [] }),
    findProject: (projectId) => (projectId === 5 ? { secrets: null } : projectId === 6 ? { secrets: own } : null),
    isEnvironments: (projectId, _path, branch) => projectId === 9 && branch === 'dynamic-envs',
    store: (delivery) => store(delivery),
    observe: (delivery) => observed.push(delivery),
  };
  const app = express();
  app.use(createReceiver(deps, { log: pino({ level: 'silent' }) }));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/gitlab`;
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await database.drop();
});

beforeEach(async () => {
  observed = [];
  store = batchDeliveries((deliveries) => saveDeliveries(database.pool, { deliveries, readback }));
  await database.pool.query('truncate delivery, merge_request, preview cascade');
  await database.pool.query('delete from graphile_worker._private_jobs');
});

async function send(body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-gitlab-token': 'common', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

async function jobKeys(): Promise<string[]> {
  const jobs = await database.pool.query<{ key: string }>('select key from graphile_worker._private_jobs order by key');
  return jobs.rows.map((job) => job.key);
}

async function count(table: 'delivery' | 'merge_request'): Promise<number> {
  const answer = await database.pool.query<{ count: number }>(`select count(*) from ${table}`);
  return answer.rows[0]?.count ?? -1;
}

async function know(iid: number, updatedAt: string, head = sha): Promise<void> {
  await database.pool.query(`insert into merge_request (project_id, iid, facts, updated_at) values (5, $1, $2, $3)`, [
    iid,
    JSON.stringify({ sha: head }),
    updatedAt,
  ]);
}

describe('what is stored', () => {
  it('a merge request event: delivery, mark and job', async () => {
    const answer = await send(mergeRequestPayload());
    expect(answer.status).toBe(202);
    const stored = await database.pool.query('select id, event, project_id, facts from delivery');
    expect(stored.rows).toEqual([
      {
        id: answer.body.delivery,
        event: 'merge_request',
        project_id: 5,
        facts: { event: 'merge_request', projectId: 5, iid: 42, updatedAt: Date.UTC(2026, 2, 4, 10) },
      },
    ]);
    const marked = await database.pool.query(
      'select project_id, iid, asked_at is not null as asked from merge_request',
    );
    expect(marked.rows).toEqual([{ project_id: 5, iid: 42, asked: true }]);
    expect(await jobKeys()).toEqual(['decide:mr:5:42']);
    const job = await database.pool.query('select payload from graphile_worker._private_jobs');
    expect(job.rows).toEqual([{ payload: { subject: 'mr:5:42' } }]);
    expect(observed).toMatchObject([{ event: 'merge_request', outcome: 'stored' }]);
  });

  it('a note event: its id and a job that reads notes', async () => {
    expect((await send(notePayload())).status).toBe(202);
    expect((await send(notePayload({ id: 1250 }))).status).toBe(202);
    const hinted = await database.pool.query('select notes_hinted, asked_at from merge_request');
    expect(hinted.rows).toEqual([{ notes_hinted: ['1250', '1244'].map(String), asked_at: null }]);
    expect(await jobKeys()).toEqual(['notes:5:42']);
  });

  it('a flood of notes keeps the newest fifty ids', async () => {
    await Promise.all(Array.from({ length: 60 }, (_, index) => send(notePayload({ id: 100 + index }))));
    const hinted = await database.pool.query(
      'select cardinality(notes_hinted) as count, 159 = any(notes_hinted) as newest from merge_request',
    );
    expect(hinted.rows).toEqual([{ count: 50, newest: true }]);
  });

  it('a push to the environments branch: a read-back', async () => {
    expect((await send(pushPayload())).status).toBe(202);
    expect(await jobKeys()).toEqual(['readback']);
  });

  it('a pipeline of a merge request: a decision, without asking for the merge request', async () => {
    expect((await send(pipelinePayload())).status).toBe(202);
    expect(await jobKeys()).toEqual(['decide:mr:5:42']);
    expect(await count('merge_request')).toBe(0);
  });

  it('a branch pipeline: a decision on all whose head or awaited sha it is', async () => {
    await know(1, '2026-03-04T10:00:00Z');
    await know(2, '2026-03-04T10:00:00Z', 'f'.repeat(40));
    await database.pool.query(
      `insert into preview (slug, incarnation, subject, project, cluster, namespace, phase, last_activity_at, expires_at, created_at)
       values ('shop-3', 1, 'mr:5:3', 'shop', 'default', 'preview-shop-3', 'ready', now(), now(), now())`,
    );
    await database.pool.query(
      `insert into preview_member (slug, incarnation, ordinal, project_id, iid, next) values ('shop-3', 1, 0, 5, 3, $1)`,
      [JSON.stringify({ sha })],
    );
    expect((await send(pipelinePayload({}, false))).status).toBe(202);
    expect(await jobKeys()).toEqual(['decide:mr:5:1', 'decide:mr:5:3']);
  });
});

describe('a webhook beside what is known', () => {
  it('strictly older asks nothing', async () => {
    await know(42, '2026-03-04T10:00:01.000Z');
    expect((await send(mergeRequestPayload())).status).toBe(202);
    expect(await jobKeys()).toEqual([]);
    const row = await database.pool.query('select asked_at from merge_request');
    expect(row.rows).toEqual([{ asked_at: null }]);
  });

  it('of the same second is a tie and asks', async () => {
    await know(42, '2026-03-04T10:00:00.999Z');
    await send(mergeRequestPayload());
    expect(await jobKeys()).toEqual(['decide:mr:5:42']);
  });
});

describe('duplicates', () => {
  it('by Idempotency-Key are stored once and answered with the same id', async () => {
    const headers = { 'idempotency-key': 'one' };
    const first = await send(mergeRequestPayload(), headers);
    await database.pool.query('delete from graphile_worker._private_jobs');
    const second = await send(mergeRequestPayload(), headers);
    expect([second.status, second.body]).toEqual([202, first.body]);
    expect(await count('delivery')).toBe(1);
    expect(await jobKeys()).toEqual([]);
  });

  it('by webhook-id too, and when they arrive at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => send(mergeRequestPayload(), { 'webhook-id': 'many' })),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
    expect(new Set(answers.map((answer) => answer.body.delivery)).size).toBe(1);
    expect(await count('delivery')).toBe(1);
  });

  it('stored by two managers at once are one', async () => {
    const other = batchDeliveries((deliveries) => saveDeliveries(database.pool, { deliveries, readback }));
    const facts = { event: 'pipeline', projectId: 5, iid: 1, sha, status: 'success' } as const;
    const ids = await Promise.all(
      Array.from({ length: 40 }, (_, index) => (index % 2 === 0 ? store : other)({ key: `k${index >> 2}`, facts })),
    );
    expect(new Set(ids).size).toBe(10);
    expect(await count('delivery')).toBe(10);
  });

  it('without a key are each new', async () => {
    await send(mergeRequestPayload());
    await send(mergeRequestPayload());
    expect(await count('delivery')).toBe(2);
  });
});

describe('what is not stored', () => {
  it.each([
    ['an unfollowed project', mergeRequestPayload({ target_project_id: 7 })],
    ['another branch of the environments repository', pushPayload({ ref: 'refs/heads/main' })],
    ['a push to a followed project', pushPayload({ project_id: 5 })],
    ['an event of another kind', { object_kind: 'issue' }],
    ['a shape that GitLab does not send', { object_kind: 'merge_request' }],
  ])('%s is 200', async (_, payload) => {
    expect((await send(payload)).status).toBe(200);
    expect(await count('delivery')).toBe(0);
  });

  it('text that is not JSON is 400', async () => {
    expect((await send('{"object_kind":')).status).toBe(400);
  });

  it('a wrong secret is 401, whatever the body', async () => {
    expect((await send('no json', { 'x-gitlab-token': 'wrong' })).status).toBe(401);
    expect((await send(mergeRequestPayload(), { 'x-gitlab-token': 'wrong' })).status).toBe(401);
    expect(await count('delivery')).toBe(0);
  });

  it('a project’s own secret overrides the common one and opens no other project', async () => {
    const payload = mergeRequestPayload({ target_project_id: 6 });
    expect((await send(payload, { 'x-gitlab-token': 'common' })).status).toBe(401);
    expect((await send(mergeRequestPayload(), { 'x-gitlab-token': 'own' })).status).toBe(401);
    expect((await send(payload, { 'x-gitlab-token': 'own' })).status).toBe(202);
  });

  it('more than 25 MiB is 413', async () => {
    expect((await send('x'.repeat(25 * 1024 * 1024 + 1))).status).toBe(413);
  });

  it('what the database refuses is 503 with Retry-After', async () => {
    store = batchDeliveries(() => Promise.reject(new Error('connection refused')));
    const answer = await send(mergeRequestPayload());
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(observed).toMatchObject([{ outcome: 'not-stored' }]);
  });

  it('a database that hangs is 503 before GitLab gives up', async () => {
    store = batchDeliveries(() => new Promise(() => undefined), { timeoutMs: 50 });
    expect((await send(mergeRequestPayload())).status).toBe(503);
  });
});

it('many at once share round trips, and each acts', async () => {
  let trips = 0;
  store = batchDeliveries((deliveries) => {
    trips += 1;
    return saveDeliveries(database.pool, { deliveries, readback });
  });
  const iids = Array.from({ length: 300 }, (_, index) => index + 1);
  await Promise.all(
    iids.map((iid) => store({ key: `d${iid}`, facts: { event: 'merge_request', projectId: 5, iid, updatedAt: 0 } })),
  );
  expect(trips).toBeLessThan(5);
  expect(await count('delivery')).toBe(300);
  expect((await jobKeys()).length).toBe(300);
});

it('deliveries and decisions about the same merge requests never wait for each other in a circle', async () => {
  const iids = [1, 2, 3, 4, 5];
  const saving = Array.from({ length: 60 }, (_, round) =>
    saveDeliveries(database.pool, {
      readback,
      deliveries: iids.map((iid) => ({
        key: `r${round}-${iid}`,
        facts: { event: 'merge_request', projectId: 5, iid: iids[(iid + round) % 5] ?? 1, updatedAt: 0 },
      })),
    }),
  );
  const deciding = Array.from({ length: 60 }, (_, round) =>
    inTransaction(database.pool, async (transaction) => {
      const iid = (round % 5) + 1;
      await transaction.query(
        `insert into merge_request (project_id, iid) values (5, $1)
         on conflict (project_id, iid) do update set unknown_since = null`,
        [iid],
      );
      const subject = `mr:5:${iid}`;
      await enqueue(transaction, [{ task: 'decide', key: `decide:${subject}`, payload: { subject } }]);
    }),
  );
  const results = await Promise.allSettled([...saving, ...deciding]);
  expect(results.filter((result) => result.status === 'rejected')).toEqual([]);
});
