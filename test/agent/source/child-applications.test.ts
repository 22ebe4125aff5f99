import { expect, test } from 'vitest';
import type { Manifest } from '../../../src/agent/manifest.js';
import { childApplications } from '../../../src/agent/source/child-applications.js';
import type { Application } from '../../../src/application/application.js';

const repoURL = 'https://gitlab.example.com/acme/shop.git';
const sha = 'a'.repeat(40);

const parent: Application = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop-1', annotations: { 'mayfly.dev/source-ref': 'refs/merge-requests/1/head' } },
  spec: {
    project: 'previews',
    destination: { name: 'default', namespace: 'preview-shop-1' },
    source: { repoURL, targetRevision: sha, path: 'apps' },
  },
};

interface Parts {
  name?: string;
  spec?: Record<string, unknown>;
  source?: Record<string, unknown>;
  destination?: Record<string, unknown>;
  annotations?: Record<string, string>;
}

function child({ name = 'api', spec = {}, source = {}, destination = {}, annotations = {} }: Parts = {}): Manifest {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name, annotations },
    spec: {
      project: 'previews',
      destination: { name: 'default', namespace: 'preview-shop-1', ...destination },
      source: { repoURL, path: 'api', ...source },
      ...spec,
    },
  };
}

test('a child is taken with its wave, at the revision of the repository that declares it', () => {
  const annotations = { 'argocd.argoproj.io/sync-wave': '3', 'mayfly.dev/asleep': 'true' };
  expect(childApplications(parent, [child({ annotations })])).toMatchObject([
    {
      wave: 3,
      application: {
        metadata: { name: 'api', annotations: { 'mayfly.dev/source-ref': 'refs/merge-requests/1/head' } },
        spec: { source: { targetRevision: sha, path: 'api' } },
      },
    },
  ]);
  const [{ application } = { application: parent }] = childApplications(parent, [child({ annotations })]);
  expect(application.metadata.annotations).not.toHaveProperty('mayfly.dev/asleep');
});

test('a child of another repository keeps its own revision, and takes no place of the preview’s', () => {
  const other = { repoURL: 'https://gitlab.example.com/acme/other.git', targetRevision: 'b'.repeat(40) };
  expect(childApplications(parent, [child({ source: other })])[0]?.application).toMatchObject({
    metadata: { annotations: {} },
    spec: { source: other },
  });
});

test.each([
  ['another project', { spec: { project: 'default' } }, 'spec.project'],
  ['another namespace', { destination: { namespace: 'kube-system' } }, 'spec.destination.namespace'],
  ['another cluster', { destination: { name: 'production' } }, 'spec.destination.name'],
  ['a server', { destination: { server: 'https://kubernetes.default.svc' } }, 'spec.destination.server'],
  ['several sources', { spec: { source: undefined, sources: [{}] } }, 'several sources'],
  ['a branch of another repository', { source: { repoURL: 'https://x/y', targetRevision: 'HEAD' } }, 'targetRevision'],
  ['a branch of its own', { source: { targetRevision: 'main' } }, 'targetRevision'],
  ['a range of versions', { source: { chart: 'a', path: undefined, targetRevision: '1.*' } }, 'not a range'],
  ['no source', { spec: { source: undefined } }, 'spec.source'],
  ['a wave that is no number', { annotations: { 'argocd.argoproj.io/sync-wave': 'first' } }, 'sync-wave'],
])('a child with %s is refused by name', (_, parts: Parts, word) => {
  const read = () => childApplications(parent, [child({ name: 'evil', ...parts })]);
  expect(read).toThrow(expect.objectContaining({ code: 'source-child', disposition: 'stall' }));
  expect(read).toThrow(word);
  expect(read).toThrow('evil');
});

test('too many children, and two of one name, are refused', () => {
  const many = Array.from({ length: 21 }, (_, index) => child({ name: `a${index}` }));
  expect(() => childApplications(parent, many)).toThrow('21 Applications');
  expect(() => childApplications(parent, [child(), child()])).toThrow('declared twice');
});
