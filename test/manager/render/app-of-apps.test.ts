import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { revisionOf } from '../../../src/application/revision.js';
import { parseApplication } from '../../../src/application/validate.js';
import type { RenderMember, RenderProject } from '../../../src/manager/render/context.js';
import { createRenderer } from '../../../src/manager/render/renderer.js';
import { deployingPreview, mergeRequestFacts, shaOne, shaTwo } from '../../support/preview-rows.js';

const example = readFileSync(new URL('../../../docs/examples/app-of-apps/store.yml.hbs', import.meta.url), 'utf8');
const builtIn = readFileSync(new URL('../../../templates/application.yml.hbs', import.meta.url), 'utf8');

const shop: RenderProject = {
  name: 'shop',
  path: 'acme/shop',
  cloneUrl: 'https://gitlab.example.com/acme/shop.git',
  template: 'store',
  url: 'https://{{slug}}.preview.example.com',
  source: {
    path: 'chart',
    recurse: true,
    chart: null,
    fixed: { repository: 'https://gitlab.example.com/acme/store.git', revision: 'c'.repeat(40) },
  },
  values: { replicas: 1, image: 'shop:{{shortSha}}' },
};
const cart: RenderMember = { project: 'cart', sha: shaTwo, iid: null, branchSlug: 'main' };

function rendererOf(project: RenderProject, templates: Record<string, string>) {
  const deps = { readText: (blob: string) => Promise.resolve(templates[blob] ?? ''), project: () => project };
  const renderer = createRenderer(deps, builtIn);
  const branch = new Map(Object.keys(templates).map((name) => [name, name]));
  return (others: RenderMember[] = [], set: Record<string, number> = {}) =>
    renderer.render({
      installation: 'i',
      preview: deployingPreview(42, { setValues: set }),
      facts: mergeRequestFacts(42),
      templates: branch,
      others,
    });
}

describe('an app of apps', () => {
  it('hands the chart of the example every service with its sha', async () => {
    const { text, revision } = await rendererOf(shop, { 'store.yml.hbs': example })([cart], { replicas: 3 });
    const application = parseApplication(text);
    expect(application.spec.source).toEqual({
      repoURL: 'https://gitlab.example.com/acme/store.git',
      targetRevision: 'c'.repeat(40),
      path: 'chart',
      helm: {
        valuesObject: {
          slug: 'shop-42',
          cluster: 'default',
          namespace: 'preview-shop-42',
          url: 'https://shop-42.preview.example.com',
          asleep: false,
          members: {
            shop: { sha: shaOne, shortSha: shaOne.slice(0, 8), iid: 42, branchSlug: 'feature-cart-42' },
            cart: { sha: shaTwo, shortSha: shaTwo.slice(0, 8), iid: null, branchSlug: 'main' },
          },
          values: { replicas: 3, image: `shop:${shaOne.slice(0, 8)}` },
        },
      },
    });
    expect(revision).toBe(revisionOf(application));
  });

  it('is deployed again when one of its services has another sha', async () => {
    const render = rendererOf(shop, { 'store.yml.hbs': example });
    const [one, same, other] = await Promise.all([render([cart]), render([cart]), render([{ ...cart, sha: shaOne }])]);
    expect(same).toEqual(one);
    expect(other.revision).not.toBe(one.revision);
  });

  it('is refused as a file of several documents', async () => {
    const second = example.replace(
      /\n$/,
      '\n---\napiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n',
    );
    await expect(rendererOf(shop, { 'store.yml.hbs': second })()).rejects.toMatchObject({
      code: 'template-failed',
      publicMessage: expect.stringContaining('expected one document, found 2'),
    });
  });
});

describe('another source', () => {
  it('is a chart at one version, with the values for it', async () => {
    const fixed = { repository: 'oci://registry.example.com/charts', revision: '1.4.2' };
    const project = { ...shop, template: 'application', source: { path: 'x', recurse: true, chart: 'shop', fixed } };
    const { text } = await rendererOf(project, {})([], { replicas: 2 });
    const { metadata, spec } = parse(text);
    expect(spec.source).toEqual({
      repoURL: 'oci://registry.example.com/charts',
      targetRevision: '1.4.2',
      chart: 'shop',
      helm: { valuesObject: { replicas: 2, image: `shop:${shaOne.slice(0, 8)}` } },
    });
    // The revision is no sha of the merge request: nothing says where to find it there.
    expect(metadata.annotations).not.toHaveProperty(['mayfly.dev/source-ref']);
  });

  it.each(['1.4', '^1.4.2', '1.x', 'latest', '>=1.0.0', 'a'.repeat(40)])('is refused at %s', async (revision) => {
    const fixed = { repository: 'https://charts.example.com', revision };
    const project = { ...shop, template: 'application', source: { path: 'x', recurse: true, chart: 'shop', fixed } };
    await expect(rendererOf(project, {})()).rejects.toMatchObject({
      code: 'template-failed',
      publicMessage: expect.stringContaining('one version of the chart'),
    });
  });

  it('is a folder of another repository at a commit, and never at a branch', async () => {
    const source = { ...shop.source, path: 'base' };
    const project = { ...shop, template: 'application', source };
    const { spec } = parse((await rendererOf(project, {})()).text);
    expect(spec.source).toEqual({
      repoURL: 'https://gitlab.example.com/acme/store.git',
      targetRevision: 'c'.repeat(40),
      path: 'base',
      directory: { recurse: true },
    });
    const moving = {
      ...project,
      source: { ...source, fixed: { repository: 'https://x.example.com/y', revision: 'main' } },
    };
    await expect(rendererOf(moving, {})()).rejects.toMatchObject({ code: 'template-failed' });
  });
});

describe('what people set', () => {
  it('lies over the configured values to the letter', async () => {
    const values = { replicas: 1, greeting: 'configured' };
    const project = {
      ...shop,
      template: 'application',
      values,
      source: { ...shop.source, chart: 'shop', fixed: { repository: 'https://charts.example.com', revision: '1.0.0' } },
    };
    const { text } = await rendererOf(project, {})([], { greeting: '{{sha}} {{{x}}}\n  evil: true' as never });
    expect(parse(text).spec.source.helm.valuesObject).toEqual({
      replicas: 1,
      greeting: '{{sha}} {{{x}}}\n  evil: true',
    });
  });
});
