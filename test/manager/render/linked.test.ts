import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { annotation } from '../../../src/application/application.js';
import { parseApplication } from '../../../src/application/validate.js';
import { commitMessage } from '../../../src/manager/commit/message.js';
import { planRebuild } from '../../../src/manager/operate/rebuild.js';
import type { RenderProject } from '../../../src/manager/render/context.js';
import { createRenderer } from '../../../src/manager/render/renderer.js';
import type { Preview } from '../../../src/preview/preview.js';
import { deployingPreview, shaOne, shaTwo } from '../../support/preview-rows.js';
import { facts, policy } from '../decide/decide-world.js';

const builtIn = readFileSync(new URL('../../../templates/application.yml.hbs', import.meta.url), 'utf8');
const withMembers = builtIn.replace('  syncPolicy:', '  info: {{json members}}\n  syncPolicy:');

const store: RenderProject = {
  name: 'store',
  path: 'acme/shop',
  cloneUrl: 'https://gitlab.example.com/acme/shop.git',
  template: 'application',
  url: 'https://{{slug}}.preview.example.com',
  source: { path: 'deploy/preview', recurse: true, chart: null, fixed: null },
  values: {},
  linked: [
    { projectId: 7, name: 'shop', path: 'acme/shop' },
    { projectId: 8, name: 'cart', path: 'acme/cart' },
  ],
};

function linkedPreview(members: Preview['members']): Preview {
  return deployingPreview(1, {
    slug: 'store-f-x',
    namespace: 'preview-store-f-x',
    subject: 'group:store:F/x',
    project: 'store',
    members,
  });
}

function member(projectId: number, iid: number | null, wantedSha: string) {
  const own = { projectId, iid, wantedSha, deployedSha: null, next: null };
  return iid === null ? { ...own, branch: 'main' } : own;
}

async function render(members: Preview['members'], project = store) {
  const renderer = createRenderer({ readText: async () => withMembers, project: () => project }, builtIn);
  const [first] = members.filter(({ iid }) => iid !== null);
  const { projectId = 7, iid = 1 } = first ?? {};
  const lead = facts(iid ?? 1, { projectId, sourceProjectId: projectId, sourceBranch: 'F/x' });
  const templates = new Map([['application.yml.hbs', 'blob']]);
  const file = await renderer.render({ installation: 'i', preview: linkedPreview(members), facts: lead, templates });
  return { ...file, application: parseApplication(file.text) };
}

describe('the file of a linked preview', () => {
  it('names every member with its sha, and is deployed from the first project of the group', async () => {
    const { application, url } = await render([member(7, 1, shaOne), member(8, 9, shaTwo)]);
    expect(application.spec.info).toEqual({
      shop: { sha: shaOne, shortSha: shaOne.slice(0, 8), iid: 1, branchSlug: 'f-x' },
      cart: { sha: shaTwo, shortSha: shaTwo.slice(0, 8), iid: 9, branchSlug: 'f-x' },
    });
    expect(application.spec.source).toMatchObject({ repoURL: store.cloneUrl, targetRevision: shaOne });
    expect(annotation(application, 'merge-request')).toBe('acme/shop!1 acme/cart!9');
    expect(annotation(application, 'source-ref')).toBe('refs/merge-requests/1/head');
    expect(annotation(application, 'source-branch')).toBe('F/x');
    expect(url).toBe('https://store-f-x.preview.example.com');
  });

  it('deploys the baseline of that project where only others have merge requests', async () => {
    const { application } = await render([member(7, null, shaOne), member(8, 9, shaTwo)]);
    expect(application.spec.source).toMatchObject({ targetRevision: shaOne });
    expect(application.spec.info).toMatchObject({ shop: { iid: null, branchSlug: 'main' } });
    expect(annotation(application, 'merge-request')).toBe('acme/cart!9');
    expect(annotation(application, 'source-ref')).toBeUndefined();
  });

  it('has the trust of a fork as soon as one of its commits is a fork’s, whichever', async () => {
    const secrets = [
      { copy: 'pull', forks: true },
      { copy: 'other', forks: false },
    ];
    const others = 'https://gitlab.example.com/platform/charts.git';
    const members = [member(7, 1, shaOne), { ...member(8, 9, shaTwo), fork: true as const }];
    const secretsOf = async (of: Preview['members']) =>
      annotation((await render(of, { ...store, secrets })).application, 'secrets');
    expect(await secretsOf([member(7, 1, shaOne), member(8, 9, shaTwo)])).toBe('["pull","other"]');
    expect(await secretsOf(members)).toBe('["pull"]');
    const fixed = { repository: others, revision: shaOne };
    const elsewhere = { ...store, source: { ...store.source, fixed } };
    await expect(render(members, elsewhere)).rejects.toThrow(
      /a merge request of it comes from a fork.*`follow\.forkRepositories`/,
    );
    const { application } = await render(members, { ...elsewhere, forkRepositories: [others] });
    expect(application.spec.source.repoURL).toBe(others);
  });

  it('gives the row back when the database is lost', async () => {
    const { application, revision } = await render([member(7, 1, shaOne), member(8, 9, shaTwo)]);
    const ids: Record<string, number> = { 'acme/shop': 7, 'acme/cart': 8 };
    const input = {
      files: [{ slug: 'store-f-x', incarnation: 3, revision, blob: 'b', application }],
      living: [],
      projectAt: (path: string) => ({ projectId: ids[path] ?? 0, policy: policy() }),
      now: 1,
    };
    const plan = planRebuild({ ...input, groupAt: () => ({ policy: policy({ project: 'store' }) }) });
    expect(plan.rows[0]?.preview).toMatchObject({
      subject: 'group:store:F/x',
      project: 'store',
      incarnation: 3,
      members: [
        { projectId: 7, iid: 1 },
        { projectId: 8, iid: 9 },
      ],
    });
    expect(planRebuild({ ...input, groupAt: () => null }).left[0]?.why).toContain('is in no group');
  });
});

it('the commit of a linked preview names every sha and every merge request', () => {
  const preview = linkedPreview([member(7, 1, shaOne), member(8, 9, shaTwo)]);
  const references = ['acme/shop!1', 'acme/cart!9'];
  const message = commitMessage({
    verb: 'deploy',
    preview,
    facts: facts(1),
    projectPath: 'acme/shop',
    references,
    cause: 'push',
    actor: 'mayfly',
    generation: 4,
  });
  expect(message.split('\n')[0]).toBe(`store-f-x: deploy ${shaOne.slice(0, 7)} ${shaTwo.slice(0, 7)}`);
  expect(message).toContain('Mayfly-Merge-Request: acme/shop!1\nMayfly-Merge-Request: acme/cart!9\nMayfly-Cause: push');
});
