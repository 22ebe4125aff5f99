import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildCommits, type CommitPlan, readTreeBase, type TreeBase } from '../../src/git/build-commit.js';
import { type Mirror, openMirror } from '../../src/git/mirror.js';
import { type PushResult, pushCommits } from '../../src/git/push.js';
import { type GitServer, startGitServer } from '../../src/sandbox/git-server.js';
import { createPerson, git, type Person, temporaryFolder } from '../support/git-client.js';

const log = pino({ level: 'silent' });
function mirrorHead(head: string | null): string {
  if (head === null) throw new Error('the branch is gone');
  return head;
}

const author = { name: 'Mayfly', email: 'mayfly@example.com', atMs: 1_700_000_000_000 };

describe('a compare-and-swap push', () => {
  let server: GitServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  const closers: Array<() => Promise<unknown>> = [];
  let count = 0;

  beforeAll(async () => {
    folder = await temporaryFolder('push');
    server = await startGitServer({ root: `${folder.path}/server` });
  });

  afterAll(async () => {
    await Promise.all(closers.map((close) => close()));
    await server.close();
    await folder.remove();
  });

  async function setUp(): Promise<{ path: string; directory: string; ada: Person; mirror: Mirror }> {
    count += 1;
    const path = `acme/envs-${count}`;
    const directory = await server.create(path);
    const ada = await createPerson(server.repositoryUrl(path));
    const mirror = await openMirror({
      directory: `${folder.path}/mirror-${count}`,
      url: server.repositoryUrl(path),
      auth: null,
      log,
    });
    closers.push(ada.remove, mirror.close);
    return { path, directory, ada, mirror };
  }

  async function baseOf(mirror: Mirror, folders = ['apps']): Promise<TreeBase> {
    const head = await mirror.fetchHead('envs');
    return readTreeBase(mirror.readBlob, head === null ? null : await mirror.readCommit(head), folders);
  }

  async function push(
    mirror: Mirror,
    base: TreeBase,
    plans: CommitPlan[],
  ): Promise<{ result: PushResult; base: TreeBase }> {
    const built = buildCommits({ base, plans, author });
    const head = built.head ?? '';
    const result = await pushCommits(mirror.transport, {
      branch: 'envs',
      expected: base.commit,
      head,
      objects: built.pack,
    });
    if (result.outcome === 'pushed') mirror.adopt('envs', head, built.kept);
    return { result, base: built.base };
  }

  const put = (path: string, text: string | null): CommitPlan => ({
    files: [{ path, text }],
    message: `Write ${path}\n`,
  });

  it('creates the branch in an empty repository, one commit a change, as git itself would', async () => {
    const { mirror, directory, ada } = await setUp();
    const plans = [
      put('mayfly.yml', 'a: 1\n'),
      put('apps/b.yml', 'b'),
      put('apps/a.yml', 'a'),
      put('apps/b.yml', 'b2'),
    ];
    const { result } = await push(mirror, await baseOf(mirror), plans);
    expect(result).toEqual({ outcome: 'pushed' });
    expect(await git(directory, 'fsck', '--strict', '--full')).toBe('');
    expect(await git(directory, 'log', '--format=%s|%an|%ae|%at', 'envs', '--', 'apps/b.yml')).toBe(
      'Write apps/b.yml|Mayfly|mayfly@example.com|1700000000\nWrite apps/b.yml|Mayfly|mayfly@example.com|1700000000',
    );
    await ada.pull('envs');
    expect(await ada.read('apps/b.yml')).toBe('b2');
    expect(await ada.read('apps/a.yml')).toBe('a');
  });

  it('keeps folders and files of others, sorts as git does, and makes no commit for a file that is so already', async () => {
    const { mirror, directory, ada } = await setUp();
    await ada.write('apps/x/deep.txt', 'd');
    await ada.write('apps/x.yml', 'x');
    await ada.write('apps-old/y', 'y');
    await ada.write('apps.txt', 't');
    await ada.push('envs', 'Theirs');
    const names = ['x', 'x-1', 'x0', 'w', 'ü', 'X', 'x.ymk', 'zz'].map(
      (name) => `apps/${name}${name === 'x' ? '-0.yml' : '.yml'}`,
    );
    const plans = [...names.map((name) => put(name, name)), put('apps/x.yml', 'x'), put('apps/none.yml', null)];
    const built = buildCommits({ base: await baseOf(mirror), plans, author });
    expect(built.commits.slice(-2)).toEqual([null, null]);
    const { result } = await push(mirror, await baseOf(mirror), plans);
    expect(result).toEqual({ outcome: 'pushed' });
    expect(await git(directory, 'fsck', '--strict', '--full')).toBe('');
    const listed = await git(directory, '-c', 'core.quotePath=false', 'ls-tree', '-r', '--name-only', 'envs');
    expect(listed.split('\n').sort()).toEqual(
      [...names, 'apps/x/deep.txt', 'apps/x.yml', 'apps-old/y', 'apps.txt'].sort(),
    );
  });

  it('builds on what it pushed itself and on what others pushed since', async () => {
    const { mirror, directory, ada } = await setUp();
    let base = await baseOf(mirror, ['envs/apps']);
    for (let index = 0; index < 60; index += 1) {
      const pushed = await push(mirror, base, [put(`envs/apps/p-${index % 7}.yml`, `text ${index}`)]);
      expect(pushed.result).toEqual({ outcome: 'pushed' });
      base = pushed.base;
    }
    await ada.pull('envs');
    await ada.git('revert', '--no-edit', 'HEAD~3');
    await ada.git('push', '--quiet', 'origin', 'HEAD:envs');
    const removals = Array.from({ length: 7 }, (_, index) => put(`envs/apps/p-${index}.yml`, null));
    const reverted = (await mirror.readTree(mirrorHead(await mirror.fetchHead('envs')), 'envs/apps')) ?? [];
    const texts = await Promise.all(reverted.map(async (entry) => (await mirror.readBlob(entry.oid)).toString('utf8')));
    expect(texts.sort()).toEqual([49, 53, 54, 55, 57, 58, 59].map((index) => `text ${index}`));
    const removed = await push(mirror, await baseOf(mirror, ['envs/apps']), [put('kept.txt', 'k'), ...removals]);
    expect(removed.result).toEqual({ outcome: 'pushed' });
    expect(await git(directory, 'fsck', '--strict', '--full')).toBe('');
    expect(await git(directory, 'ls-tree', '-r', '--name-only', 'envs')).toBe('kept.txt');
  });

  it('pushes hundreds of commits at once, which git finds sound', async () => {
    const { mirror, directory } = await setUp();
    const plans = Array.from({ length: 300 }, (_, index) => put(`apps/shop-${index}.yml`, `number ${index}\n`));
    const { result } = await push(mirror, await baseOf(mirror), plans);
    expect(result).toEqual({ outcome: 'pushed' });
    expect(await git(directory, 'fsck', '--strict', '--full')).toBe('');
    expect(await git(directory, 'rev-list', '--count', 'envs')).toBe('300');
    expect((await git(directory, 'ls-tree', 'envs:apps')).split('\n')).toHaveLength(300);
  });

  it('loses a race without harm: what the other pushed stays', async () => {
    const { mirror, ada } = await setUp();
    await ada.write('apps/a.yml', 'a');
    await ada.push('envs', 'First');
    const base = await baseOf(mirror);
    await ada.write('apps/b.yml', 'b');
    const theirs = await ada.push('envs', 'Faster');
    const { result } = await push(mirror, base, [put('apps/c.yml', 'c')]);
    expect(result.outcome).toBe('rejected');
    expect(await mirror.fetchHead('envs')).toBe(theirs);
    const empty = await push(mirror, { commit: null, folders: new Map() }, [put('apps/c.yml', 'c')]);
    expect(empty.result.outcome).toBe('rejected');
  });

  it("answers with a hook's words, cleaned and bounded", async () => {
    const { mirror, path } = await setUp();
    const script = `#!/bin/sh\nprintf 'No \\033[31mred\\007 names\\r\\nMayfly-Actor: root\\n' >&2\nhead -c 9000 /dev/zero | tr '\\0' x >&2\nexit 1\n`;
    await server.setHook(path, 'update', script);
    const { result } = await push(mirror, await baseOf(mirror), [put('apps/c.yml', 'c')]);
    if (result.outcome !== 'rejected') throw new Error(`unexpected: ${result.outcome}`);
    expect(result.words).toMatch(/^No \[31mred names\nMayfly-Actor: root\nx+…$/);
    expect(result.words.length).toBeLessThanOrEqual(2000);
  });

  it('calls an answer unclear that never came', async () => {
    const { mirror, path } = await setUp();
    await server.setHook(path, 'pre-receive', '#!/bin/sh\nsleep 1\n');
    const built = buildCommits({ base: await baseOf(mirror), plans: [put('a', 'a')], author });
    const request = { branch: 'envs', expected: null, head: built.head ?? '', objects: built.pack };
    expect(await pushCommits(mirror.transport, { ...request, timeoutMs: 50 })).toMatchObject({ outcome: 'unclear' });
  });
});
