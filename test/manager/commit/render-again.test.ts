import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BranchWriter } from '../../../src/manager/commit/branch-writer.js';
import { type BranchWorld, createBranchWorld } from '../../support/git-branch-writer.js';
import { deployingPreview, shaTwo } from '../../support/preview-rows.js';

const builtIn = readFileSync(new URL('../../../templates/application.yml.hbs', import.meta.url), 'utf8');
const labelled = builtIn.replace('  labels:', '  labels:\n    team: {{quote (default values.team "none")}}');
/** Gives no file for a draft, and one for every other merge request. */
const picky = labelled.replace(
  '  syncPolicy:',
  '  {{#if mr.draft}}\n  info:\n    - {{quote values.nothing}}\n  {{/if}}\n  syncPolicy:',
);

describe('rendering living previews again', () => {
  let world: BranchWorld;
  let writer: BranchWriter;

  beforeEach(async () => {
    world = await createBranchWorld();
    writer = await world.writer();
  });

  afterEach(() => world.close());

  /** Previews that are written and ready, as the cluster would have made them. */
  async function ready(...iids: number[]): Promise<void> {
    for (const iid of iids) await world.add(deployingPreview(iid));
    await writer.write();
    await world.query(
      `update preview set phase = 'ready', deployed_revision = wanted_revision, deploying_since = null`,
    );
    await world.query('update preview_member set deployed_sha = wanted_sha');
  }

  async function pushTemplate(text: string): Promise<void> {
    const ada = await world.person();
    await ada.pull('dynamic-envs');
    await ada.write('templates/application.yml.hbs', text);
    await ada.push('dynamic-envs', 'Another template');
    await writer.look();
  }

  const phases = async () => {
    const rows = await world.query<{ slug: string; phase: string }>('select slug, phase from preview order by slug');
    return Object.fromEntries(rows.map(({ slug, phase }) => [slug, phase]));
  };
  const head = () => world.git('rev-parse', 'dynamic-envs');

  it('finds nothing to do while nothing changed, and leaves a file alone that asks for the same', async () => {
    await ready(1, 2);
    expect(await world.sweep(25)).toBe(0);
    const before = await head();
    // A comment and another order of keys: the template is another, what it asks for is not.
    await pushTemplate(`# A comment\n${builtIn}`);
    expect(await world.sweep(25)).toBe(2);
    const pushed = await head();
    await writer.write();
    expect(await head()).toBe(pushed);
    expect(pushed).not.toBe(before);
    expect(await phases()).toEqual({ 'shop-1': 'ready', 'shop-2': 'ready' });
    expect(await world.sweep(25)).toBe(0);
    const commits = `select count(*) from preview_event where kind = 'committed'`;
    expect(await world.query(commits)).toEqual([{ count: 2 }]);
  });

  it('leaves a file alone that says the same in other words, such as those of an earlier version', async () => {
    await ready(1);
    const ada = await world.person();
    await ada.pull('dynamic-envs');
    const printed = `# An earlier version wrote a comment here.\n${await world.file('apps/shop-1.yml')}`;
    await ada.write('apps/shop-1.yml', `${printed}\n`);
    await ada.push('dynamic-envs', 'As an earlier version would have written it');
    await writer.look();
    const blob = await world.git('rev-parse', 'dynamic-envs:apps/shop-1.yml');
    await world.query('update preview set committed_blob = $1, edited_blob = null, edited = null', [blob]);
    await world.query(`update preview set phase = 'ready', rendered_with = null`);
    const { committed_generation: generation } = await world.row('shop-1');
    const before = await head();
    expect(await world.sweep(25)).toBe(1);
    await writer.write();
    expect(await head()).toBe(before);
    expect(await world.row('shop-1')).toMatchObject({ phase: 'ready', committed_generation: generation });
    expect(await world.sweep(25)).toBe(0);
  });

  it('renders so many at a time, and goes on where it was after a restart', async () => {
    await ready(1, 2, 3, 4, 5);
    await pushTemplate(labelled);
    expect(await world.sweep(2)).toBe(2);
    expect(await world.sweep(2)).toBe(0);
    await writer.write();
    // Two are being deployed: no room for others until the cluster is done with them.
    expect(await phases()).toMatchObject({ 'shop-1': 'deploying', 'shop-2': 'deploying', 'shop-3': 'ready' });
    expect(await world.sweep(2)).toBe(0);
    await world.query(`update preview set phase = 'ready', deployed_revision = wanted_revision where slug = 'shop-1'`);
    writer = await world.writer();
    expect(await world.sweep(2)).toBe(1);
    await writer.write();
    expect(await phases()).toMatchObject({ 'shop-2': 'deploying', 'shop-3': 'deploying', 'shop-4': 'ready' });
    expect(await world.file('apps/shop-3.yml')).toContain('team: none');
    expect(await world.file('apps/shop-4.yml')).not.toContain('team');
    await world.query(`update preview set phase = 'ready', deployed_revision = wanted_revision`);
    expect(await world.sweep(25)).toBe(2);
    await writer.write();
    expect(await world.sweep(25)).toBe(0);
    expect(await world.git('log', '-1', '--format=%b', 'dynamic-envs')).toContain('Mayfly-Cause: configuration');
  });

  it('keeps what a template fails for as it is, says so, and goes on with the others', async () => {
    await world.add(deployingPreview(1));
    await world.add(deployingPreview(2), { draft: true });
    await writer.write();
    await world.query(`update preview set phase = 'ready', deployed_revision = wanted_revision`);
    await world.query('update preview_member set deployed_sha = wanted_sha');
    const before = await world.file('apps/shop-2.yml');
    await pushTemplate(picky);
    expect(await world.sweep(25)).toBe(2);
    await writer.write();
    expect(await phases()).toEqual({ 'shop-1': 'deploying', 'shop-2': 'ready' });
    expect(await world.file('apps/shop-2.yml')).toBe(before);
    const { template_problem: problem } = await world.row('shop-2');
    expect(problem).toMatch(/^Template application.yml.hbs gives no Application for shop-2: line \d+: quote was given/);
    const events = `select kind, detail from preview_event where slug = 'shop-2' and kind like 'template%' order by id`;
    expect(await world.query(events)).toEqual([{ kind: 'template-problem', detail: problem }]);
    expect(world.followUps).toContainEqual({ kind: 'feedback', subject: 'mr:7:2' });
    // Not again and again: only another template is worth another try.
    expect(await world.sweep(25)).toBe(0);
    await pushTemplate(labelled);
    expect(await world.sweep(25)).toBe(2);
    await writer.write();
    expect(await world.row('shop-2')).toMatchObject({ phase: 'deploying', template_problem: null });
  });

  it('fails for a new sha what a template fails for, and mends it with the template', async () => {
    await world.add(deployingPreview(2), { draft: true });
    await writer.write();
    await pushTemplate(picky);
    await world.query('update preview_member set wanted_sha = $1', [shaTwo]);
    await world.change('shop-2', { wanted_revision: null, needs_commit: true });
    await writer.write();
    expect(await world.row('shop-2')).toMatchObject({ phase: 'failed', cause: 'template', template_problem: null });
    expect(await world.sweep(25)).toBe(0);
    await pushTemplate(labelled);
    expect(await world.sweep(25)).toBe(1);
    await writer.write();
    expect(await world.row('shop-2')).toMatchObject({ phase: 'deploying', cause: null });
    expect(await world.file('apps/shop-2.yml')).toContain(shaTwo);
  });

  it('leaves alone what a person edited, what is stopping, and what a held stop is about', async () => {
    await ready(1, 2, 3, 4);
    await world.query(`update preview set edited = 'edited' where slug = 'shop-1'`);
    await world.query(`update preview set phase = 'stopping' where slug = 'shop-2'`);
    await world.query(`update preview set held_stop = '{"reason": "label", "since": 0}' where slug = 'shop-3'`);
    await pushTemplate(labelled);
    expect(await world.sweep(25)).toBe(1);
    expect(await world.row('shop-4')).toMatchObject({ needs_commit: true });
  });

  it('renders again for each part of the configuration that its files depend on', async () => {
    await ready(1);
    const changes: (() => void)[] = [
      () => Object.assign(world.project.values, { team: 'cart' }),
      () => Object.assign(world.project, { url: 'https://{{slug}}.new.example.com' }),
      () => Object.assign(world.project.source, { path: 'deploy/other' }),
      () => Object.assign(world.project, { cloneUrl: 'https://gitlab.example.com/acme/renamed.git' }),
      () => Object.assign(world.project, { template: 'another' }),
    ];
    for (const change of changes) {
      expect(await world.sweep(25)).toBe(0);
      change();
      expect(await world.sweep(25), String(change)).toBe(1);
      await writer.write();
      await world.query(`update preview set phase = 'ready', deployed_revision = wanted_revision`);
    }
    expect(await world.row('shop-1')).toMatchObject({
      url: 'https://shop-1.new.example.com',
      template_problem: expect.stringContaining('it is not in the templates folder'),
    });
    expect(await world.file('apps/shop-1.yml')).toContain('mayfly.dev/url: https://shop-1.new.example.com');
  });
});
