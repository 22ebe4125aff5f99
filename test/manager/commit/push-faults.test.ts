import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BranchWorld, createBranchWorld } from '../../support/git-branch-writer.js';
import { type Fault, type GitProxy, startGitProxy } from '../../support/git-proxy.js';
import { deployingPreview } from '../../support/preview-rows.js';

const branch = 'dynamic-envs';

describe('pushing against the odds', () => {
  let world: BranchWorld;
  let proxy: GitProxy;

  beforeEach(async () => {
    world = await createBranchWorld();
    proxy = await startGitProxy(world.server.url);
    await (await world.writer()).look();
  });

  afterEach(async () => {
    await proxy.close();
    await world.close();
  });

  const proxied = () => world.writer({ url: `${proxy.url}/platform/envs.git` });
  const subjects = async () => (await world.git('log', '--format=%s', branch)).split('\n');

  /** Refuses a push that brings any of these files. */
  async function refuse(...names: string[]): Promise<void> {
    const script = `#!/bin/sh
read old new ref
for name in ${names.join(' ')}; do
  if git cat-file -e "$new:apps/$name.yml" 2>/dev/null && ! git cat-file -e "$old:apps/$name.yml" 2>/dev/null; then
    echo "GitLab: $name is not a name we like" >&2
    exit 1
  fi
done
`;
    await world.server.setHook('platform/envs', 'pre-receive', script);
  }

  it('splits a refused push until the one that offends stands alone', async () => {
    for (let iid = 1; iid <= 9; iid += 1) await world.add(deployingPreview(iid));
    await refuse('shop-4', 'shop-9');
    await (await world.writer()).write();
    expect(await world.files()).toEqual(
      ['shop-1', 'shop-2', 'shop-3', 'shop-5', 'shop-6', 'shop-7', 'shop-8'].map((name) => `${name}.yml`),
    );
    expect(await world.row('shop-4')).toMatchObject({
      phase: 'failed',
      cause: 'push',
      message: 'GitLab: shop-4 is not a name we like',
    });
    expect(await world.row('shop-9')).toMatchObject({ phase: 'failed', cause: 'push' });
    expect(
      await world.query(
        `select slug from preview where phase = 'deploying' and not needs_commit and committed_blob is not null`,
      ),
    ).toHaveLength(7);
    // Nothing of them ever reached the branch, so that no agent will be waited for.
    expect(await world.query(`select * from branch_write where slug in ('shop-4', 'shop-9')`)).toEqual([]);
    const before = await world.git('rev-parse', branch);
    await (await world.writer()).write();
    expect(await world.git('rev-parse', branch)).toBe(before);
    // The hook is mended, the time to try again has come.
    await refuse();
    await world.query(`update preview set commit_after = now()`);
    await (await world.writer()).write();
    expect(await world.files()).toHaveLength(9);
    expect(await world.row('shop-4')).toMatchObject({ phase: 'deploying', cause: null, needs_commit: false });
  });

  it('has those told that cannot be written while the Git server is away', async () => {
    const writer = await world.writer({ url: 'http://127.0.0.1:1/platform/envs.git' });
    await world.add(deployingPreview(1));
    await world.add(deployingPreview(2, { subject: 'group:store:cart' }));
    await expect(writer.write()).rejects.toMatchObject({ disposition: 'retry' });
    expect(world.followUps).toEqual([
      { kind: 'feedback', subject: 'group:store:cart' },
      { kind: 'feedback', subject: 'mr:7:1' },
    ]);
  });

  it('keeps a refused removal as a wish', async () => {
    await world.add(deployingPreview(1));
    const writer = await world.writer();
    await writer.write();
    await world.change('shop-1', { phase: 'stopping', stop_reason: 'merged', needs_commit: true });
    await world.server.setHook('platform/envs', 'update', '#!/bin/sh\necho "frozen" >&2\nexit 1\n');
    await writer.write();
    expect(await world.row('shop-1')).toMatchObject({
      phase: 'stopping',
      message: expect.stringMatching(/^frozen/),
      needs_commit: true,
    });
    await world.server.setHook('platform/envs', 'update', null);
    await world.query(`update preview set commit_after = now()`);
    await writer.write();
    expect(await world.files()).toEqual([]);
  });

  it('loses races against people and lands on top of them all', async () => {
    const writer = await world.writer();
    const ada = await world.person();
    const others: string[] = [];
    await ada.pull(branch);
    let pushing = true;
    const person = (async () => {
      while (pushing) {
        await ada.pull(branch);
        await ada.write(`notes/${others.length}.txt`, 'x');
        const message = `Note ${others.length}`;
        await ada.push(branch, message).then(
          () => others.push(message),
          () => undefined,
        );
      }
    })();
    for (let iid = 1; iid <= 12; iid += 1) {
      await world.add(deployingPreview(iid));
      await writer.write();
    }
    pushing = false;
    await person;
    const all = await subjects();
    for (const message of others) expect(all).toContain(message);
    for (let iid = 1; iid <= 12; iid += 1) expect(all).toContain(`shop-${iid}: deploy 1a2b3c4`);
    expect(all).toHaveLength(others.length + 13);
    expect(await world.git('rev-list', '--merges', '--count', branch)).toBe('0');
  });

  it.each<Fault>(['lose-answer', 'bad-gateway'])(
    'writes once though the answer of a push is lost (%s)',
    async (fault) => {
      await world.add(deployingPreview(1));
      proxy.faults.push(fault);
      await (await proxied()).write();
      expect(await subjects()).toEqual(['shop-1: deploy 1a2b3c4', 'mayfly: begin installation']);
      expect(await world.row('shop-1')).toMatchObject({ needs_commit: false, edited: null, phase: 'deploying' });
    },
  );

  it('knows its own commit under what a person pushed before the lost answer was noticed', async () => {
    await world.add(deployingPreview(1));
    proxy.faults.push('lose-answer');
    const ada = await world.person();
    proxy.beforeFault = async () => {
      await ada.pull(branch);
      await ada.write('README.md', 'x');
      await ada.push(branch, 'Explain');
    };
    await (await proxied()).write();
    await world.add(deployingPreview(2));
    await (await proxied()).write();
    expect(await subjects()).toEqual([
      'shop-2: deploy 1a2b3c4',
      'Explain',
      'shop-1: deploy 1a2b3c4',
      'mayfly: begin installation',
    ]);
    expect(await world.query('select * from wish')).toEqual([]);
    expect(await world.query(`select slug from preview where edited is not null`)).toEqual([]);
  });

  it('writes again what never arrived', async () => {
    await world.add(deployingPreview(1));
    proxy.faults.push('lose-request', 'lose-request');
    await (await proxied()).write();
    expect(await subjects()).toEqual(['shop-1: deploy 1a2b3c4', 'mayfly: begin installation']);
  });

  it.each(['deploying', 'stopping'])(
    'knows its own push after a crash before it could be saved (%s)',
    async (phase) => {
      await world.add(deployingPreview(1));
      const writer = await world.writer();
      await writer.write();
      await world.query(
        'create function crash() returns trigger language plpgsql as $$ begin raise exception $x$crash$x$; end $$',
      );
      await world.query('create trigger crash before insert on branch_commit for each row execute function crash()');
      await world.query(`update preview_member set wanted_sha = '${'3'.repeat(40)}'`);
      await world.change('shop-1', { phase, wanted_revision: null, needs_commit: true });
      await expect(writer.write()).rejects.toThrow('crash');
      await world.query('drop trigger crash on branch_commit');
      const before = await world.git('rev-parse', branch);
      await (await world.writer()).write();
      expect(await world.git('rev-parse', branch)).toBe(before);
      expect(await world.query('select * from wish')).toEqual([]);
      const file = phase === 'stopping' ? [] : ['shop-1.yml'];
      expect(await world.files()).toEqual(file);
      expect(await world.row('shop-1')).toMatchObject({
        phase,
        edited: null,
        needs_commit: false,
        // Nothing new is to be written for the one; the other's absence is, once more.
        committed_generation: phase === 'stopping' ? 4 : 3,
      });
    },
  );
});
