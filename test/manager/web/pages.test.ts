import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPages } from '../../../src/manager/web/pages.js';
import { previewsPage } from '../../../src/manager/web/previews-page.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { seedPreview, serve, webDeps } from './web-fixtures.js';

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
    expect(page).toContain('<a href="https://shop-1.preview.example.com">shop-1</a>');
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
