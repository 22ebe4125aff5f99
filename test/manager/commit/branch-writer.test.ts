import { readdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { revisionOf } from '../../../src/application/revision.js';
import { parseApplication } from '../../../src/application/validate.js';
import { type BranchWorld, createBranchWorld } from '../../support/git-branch-writer.js';
import { deployingPreview, shaOne, shaTwo } from '../../support/preview-rows.js';

describe('the branch writer', () => {
  let world: BranchWorld;

  beforeEach(async () => {
    world = await createBranchWorld();
  });

  afterEach(() => world.close());

  it('begins an empty repository and writes one commit a preview', async () => {
    await world.add(deployingPreview(1));
    await world.add(deployingPreview(2), { title: 'Mayfly-Generation: 99\n\nMayfly-Actor: root' });
    const writer = await world.writer();
    await writer.write();
    const [installation] = await world.query<{ id: string; generation: number; branch_head: string }>(
      'select * from installation',
    );
    expect(parse(await world.file('mayfly.yml'))).toEqual({ installation: installation?.id, layout: 1 });
    expect(await world.files()).toEqual(['shop-1.yml', 'shop-2.yml']);
    const application = parseApplication(await world.file('apps/shop-1.yml'));
    expect(application.metadata.annotations).toMatchObject({
      'mayfly.dev/installation': installation?.id,
      'mayfly.dev/incarnation': '1',
      'mayfly.dev/merge-request': 'acme/shop!1',
    });
    expect(await world.row('shop-1')).toMatchObject({
      phase: 'deploying',
      wanted_revision: revisionOf(application),
      needs_commit: false,
      committed_blob: await world.git('rev-parse', 'dynamic-envs:apps/shop-1.yml'),
      committed_generation: 2,
    });
    expect(await world.git('log', '--format=%s', 'dynamic-envs')).toBe(
      'shop-2: deploy 1a2b3c4\nshop-1: deploy 1a2b3c4\nmayfly: begin installation',
    );
    const body = await world.git('log', '-1', '--format=%b', 'dynamic-envs', '--', 'apps/shop-1.yml');
    expect(body).toBe(
      [
        'The preview is to run (opened): acme/shop!1 "Fix the cart" by ada',
        '',
        'Mayfly-Preview: shop-1#1',
        'Mayfly-Merge-Request: acme/shop!1',
        'Mayfly-Cause: opened',
        'Mayfly-Actor: mayfly',
        'Mayfly-Generation: 2',
      ].join('\n'),
    );
    const hostile = await world.git(
      'log',
      '-1',
      '--format=%(trailers:key=Mayfly-Generation,valueonly)',
      'dynamic-envs',
      '--',
      'apps/shop-2.yml',
    );
    expect(hostile.trim()).toBe('2');
    expect(installation?.branch_head).toBe(await world.git('rev-parse', 'dynamic-envs'));
    expect(await world.git('fsck', '--strict')).toBe('');
    expect(world.followUps).toContainEqual({ kind: 'feedback', subject: 'mr:7:1' });
    const events = await world.query<{ kind: string; detail: string }>(
      `select kind, detail from preview_event where slug = 'shop-1'`,
    );
    expect(events).toEqual([{ kind: 'committed', detail: expect.stringMatching(/^deploy 1a2b3c4 in [0-9a-f]{40}$/) }]);
  });

  it('writes a new sha, removes a file, and makes no commit for what is so already', async () => {
    await world.add(deployingPreview(1));
    await world.add(deployingPreview(2));
    const writer = await world.writer();
    await writer.write();
    const before = await world.git('rev-parse', 'dynamic-envs');
    await world.change('shop-1', { needs_commit: true });
    await writer.write();
    expect(await world.git('rev-parse', 'dynamic-envs')).toBe(before);
    expect(await world.row('shop-1')).toMatchObject({ needs_commit: false, phase: 'deploying' });
    await world.query(`update preview_member set wanted_sha = $1 where slug = 'shop-1'`, [shaTwo]);
    await world.change('shop-1', { needs_commit: true, wanted_revision: null });
    await world.change('shop-2', { needs_commit: true, phase: 'stopping', stop_reason: 'merged' });
    await writer.write();
    expect(await world.file('apps/shop-1.yml')).toContain(shaTwo);
    expect(await world.files()).toEqual(['shop-1.yml']);
    expect(await world.git('log', '-2', '--format=%s', 'dynamic-envs')).toBe('shop-2: remove\nshop-1: deploy 2b3c4d5');
    expect(await world.row('shop-2')).toMatchObject({ committed_blob: null, needs_commit: false, phase: 'stopping' });
    await world.change('shop-1', { needs_commit: true, phase: 'stopping', stop_reason: 'closed' });
    await writer.write();
    expect(await world.files()).toEqual([]);
    expect(await world.git('ls-tree', '--name-only', 'dynamic-envs')).toBe('apps\nmayfly.yml');
  });

  it('makes a ready preview deploy again when its file asks for something else', async () => {
    await world.add(deployingPreview(1));
    const writer = await world.writer();
    await writer.write();
    const { wanted_revision: first } = await world.row('shop-1');
    await world.change('shop-1', { phase: 'ready', deployed_revision: first, needs_commit: true });
    world.project.source.path = 'deploy/other';
    await writer.write();
    const row = await world.row('shop-1');
    expect(row).toMatchObject({ phase: 'deploying', needs_commit: false });
    expect(row.wanted_revision).not.toBe(first);
    expect(await world.git('log', '-1', '--format=%b', 'dynamic-envs')).toContain('Mayfly-Cause: push');
  });

  it('writes after a restart, without a local copy, on top of what others pushed', async () => {
    await world.add(deployingPreview(1));
    await (await world.writer()).write();
    const ada = await world.person();
    await ada.pull('dynamic-envs');
    await ada.write('README.md', 'ours\n');
    await ada.push('dynamic-envs', 'Explain');
    await world.add(deployingPreview(2));
    await (await world.writer()).write();
    expect(await world.files()).toEqual(['shop-1.yml', 'shop-2.yml']);
    expect(await world.file('README.md')).toBe('ours');
    expect(await world.git('fsck', '--strict')).toBe('');
  });

  it('keeps what changed while it was being written', async () => {
    await world.add(deployingPreview(1));
    const script = '#!/bin/sh\ntouch entered\nwhile [ ! -f go ]; do sleep 0.05; done\n';
    const writer = await world.writer();
    await writer.write();
    await world.server.setHook('platform/envs', 'pre-receive', script);
    await world.query(`update preview_member set wanted_sha = $1 where slug = 'shop-1'`, [shaTwo]);
    await world.change('shop-1', { needs_commit: true, wanted_revision: null });
    const writing = writer.write();
    await expect.poll(() => readdir(world.directory)).toContain('entered');
    await world.query(`update preview_member set wanted_sha = $1 where slug = 'shop-1'`, [shaOne]);
    await world.change('shop-1', { needs_commit: true, wanted_revision: null });
    await world.server.setHook('platform/envs', 'pre-receive', null);
    await writeFile(`${world.directory}/go`, '');
    await writing;
    expect(await world.file('apps/shop-1.yml')).toContain(shaOne);
    expect(await world.row('shop-1')).toMatchObject({ needs_commit: false });
    expect(await world.git('log', '-2', '--format=%s', 'dynamic-envs')).toBe(
      'shop-1: deploy 1a2b3c4\nshop-1: deploy 2b3c4d5',
    );
  });

  it('fails one preview whose template is broken, and writes the others', async () => {
    const ada = await world.person();
    await ada.write('templates/shop.yml.hbs', 'a: {{mr.title}}\n');
    await ada.push('dynamic-envs', 'Break the template');
    await world.add(deployingPreview(1));
    await world.add(deployingPreview(2, { project: 'cart' }));
    const writer = await world.writer();
    await writer.write();
    expect(await world.row('shop-1')).toMatchObject({
      phase: 'failed',
      cause: 'template',
      message: 'Template shop.yml.hbs, line 1: {{mr.title}} must be written {{quote mr.title}} or {{json mr.title}}.',
      needs_commit: false,
    });
    expect(await world.row('shop-2')).toMatchObject({ phase: 'failed', cause: 'template' });
    expect(await world.files()).toEqual([]);
    await ada.pull('dynamic-envs');
    await ada.git('rm', '--quiet', 'templates/shop.yml.hbs');
    await ada.push('dynamic-envs', 'Mend it');
    await world.change('shop-1', { needs_commit: true, phase: 'deploying' });
    await writer.look();
    await writer.write();
    expect(await world.files()).toEqual(['shop-1.yml']);
  });

  it('writes many previews in one push', async () => {
    for (let iid = 1; iid <= 60; iid += 1) await world.add(deployingPreview(iid));
    await (await world.writer()).write();
    expect(await world.files()).toHaveLength(60);
    expect(await world.git('rev-list', '--count', 'dynamic-envs')).toBe('61');
    expect(await world.query('select * from branch_write')).toHaveLength(60);
    expect(
      new Set(
        (await world.query<{ generation: number }>('select generation from branch_write')).map((row) => row.generation),
      ),
    ).toEqual(new Set([2]));
  });
});
