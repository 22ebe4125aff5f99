import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { type GitServer, startGitServer } from '../../src/sandbox/git-server.js';
import { openTestCluster, type TestCluster } from '../support/cluster.js';
import { createPerson, temporaryFolder } from '../support/git-client.js';
import { runProgram } from '../support/program.js';
import { helmPath, kustomizePath } from '../support/renderer-programs.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let server: GitServer;
let sha: string;
let cluster: TestCluster;
const ends: (() => Promise<void>)[] = [];

const map = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {answer: "yes"}\n`;

beforeAll(async () => {
  folder = await temporaryFolder('build');
  const repositories = await temporaryFolder('repositories');
  server = await startGitServer({ root: repositories.path });
  await server.create('acme/shop');
  const shop = await createPerson(server.repositoryUrl('acme/shop'));
  await shop.write('deploy/a.yaml', map('fetched'));
  await shop.write('role/a.yaml', 'apiVersion: v1\nkind: Namespace\nmetadata: {name: more}\n');
  await shop.write('typo/a.yaml', 'apiVersion: apps/v1\nkind: Deploymentt\nmetadata: {name: a}\n');
  sha = await shop.push('main', 'manifests');
  cluster = await openTestCluster();
  ends.push(cluster.close, shop.remove, () => server.close(), repositories.remove, folder.remove);
});

afterAll(async () => {
  for (const end of ends) await end();
});

async function write(path: string, text: string): Promise<string> {
  const file = join(folder.path, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
  return file;
}

function application(name: string, source: Record<string, unknown>): Promise<string> {
  return write(
    `${name}.yml`,
    JSON.stringify({
      apiVersion: 'argoproj.io/v1alpha1',
      kind: 'Application',
      metadata: { name },
      spec: {
        project: 'default',
        destination: { name: 'default', namespace: `preview-${name}` },
        source: { repoURL: server.repositoryUrl('acme/shop'), targetRevision: sha, path: 'deploy', ...source },
      },
    }),
  );
}

test('prints what is in the repository at the revision, in YAML that means the same to every reader', async () => {
  const { code, output } = await runProgram(['build', await application('shop-1', {})]);
  expect({ code, output }).toMatchObject({ code: 0 });
  const documents = parseAllDocuments(output).map((document) => document.toJS());
  expect(documents).toEqual([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fetched' }, data: { answer: 'yes' } },
  ]);
  expect(output).toContain('"yes"');
});

test('prints a List as JSON, and reads a work tree where it is told to', async () => {
  await write('tree/deploy/a.yaml', map('local'));
  const args = ['build', await application('shop-2', {}), '--local', join(folder.path, 'tree'), '--output', 'json'];
  const { code, output } = await runProgram(args);
  expect(code).toBe(0);
  expect(JSON.parse(output)).toMatchObject({ kind: 'List', items: [{ metadata: { name: 'local' } }] });
});

test.each([
  ['what the fence refuses', { path: 'role' }, 'Namespace/more'],
  ['a kind that there is not', { path: 'typo' }, 'Deploymentt'],
  ['a folder that is not there', { path: 'nowhere' }, 'nowhere'],
  ['a key that is not supported', { plugin: {} }, 'spec.source.plugin'],
])('%s is refused with its reason', async (_, source, word) => {
  const { code, output } = await runProgram(['build', await application('shop-3', source)]);
  expect(code).toBe(1);
  expect(output).toContain(word);
});

test('a work tree’s link out of it is not followed', async () => {
  await write('outside.yaml', map('outside'));
  await mkdir(join(folder.path, 'linked/deploy'), { recursive: true });
  await symlink('../../outside.yaml', join(folder.path, 'linked/deploy/a.yaml'));
  const args = ['build', await application('shop-4', {}), '--local', join(folder.path, 'linked')];
  const { code, output } = await runProgram(args);
  expect(code).toBe(1);
  expect(output).toContain('symbolic link');
});

test('with an agent’s configuration its list of repositories and its programs hold', async () => {
  const config = (repositories: string) =>
    `name: default\nbranch: {repository: https://gitlab.example.com/x/y.git}\nrepositories: ["${repositories}"]\nprograms: {kustomize: /nonexistent/kustomize}\n`;
  const file = await application('shop-5', {});
  const closed = await write('closed.yaml', config('https://gitlab.example.com/acme/*'));
  const refused = await runProgram(['build', file, '--config', closed]);
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('repositories in agent.yaml');
  const open = await write('open.yaml', config(`${server.url}/acme/*`));
  expect((await runProgram(['build', file, '--config', open])).code).toBe(0);
  await write('kustomized/deploy/kustomization.yaml', 'resources: [a.yaml]\n');
  await write('kustomized/deploy/a.yaml', map('a'));
  const lacking = await runProgram(['build', file, '--config', open, '--local', join(folder.path, 'kustomized')]);
  expect(lacking.code).toBe(1);
  expect(lacking.output).toContain('programs.kustomize');
});

test.skipIf(kustomizePath === null || helmPath === null)('finds kustomize and helm on the PATH', async () => {
  await write('both/kustomize/kustomization.yaml', 'resources: [a.yaml]\nnamePrefix: p-\n');
  await write('both/kustomize/a.yaml', map('a'));
  await write('both/helm/Chart.yaml', 'apiVersion: v2\nname: c\nversion: 1.0.0\n');
  await write(
    'both/helm/templates/a.yaml',
    map('{{ .Release.Name }}').replace('{name: ', '{name: "').replace('}}}', '}}"}'),
  );
  const PATH = [kustomizePath, helmPath].map((path) => dirname(path ?? '')).join(':');
  const names = [];
  for (const path of ['kustomize', 'helm']) {
    const file = await application('shop-6', { path });
    const { output } = await runProgram(['build', file, '--local', join(folder.path, 'both'), '-o', 'json'], {
      env: { PATH },
    });
    names.push(JSON.parse(output).items[0].metadata.name);
  }
  expect(names).toEqual(['p-a', 'shop-6']);
});

test('--diff says what applying it would change', async () => {
  const file = await application('shop-7', {});
  const { code, output } = await runProgram(['build', file, '--diff'], { env: { KUBECONFIG: cluster.kubeconfig } });
  expect(output).toBe('create    ConfigMap/fetched');
  expect(code).toBe(0);
});

test('a file that is not there, and wrong use', async () => {
  expect((await runProgram(['build', join(folder.path, 'nowhere.yml')])).output).toContain('ENOENT');
  expect((await runProgram(['build'])).code).toBe(2);
});
