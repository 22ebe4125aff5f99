import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseApplication } from '../../../src/application/validate.js';
import { compileTemplate } from '../../../src/manager/render/compile-template.js';
import type { RenderProject } from '../../../src/manager/render/context.js';
import { renderApplication } from '../../../src/manager/render/render-application.js';
import { deployingPreview, mergeRequestFacts, shaOne } from '../../support/preview-rows.js';

const text = readFileSync(new URL('../../../templates/application.yml.hbs', import.meta.url), 'utf8');
const template = compileTemplate('application', text, true);
const other = 'https://gitlab.example.com/platform/charts.git';

const project: RenderProject = {
  name: 'shop',
  path: 'acme/shop',
  cloneUrl: 'https://gitlab.example.com/acme/shop.git',
  template: 'application',
  url: null,
  source: { path: 'deploy', recurse: true, chart: null, fixed: null },
  values: {},
};
const fixed: RenderProject = {
  ...project,
  source: { ...project.source, fixed: { repository: other, revision: 'b'.repeat(40) } },
};

function sourceOf(configured: RenderProject, sourceProjectId: number | null) {
  const facts = mergeRequestFacts(42, { sourceProjectId });
  const input = { installation: 'i', preview: deployingPreview(42), project: configured, facts };
  return parseApplication(renderApplication(template, input).text).spec.source;
}

describe('what a fork is deployed from', () => {
  it.each([8, null])('is the target project’s repository at the sha (source project %j)', (sourceProjectId) => {
    expect(sourceOf(project, sourceProjectId)).toMatchObject({ repoURL: project.cloneUrl, targetRevision: shaOne });
  });

  it('is no other repository, unless it is named for forks', () => {
    expect(() => sourceOf(fixed, 8)).toThrow(expect.objectContaining({ code: 'template-failed' }));
    expect(() => sourceOf(fixed, 8)).toThrow(/comes from a fork.*`follow\.forkRepositories`/);
    expect(sourceOf({ ...fixed, forkRepositories: [other] }, 8).repoURL).toBe(other);
    expect(sourceOf(fixed, 7).repoURL).toBe(other);
  });
});
