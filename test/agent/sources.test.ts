import { afterAll, beforeAll, expect, test } from 'vitest';
import { helmPath, kustomizePath } from '../support/renderer-programs.js';
import { eventually } from './support/eventually.js';
import { createWorld, type World } from './support/world.js';

let world: World;

beforeAll(async () => {
  world = await createWorld({
    programs: {
      ...(kustomizePath === null ? {} : { kustomize: kustomizePath }),
      helm: helmPath ?? '/nonexistent/helm',
    },
  });
  await world.start();
});

afterAll(() => world.close());

const map = (name: string, colour = 'red') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {colour: ${colour}}\n`;

test.skipIf(kustomizePath === null)('a kustomization is applied with what the Application adds', async () => {
  const sha = await world.pushManifests({
    'kustomize/kustomization.yaml': 'resources: [a.yaml]\n',
    'kustomize/a.yaml': map('a'),
  });
  const file = { slug: 'kust', sha, path: 'kustomize', source: { kustomize: { namePrefix: 'p-' } } };
  await world.publish({ files: [file] });
  await world.waitForState('kust', 'healthy', { revision: world.revision(file) });
  expect((await world.find('kust', 'v1', 'ConfigMap', 'p-a'))?.data).toEqual({ colour: 'red' });
});

test.skipIf(helmPath === null)('a chart is applied as a release of the preview’s name', async () => {
  const sha = await world.pushManifests({
    'chart/Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'chart/values.yaml': 'colour: red\n',
    'chart/templates/a.yaml':
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}-{{ .Release.Namespace }}"}\ndata: {colour: "{{ .Values.colour }}"}\n',
  });
  const source = { helm: { valuesObject: { colour: 'blue' } } };
  const file = { slug: 'helmed', sha, path: 'chart', source };
  await world.publish({ files: [file] });
  await world.waitForState('helmed', 'healthy', { revision: world.revision(file) });
  const name = `helmed-${world.namespaceOf('helmed')}`;
  expect((await world.find('helmed', 'v1', 'ConfigMap', name))?.data).toEqual({ colour: 'blue' });
});

test('children are applied with the preview, and pruned with what declared them', async () => {
  const child = (name: string, rest = '') => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}}
spec:
  project: default
  destination: {name: ${world.options.name}, namespace: ${world.namespaceOf('parent')}}
  source: {repoURL: "${world.shopUrl}", targetRevision: HEAD, path: ${name}}
${rest}`;
  const files = { 'one/a.yaml': map('one'), 'two/a.yaml': map('two'), 'parent/own.yaml': map('own') };
  const both = await world.pushManifests({ ...files, 'parent/apps.yaml': `${child('one')}---\n${child('two')}` });
  const file = { slug: 'parent', sha: both, path: 'parent' };
  await world.publish({ files: [file] });
  await world.waitForState('parent', 'healthy', { revision: world.revision(file) });
  for (const name of ['own', 'one', 'two']) {
    expect(await world.find('parent', 'v1', 'ConfigMap', name), name).not.toBeNull();
  }
  const one = await world.pushManifests({ 'parent/apps.yaml': child('one') });
  await world.publish({ files: [{ ...file, sha: one }] });
  await eventually('the second child is gone', async () => {
    return (await world.find('parent', 'v1', 'ConfigMap', 'two')) === null;
  });
  expect(await world.find('parent', 'v1', 'ConfigMap', 'one')).not.toBeNull();
});

test('what cannot be made is refused, with the cause and what to do, and holds up no other', async () => {
  const sha = await world.pushManifests({
    'remote/kustomization.yaml': 'resources: ["https://github.com/acme/base"]\n',
    'fine/a.yaml': map('fine'),
    'foreign/app.yaml':
      'apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: thief}\nspec: {project: default, destination: {name: other, namespace: kube-system}, source: {}}\n',
    'role/Chart.yaml': 'apiVersion: v2\nname: c\nversion: 1.0.0\n',
    'role/templates/a.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {name: more}\n',
  });
  await world.publish({
    files: [
      { slug: 'bad-remote', sha, path: 'remote' },
      { slug: 'bad-child', sha, path: 'foreign' },
      { slug: 'bad-key', sha, source: { plugin: { name: 'x' } } },
      { slug: 'bad-chart', sha, path: 'role' },
      { slug: 'fine', sha, path: 'fine' },
    ],
  });
  await world.waitForState('fine', 'healthy');
  const told = [
    ['bad-remote', 'source', 'github.com/acme/base'],
    ['bad-child', 'source', 'thief'],
    ['bad-key', 'source', 'spec.source.plugin'],
    // Without Helm it is the program that is named.
    ['bad-chart', helmPath === null ? 'source' : 'fence', helmPath === null ? 'programs.helm' : 'Namespace/more'],
  ] as const;
  for (const [slug, cause, word] of told) {
    await world.waitForState(slug, 'refused');
    const diagnosis = world.manager.newest(slug)?.diagnosis;
    expect(diagnosis?.cause, slug).toBe(cause);
    expect(diagnosis?.sentence).toContain(word);
    expect(await world.namespace(slug)).toBeNull();
  }
});
