import { expect, test } from 'vitest';
import { probeRequestOf } from '../../../src/agent/probe/probe-request.js';
import type { Application } from '../../../src/application/application.js';

function application(annotations: Record<string, string>): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: {
      name: 'a',
      annotations: Object.fromEntries(Object.entries(annotations).map(([key, value]) => [`mayfly.dev/${key}`, value])),
    },
    spec: {
      project: 'default',
      destination: { name: 'default', namespace: 'preview-a' },
      source: { repoURL: 'https://x/y.git', targetRevision: 'a'.repeat(40) },
    },
  };
}

const url = 'https://a.preview.example.com/shop/';
const read = (annotations: Record<string, string>) => probeRequestOf(application(annotations), () => true);

test('what the file asks for, with defaults', () => {
  expect(read({ url })).toBeNull();
  expect(read({ url, probe: '{}' })).toMatchObject({ expect: 200, withinMs: 180_000 });
  const probe = JSON.stringify({ path: '/healthz?deep=1', expect: 204, within: '90s' });
  const request = read({ url, probe });
  expect(request).toMatchObject({ expect: 204, withinMs: 90_000 });
  expect(String((request as { url: URL }).url)).toBe('https://a.preview.example.com/healthz?deep=1');
});

test('a day of patience is an hour', () => {
  expect(read({ url, probe: '{"within":"1d"}' })).toMatchObject({ withinMs: 3_600_000 });
});

test.each([
  ['no JSON', { url, probe: 'yes' }, 'not of the form'],
  ['another host behind slashes', { url, probe: '{"path":"//evil.example.com/"}' }, 'another host'],
  ['a backslash', { url, probe: '{"path":"/\\\\evil.example.com/"}' }, 'another host'],
  ['a whole URL as the path', { url, probe: '{"path":"https://evil.example.com"}' }, 'not of the form'],
  ['a line break in the path', { url, probe: '{"path":"/a\\r\\nHost: b"}' }, 'not of the form'],
  ['a user name in the URL', { url: 'https://a:b@x.example.com', probe: '{}' }, 'user name'],
  ['no URL', { probe: '{}' }, 'no mayfly.dev/url'],
  ['a status that is none', { url, probe: '{"expect":20}' }, 'not of the form'],
  ['no duration', { url, probe: '{"within":"soon"}' }, 'not of the form'],
])('%s is refused in words', (_, annotations, words) => {
  expect(read(annotations)).toContain(words);
});

test('a host that the agent’s configuration does not name is not asked', () => {
  expect(probeRequestOf(application({ url, probe: '{}' }), () => false)).toContain('not among `hosts`');
});
