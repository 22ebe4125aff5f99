import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, describe, expect, it } from 'vitest';
import { cleanUp, temporaryFolder, testGitLab } from './gitlab-fixture.js';

const executablePath = process.env.TEST_CHROMIUM ?? '/usr/bin/chromium';

async function scene() {
  const gitlab = await testGitLab({ gitRoot: await temporaryFolder() });
  const project = await gitlab.createProject({
    path: 'acme/shop',
    visibility: 'public',
    files: { 'README.md': '# shop\n', 'deploy/preview/app.yml': 'greeting: hello\n' },
  });
  gitlab.addUser({ username: 'alice', project, accessLevel: 40 });
  return { gitlab, project };
}

describe('pages', () => {
  it('escape what people wrote, and allow no script but their own', async () => {
    const { gitlab } = await scene();
    const nasty = '<img src=x onerror=alert(1)>';
    const mergeRequest = await gitlab.createMergeRequest('acme/shop', {
      sourceBranch: 'f',
      title: nasty,
      description: nasty,
      labels: [nasty],
      files: { 'deploy/preview/app.yml': `</textarea>${nasty}` },
    });
    gitlab.comment(mergeRequest, nasty);
    for (const path of ['/', '/acme/shop', '/acme/shop/-/merge_requests/1']) {
      const answer = await fetch(`${gitlab.url}${path}`);
      const html = await answer.text();
      expect(answer.status).toBe(200);
      expect(html).not.toContain('<img src=x');
      expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
    }
  });

  it('do nothing for another site, and nothing by another name', async () => {
    const { gitlab } = await scene();
    const mergeRequest = await gitlab.createMergeRequest('acme/shop', { sourceBranch: 'f' });
    const close = (headers: Record<string, string>) =>
      fetch(`${gitlab.url}/acme/shop/-/merge_requests/1/close`, { method: 'POST', headers, redirect: 'manual' });
    expect((await close({ origin: 'http://evil.example' })).status).toBe(403);
    expect((await close({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    expect(mergeRequest.state).toBe('opened');
    // A name that some site points at loopback; `fetch` would not let us send another Host.
    const byName = await new Promise<number | undefined>((resolve, reject) => {
      const { port } = new URL(gitlab.url);
      const asked = get({ host: '127.0.0.1', port, path: '/', headers: { host: `evil.example:${port}` } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.on('error', reject);
    });
    expect(byName).toBe(403);
    expect((await close({ origin: gitlab.url })).status).toBe(303);
    expect(mergeRequest.state).toBe('closed');
  });

  it('show a project only to who may see it, and act as who was chosen', async () => {
    const { gitlab } = await scene();
    await gitlab.createProject({ path: 'acme/secret' });
    const home = async (cookie: string) => (await fetch(gitlab.url, { headers: { cookie } })).text();
    expect(await home('')).not.toContain('acme/secret');
    expect((await fetch(`${gitlab.url}/acme/secret`)).status).toBe(404);
    const body = new URLSearchParams({ user: String(gitlab.root.id) });
    const chosen = await fetch(`${gitlab.url}/-/sandbox/act-as`, { method: 'POST', body, redirect: 'manual' });
    expect(await home(chosen.headers.get('set-cookie') ?? '')).toContain('acme/secret');
  });

  it('say what was not found or not done', async () => {
    const { gitlab } = await scene();
    const missing = await fetch(`${gitlab.url}/acme/shop/-/merge_requests/9`);
    expect(missing.status).toBe(404);
    expect(await missing.text()).toContain('404 Merge Request Not Found');
    const body = new URLSearchParams({ branch: 'bad name' });
    const refused = await fetch(`${gitlab.url}/acme/shop/-/merge_requests`, { method: 'POST', body });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain('The branch needs a name');
  });
});

describe.skipIf(!existsSync(executablePath))('pages in Chromium (set TEST_CHROMIUM to its path)', () => {
  let browser: Browser | null = null;
  afterAll(async () => {
    await browser?.close();
  });

  async function openPage(url: string, width: number) {
    browser ??= await chromium.launch({
      executablePath,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
    });
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    cleanUp(() => page.close());
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(url);
    return { page, problems };
  }

  it('open, push, comment, see the note and the status arrive, close, reopen and merge', async () => {
    const { gitlab, project } = await scene();
    gitlab.setPipelinePlan(project, [{ name: 'build-image' }]);
    const bot = gitlab.addUser({ username: 'mayfly', bot: true, project });
    const { page, problems } = await openPage(`${gitlab.url}/acme/shop`, 1_280);
    await page.fill('#title', 'Be kind');
    await page.fill('#content', 'greeting: welcome\n');
    await page.getByRole('button', { name: 'Open merge request' }).click();
    await page.waitForURL('**/merge_requests/1');
    const mergeRequest = gitlab.mergeRequest(project, 1);
    expect(mergeRequest).toMatchObject({ title: 'Be kind', authorId: gitlab.addUser({ username: 'alice' }).id });
    await page.getByText('build-image').waitFor();

    // What is being typed stays when something arrives.
    await page.fill('#body', '/preview status');
    gitlab.comment(mergeRequest, '### Preview ready\n\n<details><summary>Logs</summary>\n\nline\n\n</details>', {
      user: bot,
    });
    await page.getByRole('heading', { name: 'Preview ready' }).waitFor();
    const status = { sha: mergeRequest.headSha ?? '', state: 'success', name: 'mayfly/preview' } as const;
    await gitlab.postStatus(project, status, bot);
    await page.getByText('mayfly/preview').waitFor();
    expect(await page.inputValue('#body')).toBe('/preview status');
    await page.getByRole('button', { name: 'Comment' }).click();
    await page.locator('.note', { hasText: '/preview status' }).waitFor();

    await page.fill('#content', 'greeting: good day\n');
    await page.fill('#message', 'Be kinder');
    await page.getByRole('button', { name: 'Commit and push' }).click();
    await page.getByText('added 1 commit').waitFor();
    const file = await gitlab.ctx.repository(project).file(mergeRequest.headSha ?? '', 'deploy/preview/app.yml');
    expect(Buffer.from(file?.content ?? '').toString()).toBe('greeting: good day\n');
    for (const [button, state] of [
      ['Close', 'closed'],
      ['Reopen', 'opened'],
      ['Merge', 'merged'],
    ]) {
      await page.getByRole('button', { name: button ?? '', exact: true }).click();
      await page.locator(`.badge.${state}`).first().waitFor();
    }
    expect(mergeRequest.state).toBe('merged');
    expect(problems).toEqual([]);
  });

  it('fit into a narrow window', async () => {
    const { gitlab } = await scene();
    const mergeRequest = await gitlab.createMergeRequest('acme/shop', { title: 'long'.repeat(60) });
    gitlab.comment(
      mergeRequest,
      `| a | b |\n|---|---|\n| ${'wide'.repeat(40)} | x |\n\n\`\`\`\n${'x'.repeat(300)}\n\`\`\``,
    );
    for (const path of ['/', '/acme/shop', '/acme/shop/-/merge_requests/1']) {
      const { page } = await openPage(`${gitlab.url}${path}`, 390);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    }
  });
});
