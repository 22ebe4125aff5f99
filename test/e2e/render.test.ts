import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPerson, type Person } from '../support/git-client.js';
import type { Program } from '../support/program.js';
import { runProgram } from '../support/program.js';
import { shopPath } from '../support/world.js';
import { openStage, type Stage } from './stage.js';

const builtIn = readFileSync(new URL('../../templates/application.yml.hbs', import.meta.url), 'utf8');
const labelled = builtIn.replace('  labels:', '  labels:\n    team: {{quote (default values.team "cart")}}');
/** Gives no file for a draft. */
const picky = labelled.replace(
  '  syncPolicy:',
  '  {{#if mr.draft}}\n  info:\n    - {{quote values.nothing}}\n  {{/if}}\n  syncPolicy:',
);

let stage: Stage;
let manager: Program;
let ada: Person;
let good: string;
let draft: string;
let goodIid: number;

beforeAll(async () => {
  stage = await openStage();
  manager = await stage.startManager();
  await stage.startAgent();
  const one = await stage.gitlab.createMergeRequest(shopPath, { title: 'Ready to merge' });
  const two = await stage.gitlab.createMergeRequest(shopPath, { title: 'Draft: not yet' });
  goodIid = one.iid;
  good = `shop-${one.iid}`;
  draft = `shop-${two.iid}`;
  await stage.untilPhase(good, 'ready');
  await stage.untilPhase(draft, 'ready');
  ada = await createPerson(stage.environments);
});

afterAll(async () => {
  await ada?.remove();
  await stage?.close();
});

function mayfly(...args: string[]) {
  return runProgram(args, { env: { MAYFLY_URL: stage.managerUrl, MAYFLY_TOKEN: stage.apiToken } });
}

function render(...args: string[]) {
  return mayfly('render', '--project', 'shop', '--mr', String(goodIid), ...args);
}

async function pushTemplate(text: string): Promise<void> {
  await ada.pull('dynamic-envs');
  await ada.write('templates/application.yml.hbs', text);
  await ada.push('dynamic-envs', 'Another template');
}

async function problemOf(slug: string): Promise<string | null> {
  const { templateProblem } = await stage.api<{ templateProblem: string | null }>(`/previews/${slug}`);
  return templateProblem;
}

test('render prints what stands in the branch, and how a template on trial would change it', async () => {
  const file = await stage.file(good);
  const shown = await render();
  expect(shown).toMatchObject({ code: 0, output: file });
  expect((await render('--diff')).output).toBe(
    `apps/${good}.yml asks for the same already: nothing would be committed.`,
  );

  const trial = join(stage.directory, 'trial.yml.hbs');
  const values = join(stage.directory, 'values.yaml');
  await writeFile(trial, labelled);
  await writeFile(values, 'team: "1e3"\n');
  const difference = await render('--diff', '--template', trial, '--values', values);
  expect(difference.output).toContain(`--- a/apps/${good}.yml\n+++ b/apps/${good}.yml\n@@ `);
  expect(difference.output).toMatch(/^\+ {4}team: "1e3"$/m);
  expect(difference.output.split('\n').filter((line) => /^[-+] /.test(line))).toHaveLength(1);

  await writeFile(trial, 'name: {{mr.title}}\n');
  const refused = await render('--template', trial);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('line 1: {{mr.title}} must be written {{quote mr.title}}');
  expect((await mayfly('render', '--project', 'shop', '--mr', '999')).output).toContain(
    'no merge request acme/shop!999',
  );
  expect((await mayfly('render', '--project', 'shop')).code).toBe(2);

  const none = await stage.gitlab.createMergeRequest(shopPath, { title: 'Without one', labels: ['no-preview'] });
  const first = await mayfly('render', '--project', 'shop', '--mr', `${none.iid}`, '--diff');
  expect(first.output).toContain(`--- /dev/null\n+++ b/apps/shop-${none.iid}.yml\n`);
  expect(first.output).toContain(`+    targetRevision: ${none.headSha}`);
  expect(await stage.file(good)).toBe(file);
});

test('a template that a person pushes renders what lives again; one that it fails for stays deployed', async () => {
  const before = await stage.file(draft);
  const deployed = await stage.deployment(draft);
  await pushTemplate(picky);
  await stage.wait('the other file', async () => (await stage.file(good))?.includes('team: cart') === true);
  await stage.untilPhase(good, 'ready');
  await stage.wait('the problem', async () => (await problemOf(draft)) !== null);
  expect(await problemOf(draft)).toContain(`Template application.yml.hbs gives no Application for ${draft}: line`);
  expect(await problemOf(good)).toBeNull();
  expect(await stage.row(draft)).toMatchObject({ phase: 'ready', cause: null });
  expect(await stage.file(draft)).toBe(before);
  expect((await stage.deployment(draft))?.metadata.uid).toBe(deployed?.metadata.uid);
  expect((await mayfly('list')).output).toMatch(new RegExp(`^${draft} +shop +ready \\(template problem\\)`, 'm'));
  expect((await mayfly('show', draft)).output).toContain('template-problem');
  expect(await stage.history(good)).toHaveLength(2);
  expect((await stage.history(good)).at(-1)).toContain('Mayfly-Cause: configuration');

  // The same again, with a comment: nothing is committed, and nothing is deployed.
  await pushTemplate(`{{! mended }}\n${labelled}`);
  await stage.wait('the mended template', async () => (await problemOf(draft)) === null);
  await stage.wait('the draft', async () => (await stage.file(draft))?.includes('team: cart') === true);
  await stage.untilPhase(draft, 'ready');
  expect(await stage.history(good)).toHaveLength(2);
});

test('sweep lists what it would do, and does it', async () => {
  expect((await mayfly('sweep', '--dry-run')).output).toBe('Nothing is to be rendered again.');
  await ada.pull('dynamic-envs');
  const forget = () => stage.database.pool.query(`update preview set rendered_with = 'unknown' where phase = 'ready'`);
  await stage.wait('the rehearsal', async () => {
    // The clock may be faster than this.
    await forget();
    const { output } = await mayfly('sweep', '--dry-run', '--output', 'json');
    const { previews } = JSON.parse(output) as { previews: { slug: string; outcome: string }[] };
    return previews.length === 2 && previews.every(({ outcome }) => outcome === 'same');
  });
  expect((await mayfly('sweep')).output).toMatch(/^2 previews are rendered again, 25 at a time|^Nothing is to be/);
  await stage.wait('the sweep', async () => {
    const query = `select from preview where rendered_with = 'unknown' or needs_commit`;
    return (await stage.database.pool.query(query)).rowCount === 0;
  });
  expect(await stage.history(good)).toHaveLength(2);
  expect(await stage.row(good)).toMatchObject({ phase: 'ready' });
});

test('a reloaded configuration renders again what it changes', async () => {
  await stage.writeManagerConfig((config) => {
    const [project] = config.projects as { preview: Record<string, unknown> }[];
    if (project === undefined) throw new Error('no project');
    const preview = { ...project.preview, url: 'https://{{slug}}-new.preview.example.com', values: { team: 'shop' } };
    return { ...config, projects: [{ ...project, preview }] };
  });
  const check = await mayfly('check', '--config', stage.managerFile);
  expect(check.output).toContain('It would render 2 again, a few at a time.');
  process.kill(manager.pid, 'SIGHUP');
  for (const slug of [good, draft]) {
    await stage.wait(`${slug} anew`, async () => (await stage.file(slug))?.includes('team: shop') === true);
    await stage.untilPhase(slug, 'ready');
    expect(await stage.file(slug)).toContain(`mayfly.dev/url: https://${slug}-new.preview.example.com`);
    const { url } = await stage.api<{ url: string }>(`/previews/${slug}`);
    expect(url).toBe(`https://${slug}-new.preview.example.com`);
  }
});
