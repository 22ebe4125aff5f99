import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findApiToken, newApiToken } from '../../../src/config/api-token.js';
import { createApi } from '../../../src/manager/web/api.js';
import { giveOrder } from '../../../src/store/web-orders.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { jobKeys, seedPreview, serve, webDeps } from './web-fixtures.js';

let database: TestDatabase;
const reader = newApiToken();
const operator = newApiToken();
const tokens = [
  { name: 'screen', hash: reader.hash, scope: 'read' as const },
  { name: 'ops', hash: operator.hash, scope: 'operate' as const },
];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query(
    'truncate preview, preview_member, merge_request, preview_event, wish, agent, agent_order, observation, installation cascade',
  );
  await database.pool.query('delete from graphile_worker._private_jobs');
});

async function start() {
  const api = createApi({
    authenticate: (token) => findApiToken(tokens, token),
    ...webDeps(database.pool),
    giveOrder: (order) => giveOrder(database.pool, order),
    settableOf: () => ({ replicas: 'integer', greeting: 'text' }),
    log: pino({ level: 'silent' }),
  });
  const url = await serve('/api/v1', api);
  return async (method: string, path: string, body?: unknown, token: string | null = operator.token) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, type: answer.headers.get('content-type'), body: JSON.parse(text) };
  };
}

describe('who may ask', () => {
  it.each([
    ['nobody', null, 'This needs a token: send the header "Authorization: Bearer …". `mayfly token new` makes one.'],
    [
      'a stranger',
      'mayfly_guessed',
      'Nobody has this token. Compare it with `api.tokens` of the configuration; `mayfly token new` makes a new one.',
    ],
    [
      'who shows the hash',
      operator.hash,
      'Nobody has this token. Compare it with `api.tokens` of the configuration; `mayfly token new` makes a new one.',
    ],
  ])('not %s', async (_who, token, detail) => {
    const call = await start();
    const answer = await call('GET', '/previews', undefined, token);
    expect(answer.type).toContain('application/problem+json');
    expect(answer).toMatchObject({
      status: 401,
      body: { type: 'about:blank', title: 'Not authenticated', status: 401, code: 'not-authenticated', detail },
    });
  });

  it('a reader looks and changes nothing', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    const call = await start();
    expect((await call('GET', '/previews', undefined, reader.token)).status).toBe(200);
    const answer = await call('POST', '/previews/shop-1/stop', undefined, reader.token);
    expect(answer).toMatchObject({ status: 403, body: { code: 'not-allowed' } });
    expect((await database.pool.query('select from wish')).rowCount).toBe(0);
  });
});

describe('the list', () => {
  it('shows what lives, page by page, each exactly once', async () => {
    for (let iid = 1; iid <= 5; iid += 1) await seedPreview(database.pool, { slug: `shop-${iid}` });
    await seedPreview(database.pool, { slug: 'shop-9', phase: 'stopped' });
    const call = await start();
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await call('GET', `/previews?limit=2${cursor}`);
      seen.push(...body.previews.map((each: { slug: string }) => each.slug));
      cursor = body.next === null ? '' : `&cursor=${body.next}`;
    } while (cursor !== '');
    expect(seen).toEqual(['shop-1', 'shop-2', 'shop-3', 'shop-4', 'shop-5']);
  });

  it('filters by project, phase and text', async () => {
    await seedPreview(database.pool, { slug: 'shop-1', title: 'Fix 100% of_it' });
    await seedPreview(database.pool, { slug: 'cart-2', project: 'cart', phase: 'failed' });
    await seedPreview(database.pool, { slug: 'shop-3', phase: 'stopped' });
    const call = await start();
    const slugs = async (query: string) =>
      (await call('GET', `/previews?${query}`)).body.previews.map((each: { slug: string }) => each.slug);
    expect(await slugs('project=cart')).toEqual(['cart-2']);
    expect(await slugs('phase=failed')).toEqual(['cart-2']);
    expect(await slugs('phase=stopped')).toEqual(['shop-3']);
    expect(await slugs(`q=${encodeURIComponent('100% of_')}`)).toEqual(['shop-1']);
    expect(await slugs(`q=${encodeURIComponent('100%_of')}`)).toEqual([]);
    expect(await slugs('q=BRANCH-2')).toEqual(['cart-2']);
    expect(await slugs('q=!2')).toEqual(['cart-2']);
  });

  it.each([
    ['phase=gone', 'phase: '],
    ['limit=0', 'limit: '],
    ['cursor=abc', 'The cursor is none of ours. Take it from `next` of the page before.'],
  ])('refuses %s and says why', async (query, detail) => {
    const call = await start();
    const answer = await call('GET', `/previews?${query}`);
    expect(answer.status).toBe(400);
    expect(answer.body.detail).toContain(detail);
  });
});

describe('one preview', () => {
  it('is its newest incarnation, with times as texts and what the agent said', async () => {
    await seedPreview(database.pool, { slug: 'shop-1', phase: 'stopped' });
    await seedPreview(database.pool, { slug: 'shop-1', incarnation: 2, url: 'https://shop-1.preview.example.com' });
    await database.pool.query(
      `insert into observation (slug, incarnation, cluster, branch_commit, start_number, counter, state, objects)
       values ('shop-1', 2, 'default', 'c', 1, 1, 'healthy', '[{"kind":"Deployment"}]')`,
    );
    const call = await start();
    const { status, body } = await call('GET', '/previews/shop-1');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      slug: 'shop-1',
      incarnation: 2,
      phase: 'ready',
      url: 'https://shop-1.preview.example.com',
      createdAt: '2026-01-01T00:00:00.000Z',
      expiresAt: '2026-01-04T00:00:00.500Z',
      members: [{ projectId: 7, iid: 1, wantedSha: 'abc', mergeRequest: { title: 'Fix the cart', author: 'ada' } }],
      observation: { state: 'healthy', objects: [{ kind: 'Deployment' }] },
    });
  });

  it('has a history over all incarnations, the newest first', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    for (const kind of ['a', 'b', 'c']) {
      await database.pool.query(
        `insert into preview_event (slug, incarnation, kind, to_phase, actor) values ('shop-1', 1, $1, 'ready', 'ada')`,
        [kind],
      );
    }
    const call = await start();
    const first = await call('GET', '/previews/shop-1/events?limit=2');
    expect(first.body.events.map((each: { kind: string }) => each.kind)).toEqual(['c', 'b']);
    expect(first.body.events[0]).toMatchObject({ to: 'ready', actor: 'ada', at: expect.stringMatching(/^\d{4}-.*Z$/) });
    const second = await call('GET', `/previews/shop-1/events?limit=2&cursor=${first.body.next}`);
    expect(second.body).toMatchObject({ events: [{ kind: 'a' }], next: null });
  });

  it.each(['/previews/nope', '/previews/nope/events'])('is not found at %s', async (path) => {
    const call = await start();
    expect(await call('GET', path)).toMatchObject({
      status: 404,
      body: {
        code: 'no-such-preview',
        detail: 'There is no preview nope. `GET /api/v1/previews` lists those that there are.',
      },
    });
  });

  it('is not found by another method or path either', async () => {
    const call = await start();
    expect(await call('DELETE', '/previews/shop-1')).toMatchObject({
      status: 404,
      body: { code: 'no-such-route', detail: 'There is nothing at DELETE /api/v1/previews/shop-1.' },
    });
  });
});

describe('a NUL, which PostgreSQL has in no text', () => {
  it.each([
    ['GET', '/previews?q=%00', 400],
    ['GET', '/previews?project=a%00', 400],
    ['GET', `/previews?cursor=${Buffer.from('["a\\u0000",1]').toString('base64url')}`, 400],
    ['GET', '/previews/a%00b', 404],
    ['GET', '/previews/a%00b/events', 404],
    ['POST', '/previews/a%00b/stop', 404],
  ])('%s %s is answered with %i', async (method, path, status) => {
    const call = await start();
    expect((await call(method, path)).status).toBe(status);
  });
});

describe('orders about something', () => {
  const sha = 'a'.repeat(40);

  it('are recorded with it, and told by the history', async () => {
    await seedPreview(database.pool, { slug: 'shop-1', phase: 'ready' });
    const call = await start();
    for (const [path, body] of [
      ['approve', { sha }],
      ['set', { key: 'replicas', value: '3' }],
      ['set', { key: 'replicas', value: 4 }],
      ['unset', { key: 'replicas' }],
      ['redeploy', undefined],
    ] as const) {
      expect(await call('POST', `/previews/shop-1/${path}`, body)).toMatchObject({
        status: 202,
        body: { order: path },
      });
    }
    const recorded = await database.pool.query('select kind, source, detail from wish order by id');
    const source = 'operator';
    expect(recorded.rows).toEqual([
      { kind: 'approve', source, detail: { sha } },
      { kind: 'set', source, detail: { key: 'replicas', value: 3 } },
      { kind: 'set', source, detail: { key: 'replicas', value: 4 } },
      { kind: 'unset', source, detail: { key: 'replicas' } },
      { kind: 'redeploy', source, detail: null },
    ]);
    const events = await database.pool.query(`select kind, actor, detail from preview_event order by id`);
    expect(events.rows.map((row) => row.detail)).toEqual([
      'approve aaaaaaaa',
      'set replicas=3',
      'set replicas=4',
      'unset replicas',
      'redeploy',
    ]);
    expect(events.rows[0]).toMatchObject({ kind: 'ordered', actor: 'ops' });
  });

  it.each<[path: string, body: Record<string, unknown>, status: number, code: string]>([
    ['approve', { sha: 'aaaaaaaa' }, 400, 'bad-request'],
    ['set', { key: 'replicas', value: 'many' }, 400, 'bad-value'],
    ['set', { key: 'replicas', value: 1.5 }, 400, 'bad-value'],
    ['set', { key: 'greeting', value: true }, 400, 'bad-value'],
    ['set', { key: 'constructor', value: 'x' }, 400, 'not-settable'],
    ['unset', { key: 'image' }, 400, 'not-settable'],
    ['set', { key: 'greeting', value: '\u0000' }, 400, 'bad-value'],
  ])('%s %j is refused', async (path, body, status, code) => {
    await seedPreview(database.pool, { slug: 'shop-1', phase: 'ready' });
    const call = await start();
    expect(await call('POST', `/previews/shop-1/${path}`, body)).toMatchObject({ status, body: { code } });
    expect((await database.pool.query('select from wish')).rowCount).toBe(0);
  });
});

describe('orders', () => {
  it('are recorded under the name of the token, and a decision is asked for', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await seedPreview(database.pool, { slug: 'shop-2', phase: 'stopped' });
    const call = await start();
    expect(await call('POST', '/previews/shop-1/stop')).toMatchObject({
      status: 202,
      body: { slug: 'shop-1', incarnation: 1, order: 'stop' },
    });
    expect((await call('POST', '/previews/shop-1/extend', { by: '2d' })).status).toBe(202);
    expect((await call('POST', '/previews/shop-1/extend')).status).toBe(202);
    expect((await call('POST', '/previews/shop-2/start', {})).status).toBe(202);
    const wishes = await database.pool.query(
      'select subject, kind, source, amount_ms, by_name, at <= now() as past from wish order by id',
    );
    const common = { source: 'operator', by_name: 'ops', past: true };
    expect(wishes.rows).toEqual([
      { subject: 'mr:7:1', kind: 'stop', amount_ms: null, ...common },
      { subject: 'mr:7:1', kind: 'extend', amount_ms: 172_800_000, ...common },
      { subject: 'mr:7:1', kind: 'extend', amount_ms: null, ...common },
      { subject: 'mr:7:2', kind: 'start', amount_ms: null, ...common },
    ]);
    expect(await jobKeys(database.pool)).toEqual(['decide:mr:7:1', 'decide:mr:7:2']);
  });

  it.each([
    [
      'stop',
      'stopped',
      'shop-1 is stopped: there is nothing to stop. Nothing was done; `start` brings it back while its merge request is open.',
    ],
    [
      'extend',
      'stopping',
      'shop-1 is stopping: there is nothing to extend. Nothing was done; `start` brings it back while its merge request is open.',
    ],
    ['start', 'ready', 'shop-1 is ready: it runs, or is about to. Nothing was done.'],
  ])('that have no meaning are refused: %s of what is %s', async (kind, phase, detail) => {
    await seedPreview(database.pool, { slug: 'shop-1', phase });
    const call = await start();
    expect(await call('POST', `/previews/shop-1/${kind}`)).toMatchObject({
      status: 409,
      body: { code: 'unfit-phase', detail },
    });
    expect(await jobKeys(database.pool)).toEqual([]);
  });

  it.each([
    ['a wrong amount', { by: 'soon' }, 'The request is not understood. by: not a duration such as 2d, 12h or 30m.'],
    ['an endless amount', { by: '9999d' }, 'The request is not understood. by: longer than 365d.'],
    ['an unknown field', { until: '2d' }, 'The request is not understood. Unrecognized key: "until".'],
    ['no JSON', '{"amount":', 'The body is not the JSON that is expected here.'],
  ])('that are not understood are refused: %s', async (_what, body, detail) => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    const call = await start();
    expect(await call('POST', '/previews/shop-1/extend', body)).toMatchObject({ status: 400, body: { detail } });
  });

  it('for an unknown preview are refused', async () => {
    const call = await start();
    expect((await call('POST', '/previews/nope/stop')).body.code).toBe('no-such-preview');
  });
});

describe('the breaker', () => {
  async function seedHeld() {
    const { pool } = database;
    await seedPreview(pool, { slug: 'shop-1', held: { reason: 'unfollowed', since: 1_767_225_600_000 } });
    await seedPreview(pool, { slug: 'shop-2', held: { reason: 'unfollowed', since: 1_767_225_600_000 } });
    await seedPreview(pool, { slug: 'shop-3' });
    const breaker = {
      open: true,
      reason: 'limit',
      pending: [
        { slug: 'lost-4', incarnation: 3 },
        { slug: 'shop-3', incarnation: 1 },
      ],
    };
    await pool.query(`insert into agent (name, breaker) values ('default', $1), ('quiet', '{}')`, [breaker]);
  }

  it('says that nothing stands still', async () => {
    const call = await start();
    expect((await call('GET', '/breaker')).body).toEqual({
      open: false,
      blockedReason: null,
      gitlab: null,
      notice: null,
      held: [],
      agents: [],
    });
  });

  it('shows held stops, the agents’ breakers and why nothing is written', async () => {
    await seedHeld();
    await database.pool.query(
      `insert into installation (id, blocked_reason) values (gen_random_uuid(), 'The branch was rewritten.')`,
    );
    const call = await start();
    const { body } = await call('GET', '/breaker');
    expect(body).toMatchObject({
      open: true,
      blockedReason: 'The branch was rewritten.',
      held: [
        { slug: 'shop-1', incarnation: 1, project: 'shop', reason: 'unfollowed', since: '2026-01-01T00:00:00.000Z' },
        { slug: 'shop-2' },
      ],
      agents: [
        { name: 'default', breaker: { open: true, reason: 'limit' } },
        { name: 'quiet', breaker: null },
      ],
    });
  });

  it('accepts exactly what was named, once, and asks for decisions', async () => {
    await seedHeld();
    const call = await start();
    const body = {
      reason: 'the project moved',
      deletions: [
        { slug: 'shop-1', incarnation: 1 },
        { slug: 'shop-2', incarnation: 9 },
        { slug: 'lost-4', incarnation: 2 },
      ],
    };
    expect(await call('POST', '/breaker/accept', body)).toMatchObject({
      status: 202,
      body: { accepted: [{ slug: 'shop-1', incarnation: 1 }] },
    });
    expect((await call('POST', '/breaker/accept', body)).body.accepted).toEqual([]);
    const orders = await database.pool.query(
      'select cluster, kind, slug, incarnation, by_name, reason from agent_order',
    );
    expect(orders.rows).toEqual([
      {
        cluster: 'default',
        kind: 'accept',
        slug: 'shop-1',
        incarnation: 1,
        by_name: 'ops',
        reason: 'the project moved',
      },
    ]);
    expect(await jobKeys(database.pool)).toEqual(['decide:mr:7:1']);
    const { body: after } = await call('GET', '/breaker');
    expect(after.held.map((each: { slug: string }) => each.slug)).toEqual(['shop-2']);
    const events = await call('GET', '/previews/shop-1/events');
    expect(events.body.events).toMatchObject([
      { kind: 'deletion-accepted', actor: 'ops', detail: 'the project moved' },
    ]);
  });

  it('accepts all that is pending when nothing is named, an agent’s orphans of a lost database too', async () => {
    await seedHeld();
    const call = await start();
    const { body } = await call('POST', '/breaker/accept', { reason: 'all of it' });
    expect(body.accepted.map((each: { slug: string }) => each.slug).sort()).toEqual([
      'lost-4',
      'shop-1',
      'shop-2',
      'shop-3',
    ]);
    const orders = await database.pool.query(
      `select cluster from agent_order where slug = 'lost-4' and incarnation = 3`,
    );
    expect(orders.rows).toEqual([{ cluster: 'default' }]);
  });

  it('accepts a rewritten branch only with everything, and orders it once', async () => {
    await database.pool.query("insert into agent (name, breaker) values ('default', $1)", [
      { open: true, reason: 'rewritten', pending: [] },
    ]);
    const call = await start();
    const named = { reason: 'restored by hand', deletions: [{ slug: 'shop-1', incarnation: 1 }] };
    expect((await call('POST', '/breaker/accept', named)).body).toEqual({
      accepted: [],
      heads: [],
      noticeRead: false,
    });
    for (let i = 0; i < 2; i += 1) {
      const { body } = await call('POST', '/breaker/accept', { reason: 'restored by hand' });
      expect(body).toEqual({ accepted: [], heads: ['default'], noticeRead: false });
    }
    const orders = await database.pool.query('select cluster, kind, slug, by_name, reason from agent_order');
    const order = { cluster: 'default', kind: 'accept', slug: null, by_name: 'ops', reason: 'restored by hand' };
    expect(orders.rows).toEqual([order]);
  });

  it('has nothing to accept when nothing is held, and needs a reason', async () => {
    const call = await start();
    expect((await call('POST', '/breaker/accept', { reason: 'why not' })).body).toMatchObject({
      status: 409,
      code: 'nothing-held',
    });
    expect((await call('POST', '/breaker/accept', {})).body.detail).toContain('reason: ');
  });
});

describe('a failure inside', () => {
  it('tells the caller nothing of it', async () => {
    const api = createApi({
      authenticate: () => ({ name: 'ops', scope: 'operate' }),
      ...webDeps({
        query: () => Promise.reject(new Error('password authentication failed for user "mayfly"')),
      } as never),
      giveOrder: (order) => giveOrder(database.pool, order),
      settableOf: () => ({ replicas: 'integer', greeting: 'text' }),
      log: pino({ level: 'silent' }),
    });
    const answer = await fetch(`${await serve('/api/v1', api)}/previews`, { headers: { authorization: 'Bearer x' } });
    expect(answer.status).toBe(500);
    expect(await answer.json()).toEqual({
      type: 'about:blank',
      title: 'Internal error',
      status: 500,
      code: 'internal',
      detail: 'Something went wrong inside Mayfly. Its log has the details; try again later.',
    });
  });
});
