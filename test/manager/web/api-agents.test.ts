import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findApiToken, newApiToken } from '../../../src/config/api-token.js';
import type { ManagerConfig } from '../../../src/config/manager-config.js';
import { agentDesk } from '../../../src/manager/serve-agent-desk.js';
import { createApi } from '../../../src/manager/web/api.js';
import { storePoll } from '../../../src/store/agents.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { jobKeys, seedPreview, serve, webDeps } from './web-fixtures.js';

let database: TestDatabase;
const reader = newApiToken();
const operator = newApiToken();
const tokens = [
  { name: 'screen', hash: reader.hash, scope: 'read' as const },
  { name: 'ops', hash: operator.hash, scope: 'operate' as const },
];
const config = {
  agents: [
    { name: 'default', token: 'a', namespacePrefix: 'preview-' },
    { name: 'other', token: 'b', namespacePrefix: 'preview-' },
  ],
  projects: [
    { name: 'shop', path: 'acme/shop' },
    { name: 'cart', path: 'acme/cart' },
  ],
} as unknown as Pick<ManagerConfig, 'agents' | 'projects'>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query(`truncate preview, preview_member, merge_request, preview_event, wish, agent, agent_order,
    observation, installation, follow_cursor cascade`);
  await database.pool.query('delete from graphile_worker._private_jobs');
  await database.pool.query(`insert into follow_cursor (project_id, path) values (7, 'acme/shop')`);
});

type Call = (
  method: string,
  path: string,
  body?: unknown,
  token?: string,
) => Promise<{ status: number; body: Record<string, unknown> }>;

async function start(): Promise<Call> {
  const api = createApi({
    authenticate: (token) => findApiToken(tokens, token),
    ...webDeps(database.pool),
    agents: agentDesk(database.pool, () => config),
    giveOrder: () => Promise.reject(new Error('not here')),
    settableOf: () => ({}),
    log: pino({ level: 'silent' }),
  });
  const url = await serve('/api/v1', api);
  return async (method, path, body, token = operator.token) => {
    const answer = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
}

function poll(cluster: string, more: object = {}) {
  const quiet = { open: false, reason: null, pending: [] };
  const body = {
    branchCommit: 'c1',
    living: [],
    orphans: [],
    breaker: quiet,
    acknowledged: [],
    outcomes: [],
    paused: [],
  };
  return storePoll(database.pool, cluster, { ...body, ...more });
}

async function events(slug: string) {
  const answer = await database.pool.query(
    'select kind, actor, detail from preview_event where slug = $1 order by id',
    [slug],
  );
  return answer.rows;
}

describe('a pause', () => {
  it('of a preview goes to its agent, is recorded, and is shown when the agent tells it', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await seedPreview(database.pool, { slug: 'shop-2' });
    const call = await start();
    expect(await call('POST', '/pause', { slug: 'shop-1' })).toMatchObject({
      status: 202,
      body: { order: 'pause', agents: ['default'], previews: 1 },
    });
    const { orders } = await poll('default');
    expect(orders).toMatchObject([{ kind: 'pause', slug: 'shop-1', project: null, by: 'ops' }]);
    expect(await events('shop-1')).toEqual([{ kind: 'pause-ordered', actor: 'ops', detail: 'this preview' }]);
    expect((await call('GET', '/previews/shop-1')).body.paused).toBeNull();
    const id = orders[0]?.id;
    await poll('default', { acknowledged: [id], paused: [{ scope: 'preview', name: 'shop-1', by: 'ops' }] });
    expect((await call('GET', '/previews/shop-1')).body.paused).toEqual({ scope: 'preview', by: 'ops' });
    expect((await call('GET', '/previews/shop-2')).body.paused).toBeNull();
    expect((await poll('default')).orders).toEqual([]);
    expect((await call('GET', '/previews/shop-1')).body.paused).toBeNull();
  });

  it('of a project goes to every agent with its path, for the next preview may be anywhere', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await seedPreview(database.pool, { slug: 'cart-2', project: 'cart' });
    const call = await start();
    const answer = await call('POST', '/pause', { project: 'shop' });
    expect(answer.body).toMatchObject({ agents: ['default', 'other'], previews: 1 });
    expect(await events('cart-2')).toEqual([]);
    for (const cluster of ['default', 'other']) {
      expect((await poll(cluster)).orders).toMatchObject([{ kind: 'pause', slug: null, project: 'acme/shop' }]);
    }
    await poll('default', { paused: [{ scope: 'project', name: 'acme/shop', by: 'ops' }] });
    const { previews } = (await call('GET', '/previews')).body as { previews: { slug: string; paused: unknown }[] };
    expect(previews.find(({ slug }) => slug === 'shop-1')?.paused).toEqual({ scope: 'project', by: 'ops' });
  });

  it.each([
    [{}, 400, /exactly one of/],
    [{ slug: 'shop-1', all: true }, 400, /exactly one of/],
    [{ project: 'nobody' }, 404, /no project nobody/],
    [{ agent: 'nobody' }, 404, /no agent nobody/],
    [{ slug: 'nobody-1' }, 404, /no preview nobody-1/],
  ])('of %j is refused', async (body, status, detail) => {
    const call = await start();
    const answer = await call('POST', '/pause', body);
    expect(answer.status).toBe(status);
    expect(answer.body.detail).toMatch(detail);
    expect((await database.pool.query('select from agent_order')).rowCount).toBe(0);
  });

  it('is no business of who may only look', async () => {
    const call = await start();
    for (const path of ['/pause', '/resume', '/orphans/remove', '/previews/a-1/unblock', '/previews/a-1/forget']) {
      expect((await call('POST', path, {}, reader.token)).status, path).toBe(403);
    }
    expect((await call('GET', '/orphans', undefined, reader.token)).status).toBe(200);
  });
});

describe('orphans', () => {
  const orphan = { namespace: 'preview-shop-9', slug: 'shop-9', incarnation: 2 };

  it('are listed as their agents told them, and one is removed on a word', async () => {
    const call = await start();
    await poll('default', { orphans: [orphan] });
    expect((await call('GET', '/orphans')).body).toEqual({
      orphans: [{ cluster: 'default', ...orphan, removing: false }],
    });
    expect((await call('POST', '/orphans/remove', { slug: 'shop-9', incarnation: 1 })).status).toBe(404);
    expect((await call('POST', '/orphans/remove', { slug: 'shop-9' })).status).toBe(202);
    // Once is enough.
    await call('POST', '/orphans/remove', { slug: 'shop-9' });
    const { orders } = await poll('default', { orphans: [orphan] });
    expect(orders).toMatchObject([{ kind: 'remove-orphan', slug: 'shop-9', incarnation: 2, by: 'ops' }]);
    expect((await call('GET', '/orphans')).body).toMatchObject({ orphans: [{ removing: true }] });
  });

  it('that are none any more are recorded as not removed', async () => {
    const call = await start();
    await poll('default', { orphans: [orphan] });
    await call('POST', '/orphans/remove', { slug: 'shop-9' });
    const [order] = (await poll('default', { orphans: [orphan] })).orders;
    const detail = 'Nothing was removed: it is no orphan here, or not any more.';
    const acknowledged = { acknowledged: [order?.id], outcomes: [{ id: order?.id, done: false, detail }] };
    await poll('default', acknowledged);
    // A repeated acknowledgement records nothing twice.
    await poll('default', acknowledged);
    expect(await events('shop-9')).toEqual([
      { kind: 'orphan-removal-ordered', actor: 'ops', detail: 'in the cluster default' },
      { kind: 'orphan-not-removed', actor: 'ops', detail },
    ]);
  });
});

describe('unblock', () => {
  it('names one finalizer for the incarnation that is torn down, and records what came of it', async () => {
    await seedPreview(database.pool, { slug: 'shop-1', phase: 'stopping' });
    const call = await start();
    const answer = await call('POST', '/previews/shop-1/unblock', { finalizer: 'example.com/hold' });
    expect(answer).toMatchObject({ status: 202, body: { incarnation: 1, finalizer: 'example.com/hold' } });
    const [order] = (await poll('default')).orders;
    expect(order).toMatchObject({ kind: 'unblock', slug: 'shop-1', incarnation: 1, finalizer: 'example.com/hold' });
    const detail = 'example.com/hold was removed from ConfigMap/site.';
    await poll('default', { acknowledged: [order?.id], outcomes: [{ id: order?.id, done: true, detail }] });
    expect(await events('shop-1')).toEqual([
      { kind: 'unblock-ordered', actor: 'ops', detail: 'example.com/hold' },
      { kind: 'unblocked', actor: 'ops', detail },
    ]);
  });

  it('is refused for what runs, for what is unknown, and without a proper name', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    const call = await start();
    const finalizer = 'example.com/hold';
    expect(await call('POST', '/previews/shop-1/unblock', { finalizer })).toMatchObject({
      status: 409,
      body: { code: 'unfit-phase' },
    });
    expect((await call('POST', '/previews/shop-2/unblock', { finalizer })).status).toBe(404);
    expect((await call('POST', '/previews/shop-1/unblock', { finalizer: 'a b' })).status).toBe(400);
    expect((await call('POST', '/previews/shop-1/unblock', {})).status).toBe(400);
  });
});

describe('forget', () => {
  const confirm = 'cluster-is-gone';
  const silence = (minutes: number) =>
    database.pool.query(`update agent set last_seen_at = now() - $1 * interval '1 minute'`, [minutes]);

  it('needs its word, and a cluster that was silent for minutes', async () => {
    await seedPreview(database.pool, { slug: 'shop-1', phase: 'stopping' });
    const call = await start();
    expect((await call('POST', '/previews/shop-1/forget', {})).status).toBe(400);
    await poll('default');
    expect(await call('POST', '/previews/shop-1/forget', { confirm })).toMatchObject({
      status: 409,
      body: { code: 'cluster-alive' },
    });
    await silence(4);
    expect((await call('POST', '/previews/shop-1/forget', { confirm })).status).toBe(409);
    await silence(6);
    expect((await call('POST', '/previews/shop-1/forget', { confirm })).status).toBe(202);
    expect(await events('shop-1')).toEqual([
      { kind: 'forgotten', actor: 'ops', detail: 'the cluster default is gone' },
    ]);
    expect((await database.pool.query('select state from observation')).rows).toEqual([{ state: 'gone' }]);
    expect(await jobKeys(database.pool)).toEqual(['decide:mr:7:1']);
    // It was stopping already: nobody's word is added to that.
    expect((await database.pool.query('select from wish')).rowCount).toBe(0);
  });

  it('of what runs is an order to stop as well', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    const call = await start();
    expect((await call('POST', '/previews/shop-1/forget', { confirm })).status).toBe(202);
    expect((await database.pool.query('select kind, source, by_name from wish')).rows).toEqual([
      { kind: 'stop', source: 'operator', by_name: 'ops' },
    ]);
    expect((await call('POST', '/previews/shop-9/forget', { confirm })).status).toBe(404);
  });
});

describe('the notice of a rewritten branch', () => {
  async function rewrite(): Promise<void> {
    await database.pool.query(
      `insert into installation (id, branch_head, notice, notice_at)
       values (gen_random_uuid(), 'c9', 'The history was rewritten.', now() - interval '1 minute')`,
    );
    await database.pool.query(`insert into branch_commit (commit, generation, seen_at)
      values ('before', 1, now() - interval '1 hour'), ('after', 2, now()) on conflict do nothing`);
  }
  const notice = async (call: Call) => (await call('GET', '/breaker')).body.notice;

  it('is shown until every agent follows a head that came after it', async () => {
    await rewrite();
    const call = await start();
    expect(await notice(call)).toMatchObject({ text: 'The history was rewritten.' });
    await poll('default', { branchCommit: 'before' });
    await poll('other', { branchCommit: 'before', breaker: { open: true, reason: 'rewritten', pending: [] } });
    await poll('default', { branchCommit: 'after' });
    expect(await notice(call)).not.toBeNull();
    await poll('other', { branchCommit: 'after' });
    expect(await notice(call)).toBeNull();
  });

  it('is over when a person has read it', async () => {
    await rewrite();
    const call = await start();
    expect(await call('POST', '/breaker/accept', { reason: 'we moved it' })).toMatchObject({
      status: 202,
      body: { noticeRead: true },
    });
    expect(await notice(call)).toBeNull();
    expect((await call('POST', '/breaker/accept', { reason: 'we moved it' })).status).toBe(409);
  });
});
