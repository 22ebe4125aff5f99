import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Mirror, openMirror } from '../../src/git/mirror.js';
import { byTokens, type GitServer, startGitServer } from '../../src/sandbox/git-server.js';
import { createPerson, git, type Person, temporaryFolder } from '../support/git-client.js';
import { startGitProxy } from '../support/git-proxy.js';

const log = pino({ level: 'silent' });

describe('the mirror of a repository', () => {
  let server: GitServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const closers: Array<() => Promise<unknown>> = [];
  let count = 0;

  beforeAll(async () => {
    folder = await temporaryFolder('mirror');
    server = await startGitServer({
      root: `${folder.path}/server`,
      access: byTokens({ read: ['reader'], write: ['writer'] }),
      createOnDemand: true,
    });
  });

  afterAll(async () => {
    await Promise.all(closers.map((close) => close()));
    await server.close();
    await folder.remove();
  });

  async function setUp(): Promise<{ path: string; ada: Person; mirror: Mirror; again: () => Promise<Mirror> }> {
    count += 1;
    const path = `acme/project-${count}`;
    await server.create(path);
    const ada = await createPerson(server.repositoryUrl(path).replace('//', '//ada:writer@'));
    closers.push(ada.remove);
    const directory = `${folder.path}/mirror-${count}`;
    const again = async () => {
      const auth = { origin: server.url, token: 'reader' };
      const mirror = await openMirror({ directory, url: server.repositoryUrl(path), auth, log });
      closers.push(mirror.close);
      return mirror;
    };
    return { path, ada, mirror: await again(), again };
  }

  async function textAt(mirror: Mirror, commit: string, folder: string, name: string): Promise<string | undefined> {
    const entry = (await mirror.readTree(commit, folder))?.find((each) => each.name === name);
    return entry === undefined ? undefined : (await mirror.readBlob(entry.oid)).toString('utf8');
  }

  it('says null for an empty repository and for a branch that is not there', async () => {
    const { ada, mirror } = await setUp();
    expect(await mirror.fetchHead('envs')).toBeNull();
    await ada.push('main', 'Begin');
    expect(await mirror.fetchHead('envs')).toBeNull();
    await ada.push('envs-2', 'A longer name');
    expect(await mirror.fetchHead('envs')).toBeNull();
  });

  it('reads files of the head, follows the branch, and knows what descends from what', async () => {
    const { ada, mirror } = await setUp();
    await ada.write('apps/a.yml', 'one');
    await ada.write('other/deep/b.txt', 'kept');
    const first = await ada.push('envs', 'First');
    expect(await mirror.fetchHead('envs')).toBe(first);
    expect(await textAt(mirror, first, 'apps', 'a.yml')).toBe('one');
    expect(await mirror.readTree(first, 'none')).toBeNull();
    await ada.write('apps/a.yml', 'two');
    const second = await ada.push('envs', 'Second');
    await ada.write('apps/é ü.yml', 'three');
    const third = await ada.push('envs', 'Third\n\nWhy: because');
    expect(await mirror.fetchHead('envs')).toBe(third);
    expect(await textAt(mirror, third, 'apps', 'é ü.yml')).toBe('three');
    expect(await textAt(mirror, second, 'apps', 'a.yml')).toBe('two');
    expect(await textAt(mirror, third, 'other/deep', 'b.txt')).toBe('kept');
    expect(await mirror.readCommit(third)).toMatchObject({
      parents: [second],
      author: { name: 'Ada Person' },
      message: 'Third\n\nWhy: because\n',
    });
    expect(await mirror.isDescendant(third, first)).toBe(true);
    expect(await mirror.isDescendant(first, third)).toBe(false);
  });

  it('keeps what it knows across a restart, and asks for the difference alone', async () => {
    const { ada, mirror, again } = await setUp();
    await ada.write('large.bin', randomBytes(400_000).toString('base64'));
    const first = await ada.push('envs', 'Large');
    await mirror.fetchHead('envs');
    await ada.write('apps/a.yml', 'small');
    const second = await ada.push('envs', 'Small');
    const reopened = await again();
    expect(reopened.lastHead('envs')).toBe(first);
    const auth = { origin: server.url, token: 'reader' };
    const small = await openMirror({
      directory: `${folder.path}/mirror-${count}`,
      url: reopened.url,
      auth,
      log,
      maxBytes: 20_000,
    });
    closers.push(small.close);
    expect(await small.fetchHead('envs')).toBe(second);
    expect(await textAt(small, second, 'apps', 'a.yml')).toBe('small');
  });

  it('gets what an earlier commit had and its own head lacks, from a server that knows all histories by heart', async () => {
    const { path, ada, mirror } = await setUp();
    await ada.write('a.txt', 'first');
    await ada.push('envs', 'First');
    await ada.write('a.txt', 'second');
    const second = await ada.push('envs', 'Second');
    expect(await mirror.fetchHead('envs')).toBe(second);
    await git(server.directory(path), 'repack', '--quiet', '-a', '-d', '--write-bitmap-index');
    await ada.write('a.txt', 'first');
    const third = await ada.push('envs', 'First again');
    expect(await mirror.fetchHead('envs')).toBe(third);
    expect(await textAt(mirror, third, '', 'a.txt')).toBe('first');
  });

  it('finds that history was rewritten, and reads the new head', async () => {
    const { ada, mirror } = await setUp();
    await ada.write('apps/a.yml', 'one');
    const first = await ada.push('envs', 'First');
    await ada.write('apps/a.yml', 'two');
    const second = await ada.push('envs', 'Second');
    expect(await mirror.fetchHead('envs')).toBe(second);
    await ada.git('checkout', '--quiet', '--orphan', 'fresh');
    await ada.write('apps/b.yml', 'new');
    await ada.commit('Afresh');
    await ada.git('push', '--quiet', '--force', 'origin', 'HEAD:envs');
    const head = await ada.git('rev-parse', 'HEAD');
    expect(await mirror.fetchHead('envs')).toBe(head);
    expect(await mirror.isDescendant(head, second)).toBe(false);
    expect(await textAt(mirror, head, 'apps', 'b.yml')).toBe('new');
    await ada.git('push', '--quiet', '--force', 'origin', `${first}:refs/heads/envs`);
    expect(await mirror.fetchHead('envs')).toBe(first);
    expect(await mirror.isDescendant(first, second)).toBe(false);
    expect(await mirror.isDescendant(second, first)).toBe(true);
  });

  it('answers questions on ancestry beyond its own copy', async () => {
    const { ada, mirror } = await setUp();
    const first = await ada.push('envs', 'First');
    for (const name of ['b', 'c', 'd']) {
      await ada.write(name, name);
      await ada.commit(name);
    }
    const last = await ada.push('envs', 'Last');
    await mirror.fetchHead('envs');
    expect(await mirror.isDescendant(last, first)).toBe(true);
    expect(await mirror.isDescendant(last, '1'.repeat(40))).toBe(false);
  });

  it('fetches a commit by its id that no branch holds any more, many at once', async () => {
    const { ada, mirror } = await setUp();
    const shas: string[] = [];
    for (let index = 0; index < 12; index += 1) {
      await ada.write('deploy/app.yml', `version ${index}`);
      shas.push(await ada.push('feature', `Version ${index}`));
    }
    await ada.git('push', '--quiet', 'origin', ':refs/heads/feature');
    await Promise.all(shas.map((sha) => mirror.fetchSha(sha, {})));
    const texts = await Promise.all(shas.map((sha) => textAt(mirror, sha, 'deploy', 'app.yml')));
    expect(texts).toEqual(shas.map((_, index) => `version ${index}`));
  });

  it('says source-not-found for a commit that is nowhere', async () => {
    const { ada, mirror } = await setUp();
    await ada.push('main', 'Begin');
    await ada.git('push', '--quiet', 'origin', 'HEAD:refs/merge-requests/7/head');
    const fallbackRef = 'refs/merge-requests/7/head';
    await expect(mirror.fetchSha('2'.repeat(40), { fallbackRef })).rejects.toMatchObject({ code: 'source-not-found' });
    await expect(mirror.fetchSha('2'.repeat(40), {})).rejects.toMatchObject({ code: 'source-not-found' });
  });

  it('deepens a ref until it holds the commit where the server gives none by its id', async () => {
    const { path, ada } = await setUp();
    await ada.write('deploy/app.yml', 'wanted');
    const sha = await ada.commit('Wanted');
    for (let index = 0; index < 60; index += 1) await ada.commit(`Later ${index}`);
    await ada.git('push', '--quiet', 'origin', 'HEAD:refs/merge-requests/7/head');
    const proxy = await startGitProxy(server.url);
    closers.push(proxy.close);
    proxy.judgeFetch = (body) => (body.includes(`want ${sha}`) ? 'refuse' : 'pass');
    const url = `${proxy.url}/${path}.git`;
    const auth = { origin: proxy.url, token: 'reader' };
    const mirror = await openMirror({ directory: `${folder.path}/deepened`, url, auth, log });
    closers.push(mirror.close);
    await expect(mirror.fetchSha(sha, {})).rejects.toMatchObject({ code: 'source-not-found' });
    await mirror.fetchSha(sha, { fallbackRef: 'refs/merge-requests/7/head' });
    expect(await textAt(mirror, sha, 'deploy', 'app.yml')).toBe('wanted');
  });

  it('takes the newest commit alone when what lies between takes too long', async () => {
    const { path, ada } = await setUp();
    await ada.write('a', '1');
    const first = await ada.push('envs', 'First');
    const proxy = await startGitProxy(server.url);
    closers.push(proxy.close);
    const options = { url: `${proxy.url}/${path}.git`, auth: { origin: proxy.url, token: 'reader' }, log };
    const mirror = await openMirror({ ...options, directory: `${folder.path}/slow`, quickTimeoutMs: 3_000 });
    closers.push(mirror.close);
    await mirror.fetchHead('envs');
    await ada.write('a', '2');
    await ada.commit('Between');
    await ada.write('a', '3');
    const last = await ada.push('envs', 'Last');
    proxy.judgeFetch = (body) => (body.includes('want ') && !body.includes('deepen 1') ? 'hang' : 'pass');
    expect(await mirror.fetchHead('envs')).toBe(last);
    expect(await textAt(mirror, last, '', 'a')).toBe('3');
    proxy.judgeFetch = () => 'pass';
    expect(await mirror.isDescendant(last, first)).toBe(true);
  });

  it('begins its copy afresh when it became large, while others read from it', async () => {
    const { path, ada } = await setUp();
    const auth = { origin: server.url, token: 'reader' };
    const options = { directory: `${folder.path}/small`, url: server.repositoryUrl(path), auth, log };
    const mirror = await openMirror({ ...options, maxStoredBytes: 50_000 });
    closers.push(mirror.close);
    const heads: string[] = [];
    await ada.write('kept.txt', 'kept');
    for (let index = 0; index < 7; index += 1) {
      await ada.write('large.bin', randomBytes(40_000).toString('base64'));
      heads.push(await ada.push('envs', `Large ${index}`));
      expect(await mirror.fetchHead('envs')).toBe(heads[index]);
      expect(await mirror.readTree(heads[index] ?? '', '')).toHaveLength(2);
    }
    expect(await mirror.readTree(heads[5] ?? '', '')).toHaveLength(2);
    expect(await textAt(mirror, heads[6] ?? '', '', 'kept.txt')).toBe('kept');
    expect((await readdir(options.directory)).filter((name) => name.startsWith('objects-'))).toHaveLength(2);
    expect(await mirror.isDescendant(heads[6] ?? '', heads[0] ?? '')).toBe(true);
  });

  it('stops at the size limit, at the time limit and at a cancellation', async () => {
    const { path, ada } = await setUp();
    await ada.write('large.bin', randomBytes(500_000).toString('base64'));
    await ada.push('envs', 'Large');
    const auth = { origin: server.url, token: 'reader' };
    const open = (name: string, limits: object) =>
      openMirror({ directory: `${folder.path}/${name}`, url: server.repositoryUrl(path), auth, log, ...limits });
    await expect((await open('tight', { maxBytes: 100_000 })).fetchHead('envs')).rejects.toMatchObject({
      code: 'git-too-large',
    });
    await expect((await open('late', { quickTimeoutMs: 1 })).fetchHead('envs')).rejects.toMatchObject({
      code: 'git-unreachable',
    });
    const cancelled = AbortSignal.abort(new Error('closing'));
    await expect((await open('cancelled', {})).fetchHead('envs', cancelled)).rejects.toThrow('closing');
  });

  it('sends the token to its own host alone, never along a redirect, and never shows it', async () => {
    const seen: Array<string | undefined> = [];
    const elsewhere = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(302, { location: `${server.url}/acme/project-1.git/git-upload-pack` }).end();
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', () => resolve()));
    closers.push(async () => elsewhere.close());
    const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/acme/x.git`;
    const auth = { origin: server.url, token: 'very-secret' };
    const other = await openMirror({ directory: `${folder.path}/other`, url, auth, log });
    closers.push(other.close);
    await expect(other.fetchHead('envs')).rejects.toMatchObject({ code: 'git-protocol' });
    expect(seen).toEqual([undefined]);
    const wrong = await openMirror({
      directory: `${folder.path}/wrong`,
      url: server.repositoryUrl('acme/x'),
      auth,
      log,
    });
    closers.push(wrong.close);
    const error: unknown = await wrong.fetchHead('envs').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'git-unauthorized' });
    expect(JSON.stringify(error) + String(error)).not.toContain('very-secret');
    const address = { directory: `${folder.path}/y`, auth: null, log };
    await expect(openMirror({ ...address, url: 'https://me:very-secret@example.com/x.git' })).rejects.toMatchObject({
      code: 'git-address',
    });
    const plain = { origin: 'http://git.example.com', token: 'very-secret' };
    await expect(openMirror({ ...address, auth: plain, url: 'http://git.example.com/x.git' })).rejects.toMatchObject({
      code: 'git-address',
    });
  });
});
