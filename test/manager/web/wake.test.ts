import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { visitorLimit, wakeLimit } from '../../../src/manager/web/visitor-limit.js';
import { createWakePages } from '../../../src/manager/web/wake.js';
import { readyForVisitor, wakeForVisitor } from '../../../src/store/visitors.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { seedPreview, serve } from './web-fixtures.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query('truncate preview, preview_member, preview_event, wish, slug cascade'));

async function start(): Promise<string> {
  const { pool } = database;
  return serve(
    '/',
    createWakePages({
      wake: (slug) => wakeForVisitor(pool, slug),
      ready: (slug) => readyForVisitor(pool, slug),
      publicUrl: () => 'https://mayfly.example.com',
      log: pino({ level: 'silent' }),
    }),
  );
}

function press(url: string, slug: string, headers: Record<string, string> = {}): Promise<Response> {
  const from = { origin: 'https://mayfly.example.com', ...headers };
  return fetch(`${url}/wake/${slug}`, { method: 'POST', headers: from, redirect: 'manual' });
}

async function status(url: string, slug: string): Promise<unknown> {
  return (await fetch(`${url}/wake/${slug}/status`)).json();
}

async function wishes(): Promise<unknown[]> {
  return (await database.pool.query('select subject, kind, source, by_name from wish order by id')).rows;
}

async function setPhase(slug: string, phase: string, wantAsleep = phase === 'asleep'): Promise<void> {
  await database.pool.query('update preview set phase = $2, want_asleep = $3 where slug = $1', [
    slug,
    phase,
    wantAsleep,
  ]);
}

describe('the page that wakes', () => {
  it('is the same for a preview that sleeps, one that is awake and a name that nobody has', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await setPhase('shop-1', 'asleep');
    await seedPreview(database.pool, { slug: 'shop-2', phase: 'ready' });
    const url = await start();
    const pages = [];
    for (const slug of ['shop-1', 'shop-2', 'nobody-9']) {
      const [asks, waits] = [await fetch(`${url}/wake/${slug}`), await press(url, slug)];
      const waiting = await fetch(`${url}${waits.headers.get('location')}`);
      const texts = [await asks.text(), await waiting.text(), JSON.stringify([...asks.headers.keys()])];
      pages.push([asks.status, waits.status, ...texts.map((text) => text.replaceAll(slug, 'NAME'))]);
    }
    expect(pages[1]).toEqual(pages[0]);
    expect(pages[2]).toEqual(pages[0]);
    expect(pages[0]?.[1]).toBe(303);
    expect(await wishes()).toEqual([{ subject: 'mr:7:1', kind: 'wake', source: 'operator', by_name: 'visitor' }]);
    const jobs = await database.pool.query(`select key from graphile_worker.jobs where key like 'decide:%'`);
    expect(jobs.rows).toEqual([{ key: 'decide:mr:7:1' }]);
  });

  it('allows no script but its own, no frame, and no name that is none', async () => {
    const url = await start();
    const { headers } = await fetch(`${url}/wake/shop-1`);
    expect(headers.get('content-security-policy')).toContain("default-src 'none';style-src 'self';script-src 'self'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('referrer-policy')).toBe('same-origin');
    for (const name of ['<b>', 'A', '..%2f', 'a'.repeat(64), '%00']) {
      const answer = await fetch(`${url}/wake/${encodeURIComponent(name)}`);
      expect([answer.status, await answer.text()]).toEqual([404, '{"title":"Nothing is here"}']);
    }
  });

  it('wakes for its own button alone', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await setPhase('shop-1', 'asleep');
    const url = await start();
    const foreign = [
      { origin: 'https://evil.example.com' },
      { origin: 'null' },
      { origin: '' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
    ];
    for (const headers of foreign) expect((await press(url, 'shop-1', headers)).status).toBe(403);
    expect(await wishes()).toEqual([]);
    expect((await press(url, 'shop-1', { origin: url })).status).toBe(303);
    expect((await press(url, 'shop-1', { origin: 'null', 'sec-fetch-site': 'same-origin' })).status).toBe(303);
    expect(await wishes()).toHaveLength(2);
  });

  it('tells that it is ready to those that asked, and only then where it is', async () => {
    await seedPreview(database.pool, { slug: 'shop-1', url: 'https://shop-1.preview.example.com' });
    await setPhase('shop-1', 'ready');
    const url = await start();
    expect(await status(url, 'shop-1')).toEqual({ state: 'waking' });
    await setPhase('shop-1', 'asleep');
    await press(url, 'shop-1');
    expect(await status(url, 'shop-1')).toEqual({ state: 'waking' });
    await setPhase('shop-1', 'deploying');
    expect(await status(url, 'shop-1')).toEqual({ state: 'waking' });
    await setPhase('shop-1', 'ready');
    expect(await status(url, 'shop-1')).toEqual({ state: 'ready', url: 'https://shop-1.preview.example.com' });
    const open = await fetch(`${url}/wake/shop-1/open`, { redirect: 'manual' });
    expect(open.headers.get('location')).toBe('https://shop-1.preview.example.com');
    await database.pool.query(`update preview set url = 'javascript:alert(1)'`);
    expect(await status(url, 'shop-1')).toEqual({ state: 'ready', url: null });
    await database.pool.query(`update preview set visited_at = now() - interval '61 minutes'`);
    expect(await status(url, 'shop-1')).toEqual({ state: 'waking' });
    expect(await status(url, 'nobody-9')).toEqual({ state: 'waking' });
  });

  it('wakes also what was put to sleep by a clock that is ahead', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await setPhase('shop-1', 'asleep');
    await database.pool.query(`insert into wish (subject, kind, source, at, by_name)
      values ('mr:7:1', 'sleep', 'command', now() + interval '1 minute', 'ada')`);
    await press(await start(), 'shop-1');
    const last = await database.pool.query('select kind from wish order by at desc, id desc limit 1');
    expect(last.rows).toEqual([{ kind: 'wake' }]);
  });

  it('does not wake what stops, and does not keep awake what is', async () => {
    await seedPreview(database.pool, { slug: 'shop-1', phase: 'stopping' });
    await seedPreview(database.pool, { slug: 'shop-2', phase: 'stopped' });
    await seedPreview(database.pool, { slug: 'shop-3', phase: 'ready' });
    const url = await start();
    for (const slug of ['shop-1', 'shop-2', 'shop-3']) expect((await press(url, slug)).status).toBe(303);
    expect(await wishes()).toEqual([]);
  });

  it('refuses one who presses all the time, whatever address he claims', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await setPhase('shop-1', 'asleep');
    const url = await start();
    const answers = [];
    for (let times = 0; times < 12; times += 1) {
      const claimed = { 'x-forwarded-for': `203.0.113.${times}, 198.51.100.7` };
      answers.push((await press(url, 'shop-1', claimed)).status);
    }
    expect(answers).toEqual([...Array.from({ length: 10 }, () => 303), 429, 429]);
    expect(await wishes()).toHaveLength(10);
    const other = await press(url, 'shop-1', { 'x-forwarded-for': '198.51.100.8' });
    expect(other.status).toBe(303);
  });

  it('refuses one name that many press all the time, and wakes every other', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await seedPreview(database.pool, { slug: 'shop-2' });
    await setPhase('shop-1', 'asleep');
    await setPhase('shop-2', 'asleep');
    const url = await start();
    const answers = new Map<number, number>();
    for (let visitor = 0; visitor < 150; visitor += 1) {
      const { status: answer } = await press(url, 'shop-1', { 'x-forwarded-for': `198.51.100.${visitor}` });
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
    expect([...answers]).toEqual([
      [303, 20],
      [429, 130],
    ]);
    expect((await press(url, 'shop-2', { 'x-forwarded-for': '198.51.100.149' })).status).toBe(303);
    expect(await wishes()).toContainEqual(expect.objectContaining({ subject: 'mr:7:2', kind: 'wake' }));
  });

  it('wakes what a member put to sleep: its name is enough', async () => {
    await seedPreview(database.pool, { slug: 'shop-1' });
    await setPhase('shop-1', 'asleep');
    await database.pool.query(`insert into wish (subject, kind, source, at, by_name)
      values ('mr:7:1', 'sleep', 'command', now() - interval '1 minute', 'ada')`);
    await press(await start(), 'shop-1');
    expect(await wishes()).toContainEqual(expect.objectContaining({ kind: 'wake', by_name: 'visitor' }));
  });
});

describe('the limit', () => {
  it('is of each and of all, a minute long', () => {
    let now = 0;
    const may = visitorLimit({ each: 2, all: 3 }, () => now);
    expect(['a', 'a', 'a', 'b', 'c'].map(may)).toEqual([true, true, false, true, false]);
    now = 59_999;
    expect(may('c')).toBe(false);
    now = 60_000;
    expect(may('c')).toBe(true);
  });

  it('of wakes is of each visitor, of each name and of all; what is refused takes nothing from anybody', () => {
    let now = 0;
    const may = wakeLimit({ visitor: 2, slug: 3, all: 6 }, () => now);
    expect([may('a', 'x'), may('a', 'x'), may('a', 'x'), may('a', 'y')]).toEqual([true, true, false, false]);
    expect([may('b', 'x'), may('c', 'x'), may('c', 'y')]).toEqual([true, false, true]);
    expect([may('b', 'y'), may('d', 'y'), may('e', 'z')]).toEqual([true, true, false]);
    now = 60_000;
    expect(may('a', 'x')).toBe(true);
  });
});
