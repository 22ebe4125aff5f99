import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPages } from '../../../src/manager/web/pages.js';
import { previewsPage } from '../../../src/manager/web/previews-page.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { seedDetail, seedPreview, serve, webDeps } from './web-fixtures.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('the page of previews', () => {
  it('lists what lives, without a script and with nothing that people wrote taken for HTML', async () => {
    const { pool } = database;
    await seedPreview(pool, {
      slug: 'shop-1',
      title: '<script>alert(1)</script> & "quotes"',
      url: 'https://shop-1.preview.example.com',
    });
    await seedPreview(pool, {
      slug: 'shop-2',
      phase: 'failed',
      message: 'image <b>x</b> missing',
      url: 'javascript:alert(1)',
    });
    await seedPreview(pool, { slug: 'shop-3', phase: 'stopped' });
    await seedPreview(pool, { slug: 'shop-4', held: { reason: 'expired', since: 0 }, webUrl: 'javascript:alert(2)' });
    const url = await serve('/', createPages({ ...webDeps(pool), log: pino({ level: 'silent' }) }));
    const answer = await fetch(url);
    const page = await answer.text();
    expect(answer.headers.get('content-security-policy')).toBe(
      "default-src 'none';style-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    );
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(page).toContain(
      '<a href="/previews/shop-1">shop-1</a> <a class="open" href="https://shop-1.preview.example.com">',
    );
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;quotes&quot;');
    expect(page).toContain('image &lt;b&gt;x&lt;/b&gt; missing');
    expect(page).not.toMatch(/<script|<b>|javascript:|shop-3|style=|\son[a-z]+=/i);
    expect(page).toContain(
      '<strong>1 stop held</strong> for more would end in an hour than anybody explained: shop-4.',
    );
    expect(page).toContain('its stop (expired) is held');
  });

  it('has its style sheet, and nothing else', async () => {
    const url = await serve('/', createPages({ ...webDeps(database.pool), log: pino({ level: 'silent' }) }));
    const style = await fetch(`${url}/assets/mayfly.css`);
    expect([style.status, style.headers.get('content-type')]).toEqual([200, 'text/css; charset=utf-8']);
    expect((await fetch(`${url}/previews`)).status).toBe(404);
    expect((await fetch(url, { method: 'POST' })).status).toBe(404);
  });

  it('tells all of one: why it failed, with evidence, members, facts and history, and nothing of it is HTML', async () => {
    const { pool } = database;
    await seedDetail(pool, { slug: 'cart-7', webUrl: 'https://gitlab.example.com/acme/cart/-/merge_requests/7' });
    const url = await serve('/', createPages({ ...webDeps(pool), log: pino({ level: 'silent' }) }));
    const answer = await fetch(`${url}/previews/cart-7`);
    const page = await answer.text();
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none';style-src 'self'");
    expect(page).not.toMatch(/<script|<img|<b>|javascript:|style=|\son[a-z]+=|\u202e/i);
    for (const words of [
      'It runs, but not well.',
      'crashes: &lt;script&gt;alert(1)&lt;/script&gt;',
      '<code>Pod/web&lt;img&gt;</code>',
      'Back-off &lt;b&gt;restarting&lt;/b&gt;',
      'panic: &lt;/pre&gt;&lt;script&gt;',
      'What to do: Correct what the reason and the logs name, and push.',
      '<a href="https://gitlab.example.com/acme/cart/-/merge_requests/7">!7</a> A &lt;b&gt;cart&lt;/b&gt;',
      `<a href="https://gitlab.example.com/acme/cart/-/commit/${'a'.repeat(40)}"><code class="sha" title="${'a'.repeat(40)}">aaaaaaaa</code></a>`,
      'waits for its pipeline, since',
      '<a href="https://gitlab.example.com/acme/cart/-/jobs/9">The job &lt;b&gt;x&lt;/b&gt; failed.</a>',
      '<code>preview-cart-7</code>',
      '2026-01-04 00:00 UTC',
      '<strong>ordered</strong> by &lt;b&gt;eve&lt;/b&gt;',
      'extend 2d',
      'deploying → failed',
    ]) {
      expect(page).toContain(words);
    }
    const [newest, oldest] = ['deploying → failed', 'extend 2d'].map((words) => page.indexOf(words));
    expect(newest).toBeLessThan(oldest ?? 0);
    expect(page).not.toContain('Older ones are left out');
  });

  it('tells no diagnosis of another revision, and the newest of a long history', async () => {
    const { pool } = database;
    await seedDetail(pool, { slug: 'cart-8', observed: 'older' });
    await pool.query(
      `insert into preview_event (slug, incarnation, kind, detail) select 'cart-8', 1, 'next', 'no ' || n from generate_series(1, 60) n`,
    );
    const url = await serve('/', createPages({ ...webDeps(pool), log: pino({ level: 'silent' }) }));
    const page = await (await fetch(`${url}/previews/cart-8`)).text();
    expect(page).not.toContain('crashes');
    expect(page).toContain('no 60');
    expect(page.match(/<li>/g)).toHaveLength(50);
    expect(page).toContain('Older ones are left out');
  });

  it('says what a commit waits for, and what somebody can do about it', async () => {
    const { pool } = database;
    await seedPreview(pool, { slug: 'wait-1', phase: 'waiting', iid: 91 });
    await pool.query(
      `update preview set waiting_for = 'approval', waiting_since = '2026-01-02Z' where slug = 'wait-1'`,
    );
    const next = { sha: 'c'.repeat(40), waitingFor: 'approval', since: 0, detail: null, link: null, stuck: false };
    await pool.query(`update preview_member set next = $1 where slug = 'wait-1'`, [next]);
    const url = await serve('/', createPages({ ...webDeps(pool), log: pino({ level: 'silent' }) }));
    const look = async () => (await fetch(`${url}/previews/wait-1`)).text();
    const approval = await look();
    expect(approval).toMatch(/It waits for the approval of a member, since <time [^>]*>2026-01-02 00:00 UTC/);
    expect(approval).toContain(`<code>/preview approve ${'c'.repeat(40)}</code>`);
    const failed = { ...next, waitingFor: 'pipeline', detail: 'The job <i>build</i> failed.', stuck: true };
    await pool.query(`update preview_member set next = $1 where slug = 'wait-1'`, [failed]);
    expect(await look()).toContain('<q>The job &lt;i&gt;build&lt;/i&gt; failed.</q>');
  });

  it.each([
    ['waiting', { waiting_for: 'approval' }, 'It waits for the approval of a member'],
    ['deploying', {}, 'It is being deployed'],
    ['ready', {}, 'It is healthy'],
    ['asleep', {}, 'It is scaled to zero'],
    ['stopping', { stop_reason: 'expired' }, 'because nobody used it for its time to live'],
    [
      'stopped',
      { stop_reason: 'label', stop_detail: 'it has the label `no`' },
      'because it has the label <code>no</code>',
    ],
  ])('says of one that is %s why', async (phase, change, words) => {
    const { pool } = database;
    const slug = `phase-${phase}`;
    await seedPreview(pool, { slug, phase, iid: 90 });
    for (const [column, value] of Object.entries(change)) {
      await pool.query(`update preview set ${column} = $1 where slug = $2`, [value, slug]);
    }
    const url = await serve('/', createPages({ ...webDeps(pool), log: pino({ level: 'silent' }) }));
    expect(await (await fetch(`${url}/previews/${slug}`)).text()).toContain(words);
    await pool.query('delete from preview where slug = $1', [slug]);
  });

  it.each(['nobody-1', '%3Cb%3Ex', 'a%00b', 'x'.repeat(300)])('says that there is no preview %s', async (name) => {
    const url = await serve('/', createPages({ ...webDeps(database.pool), log: pino({ level: 'silent' }) }));
    const answer = await fetch(`${url}/previews/${name}`);
    const page = await answer.text();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
    expect(page).toContain('No such preview');
    expect(page).not.toMatch(/<b>x|\0|x{64}/);
  });

  it('says that there is none, and why nothing is written or deleted', () => {
    const page = previewsPage({
      previews: [],
      isCut: false,
      now: 0,
      breaker: {
        blockedReason: 'The branch <dynamic-envs> was rewritten.',
        notice: null,
        held: [],
        agents: [
          {
            name: 'default',
            lastSeenAt: 0,
            breaker: { open: true, reason: 'limit', pending: [{ slug: 'a-1', incarnation: 1 }] },
          },
          { name: 'other', lastSeenAt: 0, breaker: null },
        ],
      },
    });
    expect(page).toContain('No preview lives now.');
    expect(page).toContain('<strong>Nothing is written.</strong> The branch &lt;dynamic-envs&gt; was rewritten.');
    expect(page).toContain('<strong>The agent default deletes nothing</strong> (limit; 1 deletion held).');
    expect(page).not.toContain('agent other');
  });
});
