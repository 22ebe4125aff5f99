import { expect, test } from 'vitest';
import { credentialFor } from '../../../src/agent/source/credential.js';
import { describeSource } from '../../../src/agent/source/describe-source.js';
import type { Application } from '../../../src/application/application.js';

const allowed = ['https://gitlab.example.com/acme/*'];

function application(source: Record<string, unknown> = {}, spec: Record<string, unknown> = {}): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'a', annotations: { 'mayfly.dev/source-ref': 'refs/merge-requests/1/head' } },
    spec: {
      project: 'default',
      destination: { name: 'default', namespace: 'preview-a' },
      source: { repoURL: 'https://gitlab.example.com/acme/shop.git', targetRevision: 'a'.repeat(40), ...source },
      ...spec,
    },
  };
}

test('a directory of an allowed repository', () => {
  expect(describeSource(application({ path: 'deploy', directory: { recurse: true } }), allowed)).toEqual({
    repository: 'https://gitlab.example.com/acme/shop.git',
    revision: 'a'.repeat(40),
    path: 'deploy',
    recurse: true,
    fallbackRef: 'refs/merge-requests/1/head',
  });
});

test.each([
  ['https://gitlab.example.com/other/shop.git'],
  ['https://evil.example.com/acme/shop.git'],
  ['http://gitlab.example.com/acme/shop.git'],
  ['https://gitlab.example.com/acme/../other/shop.git'],
  ['https://user:pass@gitlab.example.com/acme/shop.git'],
  ['file:///etc'],
])('%s is refused', (repoURL) => {
  expect(() => describeSource(application({ repoURL }), allowed)).toThrow(
    expect.objectContaining({ code: 'source-refused' }),
  );
});

test.each([
  ['chart', { chart: 'shop' }, {}],
  ['helm', { helm: {} }, {}],
  ['kustomize', { kustomize: {} }, {}],
  ['plugin', { plugin: {} }, {}],
  ['directory.include', { directory: { include: '*.yaml' } }, {}],
  ['spec.sources', {}, { sources: [] }],
])('%s is named as not supported, never ignored', (name, source, spec) => {
  expect(() => describeSource(application(source, spec), allowed)).toThrow(name);
});

test('a credential goes to the exact origin of an entry that covers the repository', () => {
  const entries = [
    { pattern: 'https://gitlab.example.com/public/*' },
    { pattern: 'https://gitlab.example.com/acme/*', username: 'bot', token: 't1' },
    { pattern: 'https://other.example.com/*', token: 't2' },
  ];
  expect(credentialFor('https://gitlab.example.com/acme/shop.git', entries)).toEqual({
    origin: 'https://gitlab.example.com',
    username: 'bot',
    token: 't1',
  });
  expect(credentialFor('https://gitlab.example.com/public/x.git', entries)).toBeNull();
  expect(credentialFor('https://gitlab.example.com:8443/acme/shop.git', entries)).toBeNull();
  expect(credentialFor('http://gitlab.example.com/acme/shop.git', entries)).toBeNull();
});
