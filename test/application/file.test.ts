import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { annotate } from '../../src/application/annotate.js';
import type { Application } from '../../src/application/application.js';
import { canonicalJson } from '../../src/application/canonical-json.js';
import { incarnationOf, isOurs, printApplication } from '../../src/application/file.js';
import { revisionOf } from '../../src/application/revision.js';
import { parseApplication } from '../../src/application/validate.js';
import { anApplication, commit } from './samples.js';

const annotated = annotate(anApplication(), {
  installation: 'c0ffee',
  incarnation: 3,
  mergeRequest: 'acme/shop!42',
  sourceRef: 'refs/merge-requests/42/head',
  url: 'https://shop-42.preview.example.com',
});

describe('the file', () => {
  test('is this text', () => {
    expect(printApplication(annotated)).toBe(`apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop-42
  annotations:
    mayfly.dev/incarnation: "3"
    mayfly.dev/installation: c0ffee
    mayfly.dev/merge-request: acme/shop!42
    mayfly.dev/source-ref: refs/merge-requests/42/head
    mayfly.dev/url: https://shop-42.preview.example.com
spec:
  project: previews
  destination:
    name: default
    namespace: preview-shop-42
  source:
    repoURL: https://gitlab.example.com/acme/shop.git
    targetRevision: ${commit}
    path: deploy/preview
`);
  });

  test('is read as it was written, and has the same revision in both programs, whatever stands in it', () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom(
        'yes',
        '1e3',
        '0x1F',
        '~',
        'null',
        '- a',
        '{{x}}',
        '#x',
        ' a',
        'a: b',
        'a\nb\n',
        '2001-01-01',
        '<<',
      ),
    );
    const values = fc.dictionary(
      word.filter((key) => key !== '__proto__'),
      fc.oneof(
        word,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(word),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
      ),
    );
    fc.assert(
      fc.property(
        values,
        fc.dictionary(
          word.filter((key) => key !== '__proto__'),
          word,
        ),
        (given, annotations) => {
          const application: Application = {
            ...annotated,
            metadata: { name: 'shop-42', annotations: { ...annotations } },
          };
          // JSON has no negative zero.
          application.spec = { ...application.spec, values: JSON.parse(JSON.stringify(given)) };
          const text = printApplication(application);
          const read = parseApplication(text);
          expect(JSON.parse(canonicalJson(read))).toEqual(JSON.parse(canonicalJson(application)));
          expect(revisionOf(read)).toBe(revisionOf(application));
          expect(printApplication(read)).toBe(text);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('is ours with our installation and an incarnation', () => {
    const withAnnotations = (annotations: Record<string, string>) => {
      const application = anApplication();
      application.metadata.annotations = annotations;
      return application;
    };
    expect(isOurs(annotated, 'c0ffee')).toBe(true);
    expect(isOurs(annotated, 'other')).toBe(false);
    expect(isOurs(withAnnotations({ 'mayfly.dev/installation': 'c0ffee' }), 'c0ffee')).toBe(false);
    for (const text of ['0', '-1', '1.5', '01', 'x', '', '9999999999']) {
      expect(incarnationOf(withAnnotations({ 'mayfly.dev/incarnation': text }))).toBeNull();
    }
    expect(incarnationOf(annotated)).toBe(3);
  });
});

describe('the revision', () => {
  const revision = revisionOf(annotated);
  const change = (path: (application: Application) => void) => {
    const copy = structuredClone(annotated);
    path(copy);
    return revisionOf(copy);
  };

  test('does not count comments, the order of keys, installation and incarnation', () => {
    expect(revision).toMatch(/^[0-9a-f]{64}$/);
    const lines = printApplication(annotated).replace('spec:\n', '# why\nspec: # here\n').split('\n');
    const project = lines.splice(lines.indexOf('  project: previews'), 1);
    lines.splice(lines.indexOf('  source:'), 0, ...project);
    expect(revisionOf(parseApplication(lines.join('\n')))).toBe(revision);
    expect(revisionOf(annotate(annotated, { installation: 'other', incarnation: 4 }))).toBe(revision);
  });

  test('counts everything else', () => {
    const changed = [
      change((one) => (one.spec.source.targetRevision = 'f'.repeat(40))),
      change((one) => (one.metadata.annotations['mayfly.dev/url'] = 'https://x.example.com')),
      change((one) => (one.metadata.annotations['mayfly.dev/asleep'] = 'true')),
      change((one) => (one.metadata.annotations.other = 'x')),
      change((one) => (one.metadata.labels = { a: 'b' })),
      change((one) => (one.spec.source.kustomize = { images: [] })),
      change((one) => (one.spec.list = ['a', 'b'])),
      change((one) => (one.spec.list = ['b', 'a'])),
    ];
    expect(new Set([revision, ...changed]).size).toBe(changed.length + 1);
  });
});

test('annotating leaves the rendered Application as it was', () => {
  const before = anApplication();
  annotate(before, { installation: 'c0ffee', incarnation: 1, asleep: true });
  expect(before).toEqual(anApplication());
});
