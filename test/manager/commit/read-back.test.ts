import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { revisionOf } from '../../../src/application/revision.js';
import { parseApplication } from '../../../src/application/validate.js';
import type { BranchWriter } from '../../../src/manager/commit/branch-writer.js';
import { type BranchWorld, createBranchWorld } from '../../support/git-branch-writer.js';
import type { Person } from '../../support/git-client.js';
import { deployingPreview, shaTwo } from '../../support/preview-rows.js';

const branch = 'dynamic-envs';
const one = 'apps/shop-1.yml';

describe('reading back what people do to the branch', () => {
  let world: BranchWorld;
  let writer: BranchWriter;
  let ada: Person;

  beforeEach(async () => {
    world = await createBranchWorld();
    writer = await world.writer();
    await world.add(deployingPreview(1));
    await world.add(deployingPreview(2));
    await writer.write();
    await world.change('shop-1', { phase: 'ready', deployed_revision: (await world.row('shop-1')).wanted_revision });
    world.followUps.length = 0;
    ada = await world.person();
    await ada.pull(branch);
  });

  afterEach(() => world.close());

  async function edit(change: (text: string) => string, message = 'Edit'): Promise<void> {
    await ada.pull(branch);
    await ada.write(one, change(await ada.read(one)));
    await ada.push(branch, message);
  }

  const wishes = () => world.query('select subject, kind, source, by_name from wish order by id');
  const events = (slug: string) =>
    world.query<{ kind: string; actor: string | null; detail: string | null }>(
      'select kind, actor, detail from preview_event where slug = $1 order by id',
      [slug],
    );

  it('deploys an edited file as edited, and keeps it until something new is wanted', async () => {
    await edit((text) => text.replace('path: deploy/preview', 'path: deploy/other'));
    await writer.look();
    const edited = await world.file(one);
    const row = await world.row('shop-1');
    expect(row).toMatchObject({
      phase: 'deploying',
      edited: 'edited',
      wanted_revision: revisionOf(parseApplication(edited)),
      needs_commit: false,
      edited_blob: await world.git('rev-parse', `${branch}:${one}`),
    });
    expect(await events('shop-1')).toContainEqual({ kind: 'edited', actor: 'Ada Person', detail: null });
    expect(world.followUps).toContainEqual({ kind: 'feedback', subject: 'mr:7:1' });
    // A change of the configuration renders nothing over it.
    await world.change('shop-1', { needs_commit: true });
    await writer.write();
    expect(await world.file(one)).toBe(edited);
    // The same again, and by a writer without a memory, changes nothing.
    await writer.look();
    await (await world.writer()).look();
    expect(await world.row('shop-1')).toMatchObject({ edited: 'edited', wanted_revision: row.wanted_revision });
    // A new sha does.
    await world.query(`update preview_member set wanted_sha = $1 where slug = 'shop-1'`, [shaTwo]);
    await world.change('shop-1', { needs_commit: true, wanted_revision: null, edited: null });
    await writer.write();
    expect(await world.file(one)).toContain(shaTwo);
    expect(await world.file(one)).toContain('deploy/preview');
    expect(await world.row('shop-1')).toMatchObject({ edited: null, edited_blob: null, needs_commit: false });
  });

  it('marks an edit of a comment, and deploys nothing for it', async () => {
    const { wanted_revision: before } = await world.row('shop-1');
    await edit((text) => `# mind the gap\n${text}`);
    await writer.look();
    expect(await world.row('shop-1')).toMatchObject({ phase: 'ready', edited: 'edited', wanted_revision: before });
  });

  it('forgets an edit that was taken back', async () => {
    const before = await world.row('shop-1');
    await edit((text) => text.replace('deploy/preview', 'deploy/other'));
    await writer.look();
    await ada.git('revert', '--no-edit', 'HEAD');
    await ada.git('push', '--quiet', 'origin', `HEAD:${branch}`);
    await writer.look();
    expect(await world.row('shop-1')).toMatchObject({
      phase: 'deploying',
      edited: null,
      edited_blob: null,
      wanted_revision: before.wanted_revision,
    });
  });

  it('takes an older file of ours that a person put back for an edit', async () => {
    await world.query(`update preview_member set wanted_sha = $1 where slug = 'shop-1'`, [shaTwo]);
    await world.change('shop-1', { needs_commit: true, wanted_revision: null, phase: 'deploying' });
    await writer.write();
    await ada.pull(branch);
    await ada.git('revert', '--no-edit', 'HEAD');
    await ada.git('push', '--quiet', 'origin', `HEAD:${branch}`);
    await writer.look();
    const row = await world.row('shop-1');
    expect(row).toMatchObject({
      edited: 'edited',
      wanted_revision: revisionOf(parseApplication(await world.file(one))),
    });
  });

  it('lets a new sha that waits to be written win over an edit', async () => {
    await world.query(`update preview_member set wanted_sha = $1 where slug = 'shop-1'`, [shaTwo]);
    await world.change('shop-1', { needs_commit: true, wanted_revision: null, phase: 'deploying' });
    await edit((text) => text.replace('deploy/preview', 'deploy/other'));
    await writer.write();
    expect(await world.file(one)).toContain(shaTwo);
    expect(await world.row('shop-1')).toMatchObject({ edited: null, needs_commit: false });
  });

  it.each([
    [
      'the installation',
      /mayfly.dev\/installation: .*/,
      'mayfly.dev/installation: 00000000-0000-4000-8000-000000000000',
    ],
    ['the incarnation', /mayfly.dev\/incarnation: .*/, 'mayfly.dev/incarnation: "7"'],
    ['the name', /name: shop-1\n/, 'name: shop-9\n'],
    ['the destination', /namespace: preview-shop-1/, 'namespace: kube-system'],
    ['the cluster', /name: default/, 'name: production'],
    ['all of it', /[\s\S]*/, ':-) not YAML: ['],
  ])('refuses an edit of %s: nothing is torn down', async (_, from, to) => {
    const before = await world.row('shop-1');
    await edit((text) => text.replace(from, to));
    await writer.look();
    const row = await world.row('shop-1');
    expect(row).toMatchObject({ phase: 'ready', edited: 'refused', wanted_revision: before.wanted_revision });
    expect((await events('shop-1')).at(-1)).toMatchObject({
      kind: 'edit-refused',
      actor: 'Ada Person',
      detail: expect.any(String),
    });
    expect(await wishes()).toEqual([]);
    expect(await world.query('select * from foreign_file')).toEqual([]);
    await world.query(`update preview_member set wanted_sha = $1 where slug = 'shop-1'`, [shaTwo]);
    await world.change('shop-1', { needs_commit: true, wanted_revision: null, edited: null, phase: 'deploying' });
    await writer.write();
    expect(await world.file(one)).toContain(shaTwo);
  });

  it('takes a removed file for a wish to stop, stronger than a deploy that waits', async () => {
    await world.query(`update preview_member set wanted_sha = $1 where slug = 'shop-1'`, [shaTwo]);
    await world.change('shop-1', { needs_commit: true, wanted_revision: null, phase: 'deploying' });
    await ada.git('rm', '--quiet', one);
    await ada.push(branch, 'Stop it');
    await writer.write();
    expect(await world.files()).toEqual(['shop-2.yml']);
    expect(await wishes()).toEqual([{ subject: 'mr:7:1', kind: 'stop', source: 'git', by_name: 'Ada Person' }]);
    expect(world.followUps).toContainEqual({ kind: 'decide', subject: 'mr:7:1' });
    expect(await world.row('shop-1')).toMatchObject({ needs_commit: false, committed_blob: null });
    await writer.look();
    expect(await wishes()).toHaveLength(1);
  });

  it('takes a file that came back for a wish to start, and leaves it there for the decision', async () => {
    await ada.git('rm', '--quiet', one);
    await ada.push(branch, 'Stop it');
    await writer.look();
    await world.change('shop-1', { phase: 'stopping', stop_reason: 'git' });
    await ada.git('revert', '--no-edit', 'HEAD');
    await ada.git('push', '--quiet', 'origin', `HEAD:${branch}`);
    await writer.look();
    expect(await wishes()).toMatchObject([
      { kind: 'stop' },
      { subject: 'mr:7:1', kind: 'start', by_name: 'Ada Person' },
    ]);
    expect(world.followUps).toContainEqual({ kind: 'decide', subject: 'mr:7:1' });
    await writer.write();
    expect(await world.files()).toEqual(['shop-1.yml', 'shop-2.yml']);
    await (await world.writer()).look();
    expect(await wishes()).toHaveLength(2);
    // Undone: the same incarnation goes on with the same file.
    await world.change('shop-1', { phase: 'ready', stop_reason: null });
    const head = await world.git('rev-parse', branch);
    await writer.write();
    expect(await world.git('rev-parse', branch)).toBe(head);
    expect(await world.row('shop-1')).toMatchObject({ phase: 'ready', needs_commit: false });
  });

  it('removes a file that came back when no decision takes it in', async () => {
    await world.change('shop-1', { needs_commit: true, phase: 'stopping', stop_reason: 'closed' });
    await writer.write();
    await world.query(`update preview set phase = 'stopped' where slug = 'shop-1'`);
    await ada.pull(branch);
    await ada.git('revert', '--no-edit', 'HEAD');
    await ada.git('push', '--quiet', 'origin', `HEAD:${branch}`);
    await writer.look();
    expect(await wishes()).toMatchObject([{ subject: 'mr:7:1', kind: 'start' }]);
    await world.query(`update preview set commit_after = now() where slug = 'shop-1'`);
    expect(await writer.look()).toEqual({ blockedReason: null, pending: true });
    await writer.write();
    expect(await world.files()).toEqual(['shop-2.yml']);
    expect(await world.git('log', '-1', '--format=%s', branch)).toBe('shop-1: remove');
  });

  it('gives the path of a file that came back to the next incarnation', async () => {
    await world.change('shop-1', { needs_commit: true, phase: 'stopping', stop_reason: 'closed' });
    await writer.write();
    await world.query(`update preview set phase = 'stopped' where slug = 'shop-1'`);
    await ada.pull(branch);
    await ada.git('revert', '--no-edit', 'HEAD');
    await ada.git('push', '--quiet', 'origin', `HEAD:${branch}`);
    await writer.look();
    await world.add(deployingPreview(1, { incarnation: 2 }));
    await world.query('update preview set commit_after = null');
    await writer.write();
    expect(await world.file(one)).toContain('mayfly.dev/incarnation: "2"');
    expect(await world.row('shop-1', 1)).toMatchObject({ needs_commit: false });
  });

  it('removes a file that came back when the next incarnation ended before it began', async () => {
    await world.change('shop-1', { needs_commit: true, phase: 'stopping', stop_reason: 'closed' });
    await writer.write();
    await world.query(`update preview set phase = 'stopped' where slug = 'shop-1'`);
    await ada.pull(branch);
    await ada.git('revert', '--no-edit', 'HEAD');
    await ada.git('push', '--quiet', 'origin', `HEAD:${branch}`);
    await writer.look();
    await world.add(deployingPreview(1, { incarnation: 2, phase: 'stopped', stopReason: 'closed' }));
    await world.query('update preview set commit_after = null, needs_commit = needs_commit and incarnation = 1');
    await writer.write();
    expect(await world.files()).toEqual(['shop-2.yml']);
  });

  it('lists unknown files and never writes over them', async () => {
    await ada.write('apps/shop-3.yml', 'hand: made\n');
    await ada.write('apps/legacy.yml', 'apiVersion: argoproj.io/v1alpha1\nkind: Application\n');
    await ada.write('apps/shop-1-copy.yml', await ada.read(one));
    await ada.write('apps/notes.txt', 'x');
    await ada.push(branch, 'Our own');
    await world.add(deployingPreview(3));
    await writer.write();
    const foreign = await world.query('select slug from foreign_file order by slug');
    expect(foreign).toEqual([{ slug: 'legacy' }, { slug: 'shop-1-copy' }, { slug: 'shop-3' }]);
    expect(await world.file('apps/shop-3.yml')).toBe('hand: made');
    expect(await world.row('shop-3')).toMatchObject({
      phase: 'failed',
      cause: 'push',
      message: expect.stringContaining('shop-3.yml'),
    });
    await world.change('shop-3', { needs_commit: true, phase: 'stopping', commit_after: null });
    await writer.write();
    expect(await world.file('apps/shop-3.yml')).toBe('hand: made');
    await ada.pull(branch);
    await ada.git('rm', '--quiet', 'apps/legacy.yml', 'apps/shop-3.yml');
    await ada.push(branch, 'Tidy up');
    await writer.look();
    expect(await world.query('select slug from foreign_file')).toEqual([{ slug: 'shop-1-copy' }]);
  });

  it('stops nothing for a rewritten history, and writes what is missing again', async () => {
    await edit((text) => text.replace('deploy/preview', 'deploy/other'));
    await writer.look();
    await ada.git('checkout', '--quiet', '--orphan', 'fresh');
    await ada.git('rm', '--quiet', '--force', one, 'apps/shop-2.yml');
    await ada.write('apps/other.yml', 'x: y\n');
    await ada.commit('Start over');
    await ada.git('push', '--quiet', '--force', 'origin', `HEAD:${branch}`);
    await writer.look();
    expect(await wishes()).toEqual([]);
    const [installation] = await world.query<{ notice: string; blocked_reason: string | null }>(
      'select * from installation',
    );
    expect(installation).toMatchObject({ notice: expect.stringContaining('rewritten'), blocked_reason: null });
    expect(world.followUps).toContainEqual({ kind: 'commit', subject: '' });
    await writer.write();
    expect(await world.files()).toEqual(['other.yml', 'shop-1.yml', 'shop-2.yml']);
    expect(await world.row('shop-1')).toMatchObject({ edited: null, needs_commit: false });
    expect(await world.query('select slug from foreign_file')).toEqual([{ slug: 'other' }]);
  });

  it('names who changed each file, also when several people pushed', async () => {
    await edit((text) => text.replace('deploy/preview', 'deploy/other'));
    await ada.git('rm', '--quiet', 'apps/shop-2.yml');
    await ada.git(
      '-c',
      'user.name=Bob',
      'commit',
      '--quiet',
      '--author',
      'Bob Other <bob@example.com>',
      '-m',
      'Stop it',
    );
    await ada.write('README.md', 'x');
    await ada.push(branch, 'Unrelated');
    await writer.look();
    expect(await wishes()).toMatchObject([{ subject: 'mr:7:2', by_name: 'Bob Other' }]);
    expect(await events('shop-1')).toContainEqual({ kind: 'edited', actor: 'Ada Person', detail: null });
  });
});
