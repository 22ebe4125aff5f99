import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPages } from '../../src/manager/web/pages.js';
import { seedDetail, seedPreview, serve, webDeps } from '../manager/web/web-fixtures.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const executablePath = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium';
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

/** Where screenshots go; absent: none are taken. */
const screenshots = process.env.TEST_SCREENSHOTS;

describe.skipIf(!existsSync(executablePath))(
  'the dashboard in Chromium (set TEST_CHROMIUM to its path)',
  { timeout: 180_000 },
  () => {
    let database: TestDatabase;
    let browser: Browser;

    beforeAll(async () => {
      [database, browser] = await Promise.all([createTestDatabase(), chromium.launch({ executablePath, args: flags })]);
      const { pool } = database;
      await seedDetail(pool, { slug: 'cart-7', webUrl: 'https://gitlab.example.com/acme/cart/-/merge_requests/7' });
      await seedPreview(pool, { slug: 'shop-1', url: 'https://shop-1.preview.example.com' });
      await seedPreview(pool, { slug: `a-name-as-long-as-names-may-be-${'x'.repeat(30)}-2`, phase: 'waiting' });
    });

    afterAll(async () => {
      await browser?.close();
      await database?.drop();
    });

    it.each([
      [1_280, 'light'],
      [390, 'light'],
      [1_280, 'dark'],
      [390, 'dark'],
    ] as const)(
      'leads from the list to all of one preview, %i pixels wide, %s, without a script',
      async (width, colorScheme) => {
        const url = await serve('/', createPages({ ...webDeps(database.pool), log: pino({ level: 'silent' }) }));
        const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled: true });
        page.setDefaultTimeout(60_000);
        const problems: string[] = [];
        page.on('pageerror', (error) => problems.push(String(error)));
        page.on('console', (message) => problems.push(message.text()));
        const look = async (name: string) => {
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          expect(await page.evaluate('document.querySelectorAll("h1").length')).toBe(1);
          if (screenshots === undefined) return;
          await page.screenshot({ path: join(screenshots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
        };
        await page.goto(url);
        await look('list');
        await page.getByRole('link', { name: 'cart-7', exact: true }).click();
        await page.getByRole('heading', { name: 'cart-7 failed' }).waitFor();
        await page.getByText('panic: </pre><script>alert(2)</script>').waitFor();
        await page.getByText('extend 2d').waitFor();
        await look('failed');
        await page.goto(`${url}/previews/a-name-as-long-as-names-may-be-${'x'.repeat(30)}-2`);
        await look('waiting');
        await page.getByRole('link', { name: 'All previews' }).click();
        await page.getByRole('heading', { name: 'Previews' }).waitFor();
        expect(problems).toEqual([]);
        await page.close();
      },
    );
  },
);
