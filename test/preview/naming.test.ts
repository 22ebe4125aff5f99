import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  branchSlug,
  chooseSlug,
  namespaceOf,
  slugCandidates,
  templateVariables,
  urlOf,
} from '../../src/preview/naming.js';
import { basePolicy } from './model/world.js';

const facts = { projectId: 7, iid: 42, sourceBranch: 'feature/Cart' };

describe('branchSlug is CI_COMMIT_REF_SLUG', () => {
  test.each([
    ['main', 'main'],
    ['feature/Cart_2', 'feature-cart-2'],
    ['a/b', 'a-b'],
    ['-x-', 'x'],
    ['a--b', 'a--b'],
    ['ÄÖ-x', 'x'],
    ['x😀y', 'x-y'],
    ['日本', ''],
    [`${'a'.repeat(62)}/b`, 'a'.repeat(62)],
    [`/${'a'.repeat(70)}`, 'a'.repeat(62)],
  ])('%s -> %s', (branch, slug) => {
    expect(branchSlug(branch)).toBe(slug);
  });
});

describe('slugs', () => {
  test('the default template, then suffixes of project and iid', () => {
    expect(slugCandidates(basePolicy, facts)).toEqual(['shop-42', 'shop-42-shop-42', 'shop-42-7-42']);
    const policy = { ...basePolicy, nameTemplate: '{{branchSlug}}' };
    expect(slugCandidates(policy, facts)).toEqual(['feature-cart', 'feature-cart-shop-42', 'feature-cart-7-42']);
  });

  test('a branch that leaves nothing of its name gives project and iid', () => {
    const policy = { ...basePolicy, nameTemplate: '{{ branchSlug }}' };
    expect(slugCandidates(policy, { ...facts, sourceBranch: '日本' })[0]).toBe('shop-42');
  });

  test('every candidate makes a namespace that is a DNS label, whatever the branch', () => {
    const policies = fc.record({
      nameTemplate: fc.constantFrom('{{branchSlug}}', '{{project}}-{{iid}}', 'x_{{branchSlug}}-{{iid}}'),
      namespacePrefix: fc.constantFrom('preview-', '', 'a-very-long-prefix-of-thirty-chars-'),
      project: fc.constantFrom('shop', 'a'.repeat(60)),
    });
    fc.assert(
      fc.property(
        policies,
        fc.string({ unit: 'grapheme', maxLength: 90 }),
        fc.integer({ min: 1, max: 1e7 }),
        (given, branch, iid) => {
          const policy = { ...basePolicy, ...given };
          const slugs = slugCandidates(policy, { projectId: 7, iid, sourceBranch: branch });
          expect(slugs.length).toBeGreaterThan(1);
          for (const slug of slugs) {
            expect(namespaceOf(policy, slug)).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('the first that is free is taken, the one that it had before first of all', () => {
    const claim = (slug: string, taken: boolean) => ({ slug, taken, lastIncarnation: 0 });
    const claims = [claim('a', true), claim('b', false), claim('c', false)];
    expect(chooseSlug(['a', 'b', 'c'], claims, null)?.slug).toBe('b');
    expect(chooseSlug(['a', 'b', 'c'], claims, 'c')?.slug).toBe('c');
    expect(chooseSlug(['a', 'b', 'c'], claims, 'a')?.slug).toBe('b');
    expect(chooseSlug(['a'], claims, null)).toBeNull();
    // Nothing is known of `d`: it may be taken.
    expect(chooseSlug(['d'], claims, null)).toBeNull();
  });
});

test('the URL is filled, and an unknown variable leaves nothing', () => {
  const policy = { ...basePolicy, urlTemplate: 'https://{{slug}}.{{ project }}.example.com/{{constructor}}' };
  expect(urlOf(policy, 'shop-42', facts)).toBe('https://shop-42.shop.example.com/');
  expect(urlOf({ ...basePolicy, urlTemplate: null }, 'shop-42', facts)).toBeNull();
  expect(templateVariables('{{ project }}-{{iid}}{{title}}')).toEqual(['project', 'iid', 'title']);
});
