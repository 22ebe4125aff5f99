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
  expect(describeSource(application({ path: 'deploy', directory: { recurse: true } }), allowed)).toMatchObject({
    place: {
      from: 'git',
      repository: 'https://gitlab.example.com/acme/shop.git',
      revision: 'a'.repeat(40),
      path: 'deploy',
      fallbackRef: 'refs/merge-requests/1/head',
    },
    tool: 'directory',
    directory: { recurse: true },
  });
});

test.each([
  ['registry.example.com/charts', 'oci://registry.example.com/charts'],
  ['oci://registry.example.com/charts/', 'oci://registry.example.com/charts'],
  ['https://charts.example.com/stable', 'https://charts.example.com/stable'],
  ['https://root.example.com', 'https://root.example.com'],
])('a chart of %s', (repoURL, repository) => {
  const lists = [
    'oci://registry.example.com/charts/*',
    'https://charts.example.com/stable',
    'https://root.example.com/*',
  ];
  expect(describeSource(application({ repoURL, chart: 'shop', targetRevision: '1.2.3' }), lists)).toMatchObject({
    place: { from: 'charts', repository, chart: 'shop', version: '1.2.3' },
    tool: 'helm',
  });
});

test.each([['../other'], ['a/../../b'], ['a//b'], ['a b'], ['']])('the chart %j is refused', (chart) => {
  const source = { repoURL: 'registry.example.com/charts', chart, targetRevision: '1.2.3' };
  const describe = () => describeSource(application(source), ['oci://registry.example.com/*']);
  expect(describe).toThrow(expect.objectContaining({ code: 'source-refused' }));
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
  ['spec.source.plugin', { plugin: {} }, {}],
  ['spec.source.ref', { ref: 'values' }, {}],
  ['spec.source.directory.jsonnet', { directory: { jsonnet: {} } }, {}],
  ['spec.source.kustomize.version', { kustomize: { version: 'v4' } }, {}],
  ['spec.source.helm.passCredentials', { helm: { passCredentials: true } }, {}],
  ['spec.source.kustomize beside spec.source.helm', { kustomize: {}, helm: {} }, {}],
  ['spec.source.kustomize', { chart: 'shop', kustomize: {} }, {}],
  ['spec.sources', {}, { sources: [] }],
])('%s is named as not supported, never ignored', (name, source, spec) => {
  expect(() => describeSource(application(source, spec), allowed)).toThrow(name);
});

test('an option of the wrong shape is named', () => {
  const describe = () => describeSource(application({ helm: { parameters: [{ name: 'a', value: 1 }] } }), allowed);
  expect(describe).toThrow('spec.source.helm.parameters.0.value');
});

test.each([
  ['token=/var/run/secrets/kubernetes.io/serviceaccount/token,b'],
  ['a=https://example.com/x,b'],
  ['a\\'],
  ['a,b'],
  ['a{b'],
])('the file parameter %j, which would name another file, is refused', (name) => {
  const helm = { fileParameters: [{ name, path: 'p' }] };
  expect(() => describeSource(application({ helm }), allowed)).toThrow('spec.source.helm.fileParameters.0.name');
});

test('a file parameter names any one value', () => {
  const fileParameters = ['a', 'a.b[0].c', 'annotations.example\\.com/x'].map((name) => ({ name, path: 'p' }));
  expect(describeSource(application({ helm: { fileParameters } }), allowed).helm).toEqual({ fileParameters });
});

test('a credential for a registry goes to the registry itself', () => {
  const entries = [
    { pattern: 'oci://registry.example.com/charts/*', token: 't', realm: 'https://gitlab.example.com/jwt' },
  ];
  const addresses = ['oci://registry.example.com/charts', 'oci://registry.example.com/charts/shop'];
  expect(credentialFor(addresses, entries)).toEqual({
    origin: 'https://registry.example.com',
    token: 't',
    realm: 'https://gitlab.example.com/jwt',
  });
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
