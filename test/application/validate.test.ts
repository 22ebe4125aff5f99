import { describe, expect, test } from 'vitest';
import { parseApplication, parseRendered } from '../../src/application/validate.js';
import { isAppError } from '../../src/error/app-error.js';
import { anApplication, commit, expected, template } from './samples.js';

function problemsOf(text: string, change: Partial<typeof expected> = {}): string {
  try {
    parseRendered(text, { ...expected, ...change });
  } catch (error) {
    if (isAppError(error, 'application-invalid')) {
      return error.publicMessage;
    }
    throw error;
  }
  return 'none';
}

test('what a good template renders is taken', () => {
  expect(parseRendered(template, expected)).toEqual(anApplication());
  expect(problemsOf(template, { repositories: null, projects: null })).toBe('none');
  expect(problemsOf(template.replace(commit, '0123456789abcdef'.repeat(4)))).toBe('none');
});

describe('what is refused', () => {
  const metadata = (lines: string) => template.replace('  name: shop-42\n', `  name: shop-42\n${lines}`);
  test.each([
    ['nothing', '', 'expected one document, found 0'],
    ['two documents', `${template}---\n${template}`, 'expected one document, found 2'],
    ['a list', '- a\n', 'document: '],
    ['another kind', template.replace('kind: Application', 'kind: AppProject'), 'kind: '],
    ['another version', template.replace('v1alpha1', 'v1'), 'apiVersion: '],
    ['another name', template.replace('name: shop-42', 'name: shop-43'), 'metadata.name: must be shop-42'],
    ['another cluster', template.replace('name: default', 'name: prod'), 'spec.destination.name: must be default'],
    [
      'another namespace',
      template.replace('namespace: preview-shop-42', 'namespace: kube-system'),
      'spec.destination.namespace: must be preview-shop-42',
    ],
    [
      'a server beside the cluster',
      template.replace('    name: default\n', '    name: default\n    server: https://10.0.0.1\n'),
      'spec.destination: ',
    ],
    [
      'another project',
      template.replace('project: previews', 'project: default'),
      'spec.project: must be one of previews',
    ],
    ['another repository', template.replace('/acme/', '/evil/'), 'spec.source.repoURL: '],
    ['a branch', template.replace(commit, 'main'), 'spec.source.targetRevision: must be a full commit id'],
    ['a short sha', template.replace(commit, commit.slice(0, 12)), 'spec.source.targetRevision: '],
    ['a sha in capitals', template.replace(commit, commit.toUpperCase()), 'spec.source.targetRevision: '],
    ['two sources', `${template}  sources: []\n`, 'spec.sources: only one'],
    ['an annotation of ours', metadata('  annotations:\n    mayfly.dev/url: x\n'), 'mayfly.dev/url is written by'],
    ['a label of ours', metadata('  labels:\n    mayfly.dev/preview: x\n'), 'mayfly.dev/preview is written by'],
    ['an annotation that is no text', metadata('  annotations:\n    a: 1\n'), 'metadata.annotations.a: '],
  ])('%s', (_, text, words) => {
    expect(problemsOf(text)).toContain(words);
  });

  test('all problems are told at once', () => {
    const text = template.replace('/acme/', '/evil/').replace('name: default', 'name: prod');
    expect(problemsOf(text).split('; ')).toHaveLength(2);
  });
});

test('a file of the branch may carry our annotations, and another name', () => {
  const text = template.replace('  name: shop-42\n', '  name: x\n  annotations:\n    mayfly.dev/url: y\n');
  expect(parseApplication(text).metadata).toEqual({ name: 'x', annotations: { 'mayfly.dev/url': 'y' } });
});
