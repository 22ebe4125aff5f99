import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { byTokens, type GitServer, startGitServer } from '../../src/sandbox/git-server.js';
import { createPerson, git, type Person, temporaryFolder } from '../support/git-client.js';

describe('the Git server of the sandbox', () => {
  let server: GitServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const people: Person[] = [];
  const pushed: string[] = [];

  async function person(path: string, token: string): Promise<Person> {
    const made = await createPerson(server.repositoryUrl(path).replace('http://', `http://oauth2:${token}@`));
    people.push(made);
    return made;
  }

  beforeAll(async () => {
    folder = await temporaryFolder('git-server');
    server = await startGitServer({
      root: folder.path,
      access: byTokens({ read: ['reader'], write: ['writer'] }),
      createOnDemand: true,
      onPush: (repository) => pushed.push(repository),
    });
  });

  afterAll(async () => {
    await server.close();
    await Promise.all(people.map((each) => each.remove()));
    await folder.remove();
  });

  it('makes a repository at the first push and gives it back to a reader', async () => {
    const ada = await person('acme/new', 'writer');
    await ada.write('hello.txt', 'hello\n');
    await ada.push('main', 'Say hello');
    const reader = await person('acme/new', 'reader');
    await reader.pull('main');
    expect(await reader.read('hello.txt')).toBe('hello\n');
    expect(pushed).toContain('acme/new.git');
  });

  it('lets a reader neither push nor make a repository, and nobody in without a token', async () => {
    const reader = await person('acme/new', 'reader');
    await reader.write('evil.txt', 'x');
    await expect(reader.push('main', 'Try')).rejects.toThrow(/403/);
    const stranger = await person('acme/new', 'wrong');
    await expect(stranger.pull('main')).rejects.toThrow(/Authentication failed/);
    expect(
      (await fetch(`${server.url}/acme/none.git/info/refs?service=git-upload-pack`, bearer('reader'))).status,
    ).toBe(404);
    expect(
      (await fetch(`${server.url}/acme/..%2f..%2fetc.git/info/refs?service=git-upload-pack`, bearer('writer'))).status,
    ).toBe(404);
  });

  it('runs a hook that refuses, and its words reach the client', async () => {
    const ada = await person('acme/guarded', 'writer');
    await server.setHook('acme/guarded', 'pre-receive', '#!/bin/sh\necho "not on a Friday" >&2\nexit 1\n');
    await ada.write('a.txt', 'a');
    await expect(ada.push('main', 'Try')).rejects.toThrow(/not on a Friday/);
    await server.setHook('acme/guarded', 'pre-receive', null);
    await ada.push('main', 'Again');
  });

  it('takes a body that is compressed and a body in chunks', async () => {
    const ada = await person('acme/large', 'writer');
    // Random bytes cannot be compressed; over 1 MiB the client sends chunks instead of a length.
    await ada.write('large.bin', randomBytes(3 * 1024 * 1024).toString('base64'));
    await ada.push('main', 'Add a large file');
    const request = gzipSync(Buffer.from('0014command=ls-refs\n0000'));
    const answer = await fetch(`${server.url}/acme/large.git/git-upload-pack`, {
      method: 'POST',
      body: request,
      headers: {
        ...bearer('reader').headers,
        'git-protocol': 'version=2',
        'content-encoding': 'gzip',
        'content-type': 'application/x-git-upload-pack-request',
      },
    });
    expect(await answer.text()).toContain('refs/heads/main');
  });

  it('ends though a client left in the middle of its upload and a hook hangs', async () => {
    const own = await temporaryFolder('git-server');
    const other = await startGitServer({ root: own.path });
    await other.create('acme/x');
    await other.setHook('acme/x', 'pre-receive', '#!/bin/sh\ntouch entered\nwhile true; do sleep 1; done\n');
    const ada = await createPerson(other.repositoryUrl('acme/x'));
    const push = ada.push('main', 'Never ends').catch(() => 'cut off');
    const socket = connect(Number(new URL(other.url).port), '127.0.0.1');
    socket.write('POST /acme/x.git/git-receive-pack HTTP/1.1\r\nhost: x\r\ncontent-length: 9999\r\n\r\n0000');
    await expect.poll(() => readdir(`${own.path}/acme/x.git`)).toContain('entered');
    socket.destroy();
    await other.close();
    expect(await push).toBe('cut off');
    await Promise.all([ada.remove(), own.remove()]);
  });

  it('serves many clones at once', async () => {
    const clones = Array.from({ length: 40 }, (_, index) =>
      git(
        folder.path,
        'clone',
        '--quiet',
        server.repositoryUrl('acme/new').replace('//', '//x:reader@'),
        `clone-${index}`,
      ),
    );
    await expect(Promise.all(clones)).resolves.toHaveLength(40);
  });
});

function bearer(token: string): { headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${token}` } };
}
