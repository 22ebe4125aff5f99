import { describe, expect, test } from 'vitest';
import { repositoryIsAllowed } from '../../src/application/repository.js';

const list = [
  'https://gitlab.example.com/acme/*',
  'https://git.example.com:8443/*/charts',
  'oci://registry.example.com/charts/*',
];

describe('the list of repositories', () => {
  test.each([
    ['https://gitlab.example.com/acme/shop.git'],
    ['https://gitlab.example.com/acme/shop'],
    ['https://gitlab.example.com/acme/group/shop.git'],
    ['https://GitLab.example.com/acme/shop/'],
    ['https://git.example.com:8443/team/charts.git'],
    ['oci://registry.example.com/charts/redis'],
  ])('allows %s', (url) => {
    expect(repositoryIsAllowed(url, list)).toBe(true);
  });

  test.each([
    ['http://gitlab.example.com/acme/shop.git'],
    ['https://gitlab.example.com/acme'],
    ['https://gitlab.example.com/acmeevil/shop.git'],
    ['https://gitlab.example.com/evil/acme/shop.git'],
    ['https://gitlab.example.com.evil.example/acme/shop.git'],
    ['https://gitlab.example.com@evil.example/acme/shop.git'],
    ['https://user:pass@gitlab.example.com/acme/shop.git'],
    ['https://gitlab.example.com:444/acme/shop.git'],
    ['https://gitlab.example.com/acme/../evil/shop.git'],
    ['https://gitlab.example.com/acme/%2e%2e/evil.git'],
    ['https://gitlab.example.com/acme/..%2fevil.git'],
    ['https://gitlab.example.com/acme//shop.git'],
    ['https://gitlab.example.com/acme/shop.git?x=1'],
    ['https://gitlab.example.com/acme/shop.git#x'],
    ['https://gitlab.example.com\\acme/shop.git'],
    ['https://git.example.com:8443/a/b/charts'],
    ['git@gitlab.example.com:acme/shop.git'],
    ['file:///etc'],
    [''],
  ])('refuses %s', (url) => {
    expect(repositoryIsAllowed(url, list)).toBe(false);
  });

  test('a star never stands for a host, and an empty list allows nothing', () => {
    expect(repositoryIsAllowed('https://evil.example/x', ['https://*/x', '*', 'https://*'])).toBe(false);
    expect(repositoryIsAllowed('https://gitlab.example.com/acme/shop', [])).toBe(false);
  });
});

test('a repository of charts may be the root of a host', () => {
  expect(repositoryIsAllowed('https://charts.example.com/', ['https://charts.example.com'])).toBe(true);
  expect(repositoryIsAllowed('https://charts.example.com/x', ['https://charts.example.com'])).toBe(false);
  expect(repositoryIsAllowed('https://charts.example.com', ['https://charts.example.com/*'])).toBe(false);
  expect(repositoryIsAllowed('https://charts.example.com:8443', ['https://charts.example.com'])).toBe(false);
});
