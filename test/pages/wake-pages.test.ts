import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SandboxProgram, startSandboxProgram } from '../sandbox/sandbox-program.js';

const executablePath = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium';
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'];

/** Where screenshots go; absent: none are taken. */
const screenshots = process.env.TEST_SCREENSHOTS;

describe.skipIf(!existsSync(executablePath))(
  'waking a preview in Chromium (set TEST_CHROMIUM to its path)',
  { timeout: 180_000 },
  () => {
    let sandbox: SandboxProgram;
    let browser: Browser;
    const problems: string[] = [];

    beforeAll(async () => {
      [sandbox, browser] = await Promise.all([startSandboxProgram(), chromium.launch({ executablePath, args: flags })]);
    });

    afterAll(async () => {
      await browser?.close();
      await sandbox?.kill('SIGINT');
    });

    async function openPage(url: string, width = 1_280, options: { javaScriptEnabled?: boolean } = {}): Promise<Page> {
      const page = await browser.newPage({ viewport: { width, height: 700 }, ...options });
      page.setDefaultTimeout(60_000);
      page.on('pageerror', (error) => problems.push(String(error)));
      await page.goto(url);
      return page;
    }

    async function look(page: Page, name: string, width: number): Promise<void> {
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      if (screenshots !== undefined) await page.screenshot({ path: join(screenshots, `${name}-${width}.png`) });
    }

    async function comment(mergeRequest: Page, words: string): Promise<void> {
      await mergeRequest.getByLabel('Comment').fill(words);
      await mergeRequest.getByRole('button', { name: 'Comment' }).click();
    }

    it.each([1_280, 390])('leads from the sleeping preview back to it, %i pixels wide', async (width) => {
      const { gitlab, project } = sandbox.addresses;
      const form = await openPage(`${gitlab}/${project}`);
      await form.getByLabel('Title').fill(`Sleepy ${width}`);
      await form.getByRole('button', { name: 'Open merge request' }).click();
      await form.getByRole('heading', { name: 'Preview ready' }).waitFor();
      const link = (await form.locator('.note h3 a').getAttribute('href')) ?? '';
      await comment(form, '/preview sleep');
      await form.getByRole('heading', { name: 'Preview asleep' }).waitFor();

      const page = await openPage(link, width);
      await page.getByRole('heading', { name: 'is asleep' }).waitFor();
      await look(page, 'preview', width);
      await page.getByRole('link', { name: 'Wake it' }).click();
      await page.getByRole('button', { name: 'Wake it' }).waitFor();
      await look(page, 'ask', width);
      await page.getByRole('button', { name: 'Wake it' }).click();
      // It goes on by itself.
      await page.getByRole('heading', { name: 'Welcome' }).waitFor();
      expect(page.url()).toBe(link);
      await look(page, 'awake', width);
      await form.getByRole('heading', { name: 'Preview ready' }).waitFor();
      expect(problems).toEqual([]);
    });

    it.each([1_280, 390])('waits with words, and without scripts has a link, %i pixels wide', async (width) => {
      const wake = `${sandbox.addresses.manager}/wake/nobody-9`;
      const page = await openPage(wake, width);
      await page.getByRole('button', { name: 'Wake it' }).click();
      await page.getByRole('status').waitFor();
      await look(page, 'waiting', width);
      const plain = await openPage(wake, width, { javaScriptEnabled: false });
      await plain.getByRole('button', { name: 'Wake it' }).click();
      await plain.getByRole('link', { name: 'Go on' }).click();
      expect(plain.url()).toBe(`${wake}/waiting`);
      await look(plain, 'plain', width);
    });
  },
);
