import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SandboxProgram, startSandboxProgram } from '../sandbox/sandbox-program.js';

const executablePath = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Runs in the page: what a reader with a screen reader would stumble over. */
const stumblingBlocks = `(() => {
  const found = [];
  for (const field of document.querySelectorAll('input, select, textarea')) {
    if (field.type !== 'hidden' && field.labels.length === 0) found.push('no label: ' + field.name);
  }
  for (const named of document.querySelectorAll('a, button')) {
    if (named.textContent.trim() === '') found.push('no name: ' + named.outerHTML);
  }
  for (const image of document.querySelectorAll('img:not([alt])')) found.push('no alt: ' + image.src);
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) found.push('twice: #' + id);
  const headings = document.querySelectorAll('h1');
  if (headings.length !== 1) found.push(headings.length + ' main headings');
  if (document.documentElement.lang === '') found.push('no language');
  if (document.title === '') found.push('no title');
  if (document.querySelectorAll('main').length !== 1) found.push('no main part');
  return found;
})()`;

describe.skipIf(!existsSync(executablePath))(
  'the sandbox in Chromium (set TEST_CHROMIUM to its path)',
  { timeout: 180_000 },
  () => {
    let sandbox: SandboxProgram;
    let browser: Browser;
    /** Of the preview, from its note. */
    let link = '';

    beforeAll(async () => {
      [sandbox, browser] = await Promise.all([startSandboxProgram(), chromium.launch({ executablePath, args: flags })]);
    });

    afterAll(async () => {
      await browser?.close();
      await sandbox?.kill('SIGINT');
    });

    /** A new window, and everything that its console complained about. */
    async function openPage(url: string, width = 1_280): Promise<{ page: Page; problems: string[] }> {
      const page = await browser.newPage({ viewport: { width, height: 900 } });
      page.setDefaultTimeout(60_000);
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(String(error)));
      page.on('console', (message) => {
        if (message.type() === 'error') problems.push(message.text());
      });
      await page.goto(url);
      return { page, problems };
    }

    it('turns a merge request from the form into a note and a link that opens', async () => {
      const { gitlab, project } = sandbox.addresses;
      const { page, problems } = await openPage(gitlab);
      await page.getByRole('link', { name: project }).click();
      expect(await page.getByLabel('acting as').locator('option:checked').textContent()).toBe('@ada · Developer');
      await page.getByLabel('Title').fill('A warmer welcome');
      const content = page.getByLabel('Its new content');
      const file = await content.inputValue();
      expect(file).toContain('greeting: ');
      await content.fill(file.replace(/greeting: .*/, 'greeting: Good to see you'));
      await page.getByRole('button', { name: 'Open merge request' }).click();
      // No reload: the page hears of the note.
      await page.getByRole('heading', { name: 'Preview ready' }).waitFor();
      await page.getByText('mayfly/preview').waitFor();
      link = (await page.locator('.note h3 a').getAttribute('href')) ?? '';
      const { page: preview } = await openPage(link);
      await preview.getByRole('heading', { name: 'Good to see you' }).waitFor();

      await page.getByLabel('Comment').fill('/preview extend 2d');
      await page.getByRole('button', { name: 'Comment' }).click();
      await page.locator('.awards', { hasText: '👍' }).waitFor();

      await page.getByLabel('File to change').selectOption('deploy/preview/workload.yaml');
      await expect.poll(() => content.inputValue()).toContain('shop:1.0');
      await content.fill((await content.inputValue()).replace('shop:1.0', 'shop:crash'));
      await page.getByRole('button', { name: 'Commit and push' }).click();
      await page.getByRole('heading', { name: 'Preview failed' }).waitFor();
      await page.getByText('Events and logs').click();
      await page.getByText('DATABASE_URL is not set').waitFor();
      // The old one goes on while the new one cannot.
      await preview.reload();
      await preview.getByRole('heading', { name: 'Good to see you' }).waitFor();
      expect(problems).toEqual([]);
    });

    it.each([1_280, 390])('fits into %i pixels, with labels and headings', async (width) => {
      const { gitlab, project, dashboard } = sandbox.addresses;
      for (const url of [gitlab, `${gitlab}/${project}`, `${gitlab}/${project}/-/merge_requests/1`, dashboard]) {
        const { page, problems } = await openPage(url, width);
        await page.locator('details').evaluateAll('(all) => all.forEach((one) => { one.open = true; })');
        expect(await page.evaluate('document.documentElement.scrollWidth'), url).toBeLessThanOrEqual(width);
        expect(await page.evaluate(stumblingBlocks), url).toEqual([]);
        expect(problems, url).toEqual([]);
        await page.close();
      }
    });

    it('answers for a preview that is gone, in words', async () => {
      const { page } = await openPage(`${sandbox.addresses.gitlab}/${sandbox.addresses.project}/-/merge_requests/1`);
      await page.getByRole('button', { name: 'Close' }).click();
      await page.getByRole('heading', { name: 'Preview stopped' }).waitFor();
      const preview = await browser.newPage();
      const answer = await preview.goto(link);
      expect(answer?.status()).toBe(404);
      await preview.getByRole('heading', { name: 'shop-1 is not here' }).waitFor();
    });
  },
);
