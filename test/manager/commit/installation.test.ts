import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type BranchWorld, createBranchWorld } from '../../support/git-branch-writer.js';
import { deployingPreview } from '../../support/preview-rows.js';

const branch = 'dynamic-envs';

describe('whose branch it is', () => {
  let world: BranchWorld;

  beforeEach(async () => {
    world = await createBranchWorld();
  });

  afterEach(() => world.close());

  const installation = async () =>
    (
      await world.query<{ id: string; generation: number; branch_head: string; blocked_reason: string }>(
        'select * from installation',
      )
    )[0];
  const head = () => world.git('rev-parse', branch);

  async function written(): Promise<void> {
    await world.add(deployingPreview(1));
    await (await world.writer()).write();
  }

  async function expectBlocked(words: RegExp): Promise<void> {
    const before = await world.git('for-each-ref');
    const rows = await world.query('select * from preview order by slug');
    await world.add(deployingPreview(9));
    const writer = await world.writer();
    await writer.write();
    expect(world.followUps).toContainEqual({ kind: 'feedback', subject: 'mr:7:9' });
    expect(await writer.look()).toEqual({ blockedReason: expect.stringMatching(words), pending: false });
    expect(await installation()).toMatchObject({ blocked_reason: expect.stringMatching(words) });
    expect(await world.git('for-each-ref')).toBe(before);
    expect(await world.query(`select * from preview where slug <> 'shop-9' order by slug`)).toEqual(rows);
    expect(await world.query('select * from wish')).toEqual([]);
  }

  it('begins a branch that people used before, and leaves their files alone', async () => {
    const ada = await world.person();
    await ada.write('apps/legacy.yml', 'a: b\n');
    await ada.push(branch, 'Theirs');
    await written();
    expect(await world.files()).toEqual(['legacy.yml', 'shop-1.yml']);
    expect(await world.query('select slug from foreign_file')).toEqual([{ slug: 'legacy' }]);
  });

  it('begins without any preview', async () => {
    expect(await (await world.writer()).look()).toEqual({ blockedReason: null, pending: false });
    expect(await world.git('ls-tree', '-r', '--name-only', branch)).toBe('apps/.gitkeep\nmayfly.yml');
  });

  it('goes on after a start that was cut off before the push', async () => {
    await world.query(`insert into installation (id) values ('11111111-1111-4111-8111-111111111111')`);
    await written();
    expect(await world.file('mayfly.yml')).toContain('11111111-1111-4111-8111-111111111111');
    expect(await world.files()).toEqual(['shop-1.yml']);
  });

  it('goes on after a start that was cut off after the push', async () => {
    await written();
    await world.query('update installation set branch_head = null');
    await world.query(`update preview set committed_blob = null, committed_generation = null, needs_commit = true`);
    const before = await head();
    await (await world.writer()).write();
    expect(await head()).toBe(before);
    expect(await world.row('shop-1')).toMatchObject({ needs_commit: false, committed_generation: 2, edited: null });
  });

  it('writes nothing when the branch is gone, and goes on when it is back', async () => {
    await written();
    const before = await head();
    await world.git('update-ref', '-d', `refs/heads/${branch}`);
    await expectBlocked(/The branch is gone/);
    await world.git('update-ref', `refs/heads/${branch}`, before);
    await (await world.writer()).write();
    expect(await installation()).toMatchObject({ blocked_reason: null });
    expect(await world.files()).toEqual(['shop-1.yml', 'shop-9.yml']);
  });

  it('writes nothing when mayfly.yml is gone', async () => {
    await written();
    const ada = await world.person();
    await ada.pull(branch);
    await ada.git('rm', '--quiet', '-r', 'mayfly.yml', 'apps');
    await ada.push(branch, 'Away with it');
    await expectBlocked(/mayfly.yml is gone/);
  });

  it('writes nothing when mayfly.yml cannot be read', async () => {
    await written();
    const ada = await world.person();
    await ada.pull(branch);
    await ada.write('mayfly.yml', 'installation: &a [*a]\n');
    await ada.push(branch, 'Break it');
    await expectBlocked(/cannot be read/);
  });

  it('writes nothing when the database is empty', async () => {
    await written();
    await world.query('truncate installation, preview, preview_member, branch_write cascade');
    await expectBlocked(/belongs to installation .*`mayfly rebuild`/);
  });

  it('writes nothing when the database is of another installation', async () => {
    await written();
    await world.query(`update installation set id = '11111111-1111-4111-8111-111111111111'`);
    await world.query('update installation set branch_head = null');
    await expectBlocked(/mayfly rebuild/);
  });

  it('writes nothing when the database is of yesterday, however many people pushed since', async () => {
    await written();
    const [yesterday] = await world.query<{ generation: number; branch_head: string }>('select * from installation');
    await world.add(deployingPreview(2));
    await (await world.writer()).write();
    const ada = await world.person();
    await ada.pull(branch);
    for (const name of ['a', 'b', 'c']) {
      await ada.write(`${name}.txt`, 'x\n\nMayfly-Generation: 1\n');
      await ada.push(branch, `Unrelated ${name}\n\nSigned-off-by: Ada\nMayfly-Generation: 1`);
    }
    await world.query(`delete from preview_member where slug = 'shop-2'`);
    await world.query(`delete from preview where slug = 'shop-2'`);
    await world.query('update installation set generation = $1, branch_head = $2', [
      yesterday?.generation,
      yesterday?.branch_head,
    ]);
    await expectBlocked(/restored from a backup/);
    // Also when it knows no head at all: the trailer is looked for as far back as it takes.
    await world.query(`update installation set branch_head = null, blocked_reason = null`);
    await world.query(`delete from preview_member where slug = 'shop-9'`);
    await world.query(`delete from preview where slug = 'shop-9'`);
    await expectBlocked(/restored from a backup/);
  });
});
