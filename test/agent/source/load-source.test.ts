import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSourceLoader, type SourceLoader } from '../../../src/agent/source/load-source.js';
import { openSources, type Sources } from '../../../src/agent/sources.js';
import type { Application } from '../../../src/application/application.js';
import { type GitServer, startGitServer } from '../../../src/sandbox/git-server.js';
import { chartPackage, sha256 } from '../../charts/support/chart-package.js';
import { registryAnswers, startServer } from '../../charts/support/servers.js';
import { createPerson, type Person, temporaryFolder } from '../../support/git-client.js';
import { helmPath, kustomizePath } from '../../support/renderer-programs.js';

/** A Git server, an agent's sources, and the programs of this machine. */
let server: GitServer;
let shop: Person;
let sources: Sources;
let loader: SourceLoader;
let dataDir: string;
let sha: string;
const removals: (() => Promise<void>)[] = [];

const map = (name: string, data = '') =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {value: "${data}"}\n`;
const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:old"}]}
`;
const child = (name: string, source: string, rest = '', wave = '') => `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: ${name}${wave === '' ? '' : `, annotations: {argocd.argoproj.io/sync-wave: "${wave}"}`}}
spec:
  project: default
  destination: {name: default, namespace: preview-shop-1}
  source: ${source}
${rest}`;

const files: Record<string, string> = {
  'plain/a.yaml': map('a'),
  'base/kustomization.yaml': 'resources: [web.yaml]\n',
  'base/web.yaml': deployment,
  'overlay/kustomization.yaml':
    'resources: [../base]\nconfigMapGenerator: [{name: site, literals: [a=b]}]\ntransformers: ["{apiVersion: builtin, kind: AnnotationsTransformer, metadata: {name: x}, annotations: {made: here}, fieldSpecs: [{path: metadata/annotations, create: true}]}"]\n',
  'loop/kustomization.yaml': 'resources: [../loop]\n',
  'chart/Chart.yaml':
    'apiVersion: v2\nname: shop\nversion: 1.0.0\ndependencies: [{name: common, version: 0.1.0, repository: "file://../common"}]\n',
  'chart/values.yaml': 'colour: red\nlist: []\nnumber: 1\n',
  'chart/prod.yaml': 'colour: green\n',
  'shared.yaml': 'colour: blue\n',
  'chart/crds/thing.yaml':
    'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: things.example.com}\n',
  'chart/templates/map.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: "{{ .Release.Name }}"}\ndata: {colour: "{{ .Values.colour }}", namespace: "{{ .Release.Namespace }}", list: "{{ join "+" .Values.list }}", number: "{{ kindOf .Values.number }}", file: {{ .Values.file | default "" | quote }}}\n',
  'chart/templates/job.yaml':
    'apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: "pre-install,pre-upgrade"}}\nspec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}\n',
  'chart/templates/tests/test.yaml':
    'apiVersion: v1\nkind: Pod\nmetadata: {name: test, annotations: {helm.sh/hook: test}}\nspec: {containers: [{name: a, image: a}]}\n',
  'common/Chart.yaml': 'apiVersion: v2\nname: common\nversion: 0.1.0\n',
  'common/templates/map.yaml': map('common'),
  'broken-chart/Chart.yaml': 'apiVersion: v2\nname: broken\nversion: 1.0.0\n',
  'broken-chart/templates/a.yaml': '{{ fail "no colour was given" }}\n',
  'reading-chart/Chart.yaml': 'apiVersion: v2\nname: reading\nversion: 1.0.0\n',
  'reading-chart/templates/a.yaml':
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {host: {{ getHostByName "localhost" | quote }}, passwd: {{ .Files.Get "/etc/passwd" | quote }}, up: {{ .Files.Get "../plain/a.yaml" | quote }}, pod: {{ lookup "v1" "Pod" "" "" | len | quote }}}\n',
  'remote-chart/Chart.yaml':
    'apiVersion: v2\nname: remote\nversion: 1.0.0\ndependencies: [{name: evil, version: 1.0.0, repository: "https://evil.example.com/charts"}]\n',
  'range-chart/Chart.yaml':
    'apiVersion: v2\nname: range\nversion: 1.0.0\ndependencies: [{name: a, version: "^1.0.0", repository: "http://127.0.0.1:1/acme/charts"}]\n',
  'schema-chart/Chart.yaml': 'apiVersion: v2\nname: schema\nversion: 1.0.0\n',
  'schema-chart/values.schema.json': '{"$ref": "http://127.0.0.1:1/metrics"}',
  'remote-base/kustomization.yaml': 'resources: [https://github.com/acme/base]\n',
  'overridden/.argocd-source.yaml': 'kustomize: {namePrefix: a-}\n',
};

beforeAll(async () => {
  const repositories = await temporaryFolder('repositories');
  const data = await temporaryFolder('sources');
  dataDir = data.path;
  server = await startGitServer({ root: repositories.path });
  await server.create('acme/shop');
  shop = await createPerson(server.repositoryUrl('acme/shop'));
  for (const [path, text] of Object.entries(files)) await shop.write(path, text);
  await shop.write(
    'children/apps.yaml',
    [
      child('api', `{repoURL: "${server.repositoryUrl('acme/shop')}", targetRevision: HEAD, path: plain}`, '', '-2'),
      child('web', `{repoURL: "${server.repositoryUrl('acme/shop')}", path: overlay}`),
      map('own'),
    ].join('---\n'),
  );
  await shop.write(
    'nested/apps.yaml',
    child('one', `{repoURL: "${server.repositoryUrl('acme/shop')}", path: children}`),
  );
  sha = await shop.push('main', 'manifests');
  sources = await open();
  loader = loaderOf(sources);
  removals.push(sources.close, shop.remove, () => server.close(), repositories.remove, data.remove);
});

afterAll(async () => {
  for (const remove of removals) await remove();
});

function open(programs: { kustomize?: string; helm?: string } = found()): Promise<Sources> {
  const options = { repositories: [{ pattern: `${server.url}/acme/*` }], dataDir, programs };
  return openSources(options, pino({ level: 'silent' }));
}

function found(): { kustomize?: string; helm?: string } {
  return {
    ...(kustomizePath === null ? {} : { kustomize: kustomizePath }),
    ...(helmPath === null ? {} : { helm: helmPath }),
  };
}

function loaderOf(deps: Sources): SourceLoader {
  return createSourceLoader(deps, { allowed: [`${server.url}/acme/*`], timeoutMs: 60_000 });
}

function application(source: Record<string, unknown>): Application {
  return {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'shop-1', annotations: {} },
    spec: {
      project: 'default',
      destination: { name: 'default', namespace: 'preview-shop-1' },
      source: { repoURL: server.repositoryUrl('acme/shop'), targetRevision: sha, ...source },
    },
  };
}

async function load(source: Record<string, unknown>) {
  const bundles = await loader.load(application(source), new AbortController().signal);
  return bundles.flatMap(({ manifests }) => manifests);
}

describe.skipIf(kustomizePath === null)('Kustomize', () => {
  test('builds an overlay with what the Application adds', async () => {
    const manifests = await load({
      path: 'overlay',
      kustomize: {
        namePrefix: 'p-',
        images: ['web=registry.example.com/web:new'],
        replicas: [{ name: 'web', count: 3 }],
        commonLabels: { team: 'shop' },
        patches: [
          {
            target: { kind: 'Deployment' },
            patch: '[{"op": "add", "path": "/spec/template/spec/hostname", "value": "here"}]',
          },
        ],
      },
    });
    const found = manifests.find(({ kind }) => kind === 'Deployment');
    expect(found).toMatchObject({
      metadata: { name: 'p-web', labels: { team: 'shop' }, annotations: { made: 'here' } },
      spec: {
        replicas: 3,
        selector: { matchLabels: { app: 'web', team: 'shop' } },
        template: { spec: { hostname: 'here', containers: [{ image: 'registry.example.com/web:new' }] } },
      },
    });
    expect(manifests.find(({ kind }) => kind === 'ConfigMap')?.metadata.name).toMatch(/^p-site-/);
  });

  test('says what Kustomize said, without a path of this machine', async () => {
    const failure = await load({ path: 'loop' }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'source-render-failed', disposition: 'stall' });
    expect(String(failure)).toContain('cycle');
    expect(String(failure)).not.toContain(dataDir);
  });

  test('a remote base is refused', async () => {
    await expect(load({ path: 'remote-base' })).rejects.toMatchObject({ code: 'source-remote' });
  });
});

describe.skipIf(helmPath === null)('Helm', () => {
  test('renders a chart of the repository, its dependencies, hooks and definitions, and not its tests', async () => {
    const manifests = await load({ path: 'chart' });
    expect(manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual([
      'ConfigMap/common',
      'ConfigMap/shop-1',
      'CustomResourceDefinition/things.example.com',
      'Job/migrate',
    ]);
    expect(manifests.find(({ kind }) => kind === 'Job')?.metadata.annotations).toEqual({
      'helm.sh/hook': 'pre-install,pre-upgrade',
    });
    expect(manifests.find(({ metadata }) => metadata.name === 'shop-1')?.data).toMatchObject({
      colour: 'red',
      namespace: 'preview-shop-1',
    });
  });

  test.each([
    ['a file of the chart', { valueFiles: ['prod.yaml'] }, { colour: 'green' }],
    ['a file beside the chart', { valueFiles: ['prod.yaml', '../shared.yaml'] }, { colour: 'blue' }],
    ['a file from the root', { valueFiles: ['/shared.yaml'] }, { colour: 'blue' }],
    ['a missing file that may miss', { valueFiles: ['x.yaml'], ignoreMissingValueFiles: true }, { colour: 'red' }],
    ['text over files', { valueFiles: ['prod.yaml'], values: 'colour: black\n' }, { colour: 'black' }],
    ['an object over text', { values: 'colour: black\n', valuesObject: { colour: 'white' } }, { colour: 'white' }],
    [
      'parameters over all',
      { valuesObject: { colour: 'white' }, parameters: [{ name: 'colour', value: 'a,b=c' }] },
      { colour: 'a,b=c' },
    ],
    ['a list as a parameter', { parameters: [{ name: 'list', value: '{x,y}' }] }, { list: 'x+y' }],
    ['a number as a parameter', { parameters: [{ name: 'number', value: '7' }] }, { number: 'int64' }],
    [
      'a string as a parameter',
      { parameters: [{ name: 'number', value: '7', forceString: true }] },
      { number: 'string' },
    ],
    [
      'a file as a parameter',
      { fileParameters: [{ name: 'file', path: '../shared.yaml' }] },
      { file: 'colour: blue\n' },
    ],
  ])('%s', async (_, helm, expected) => {
    const manifests = await load({ path: 'chart', helm: { releaseName: 'r', skipCrds: true, ...helm } });
    expect(manifests.map(({ kind }) => kind)).not.toContain('CustomResourceDefinition');
    expect(manifests.find(({ metadata }) => metadata.name === 'r')?.data).toMatchObject(expected);
  });

  test('renders a chart of a repository of charts and one of a registry, and what a chart of Git depends on', async () => {
    const content = chartPackage('front', '1.2.3');
    const charts = await startServer({
      '/acme/charts/index.yaml': {
        body: `entries:\n  front:\n  - version: 1.2.3\n    urls: [front.tgz]\n    digest: ${sha256(content)}\n`,
      },
      '/acme/charts/front.tgz': { body: content },
    });
    const registry = await startServer(registryAnswers({ name: 'acme/front', tag: '1.2.3', content }));
    await shop.write(
      'umbrella/Chart.yaml',
      `apiVersion: v2\nname: umbrella\nversion: 1.0.0\ndependencies: [{name: front, version: "^1.0.0", repository: "${charts.url}/acme/charts"}]\n`,
    );
    await shop.write(
      'umbrella/Chart.lock',
      `dependencies: [{name: front, version: 1.2.3, repository: "${charts.url}/acme/charts"}]\n`,
    );
    await shop.write('umbrella/values.yaml', 'front: {colour: green}\n');
    await shop.write(
      'vendored/Chart.yaml',
      'apiVersion: v2\nname: vendored\nversion: 1.0.0\ndependencies: [{name: front, version: 1.2.3}]\n',
    );
    await mkdir(join(shop.folder, 'vendored/charts'), { recursive: true });
    await writeFile(join(shop.folder, 'vendored/charts/front-1.2.3.tgz'), content);
    const commit = await shop.push('main', 'umbrella');
    const allowed = [`${server.url}/acme/*`, `${charts.url}/acme/*`, `oci://${registry.host}/acme/*`];
    const data = await temporaryFolder('charts');
    const opened = await openSources(
      { repositories: allowed.map((pattern) => ({ pattern })), dataDir: data.path, programs: found() },
      pino({ level: 'silent' }),
    );
    const wide = createSourceLoader(opened, { allowed, timeoutMs: 60_000 });
    const chart = { chart: 'front', targetRevision: '1.2.3', helm: { valuesObject: { colour: 'blue' } } };
    const colours = [];
    for (const source of [
      { repoURL: `${charts.url}/acme/charts`, ...chart },
      { repoURL: `oci://${registry.host}/acme`, ...chart },
      { repoURL: `${registry.host}/acme`, ...chart, helm: { valueFiles: ['values.yaml'] } },
      { path: 'umbrella', targetRevision: commit },
      { path: 'vendored', targetRevision: commit, helm: { parameters: [{ name: 'front.colour', value: 'black' }] } },
    ]) {
      const [bundle] = await wide.load(application(source), new AbortController().signal);
      colours.push(bundle?.manifests.map(({ data }) => data));
    }
    expect(colours).toEqual([
      [{ colour: 'blue' }],
      [{ colour: 'blue' }],
      [{ colour: 'red' }],
      [{ colour: 'green' }],
      [{ colour: 'black' }],
    ]);
    for (const end of [opened.close, charts.close, registry.close, data.remove]) await end();
  });

  test('a chart reads nothing outside of itself: no file, no host, no cluster', async () => {
    const [found] = await load({ path: 'reading-chart' });
    expect(found?.data).toEqual({ host: '', passwd: '', up: '', pod: '0' });
  });

  test.each([
    ['a chart that fails', { path: 'broken-chart' }, 'source-render-failed', 'no colour was given'],
    ['a dependency elsewhere', { path: 'remote-chart' }, 'source-refused', 'evil.example.com'],
    ['a schema that Helm would fetch', { path: 'schema-chart' }, 'source-remote', '127.0.0.1:1/metrics'],
    ['a range without a lock', { path: 'range-chart' }, 'source-unsupported', '^1.0.0'],
    [
      'a file of values out of the repository',
      { path: 'chart', helm: { valueFiles: ['../../x'] } },
      'source-path-missing',
      'leaves',
    ],
    [
      'a file of values from a URL',
      { path: 'chart', helm: { valueFiles: ['https://x/y'] } },
      'source-unsupported',
      'https://x/y',
    ],
    [
      'a file of values that is not there',
      { path: 'chart', helm: { valueFiles: ['x.yaml'] } },
      'source-path-missing',
      'x.yaml',
    ],
    ['Argo CD’s overrides', { path: 'overridden' }, 'source-unsupported', '.argocd-source.yaml'],
  ])('%s is refused', async (_, source, code, word) => {
    await expect(load(source)).rejects.toMatchObject({ code, disposition: 'stall' });
    await expect(load(source)).rejects.toThrow(word);
  });
});

describe.skipIf(kustomizePath === null)('an Application of Applications', () => {
  test('yields its own manifests and each child’s, at the revision of the repository that declares it', async () => {
    const bundles = await loader.load(application({ path: 'children' }), new AbortController().signal);
    expect(
      bundles.map(({ child: name, wave, manifests }) => [name, wave, manifests.map(({ kind }) => kind).sort()]),
    ).toEqual([
      [null, 0, ['ConfigMap']],
      ['api', -2, ['ConfigMap']],
      ['web', 0, ['ConfigMap', 'Deployment']],
    ]);
    expect(bundles[1]?.spec.source).toMatchObject({ path: 'plain', targetRevision: sha });
  });

  test('an Application two deep is refused by name', async () => {
    await expect(load({ path: 'nested' })).rejects.toMatchObject({ code: 'source-child' });
    await expect(load({ path: 'nested' })).rejects.toThrow('one too deep');
  });
});

test('a program that is absent is named, with how to configure it', async () => {
  const without = await open({ kustomize: '/nonexistent/kustomize', helm: '/nonexistent/helm' });
  const lacking = loaderOf(without);
  for (const [program, source] of [
    ['kustomize', { path: 'base' }],
    ['helm', { path: 'common' }],
  ] as const) {
    await expect(lacking.load(application(source), new AbortController().signal)).rejects.toMatchObject({
      code: 'source-program-missing',
      disposition: 'stall',
      publicMessage: expect.stringContaining(`programs.${program}`),
    });
  }
  expect(await lacking.load(application({ path: 'plain' }), new AbortController().signal)).toHaveLength(1);
  await without.close();
});

test('what was made is kept across a restart, and needs no repository any more', async () => {
  const first = await load({ path: 'plain' });
  const again = await open();
  const offline = createSourceLoader(
    {
      ...again,
      open: () => Promise.reject(new Error('the repository is away')),
    },
    { allowed: [`${server.url}/acme/*`], timeoutMs: 60_000 },
  );
  const signal = new AbortController().signal;
  expect((await offline.load(application({ path: 'plain' }), signal))[0]?.manifests).toEqual(first);
  // Another setting is another source.
  const other = application({ path: 'plain', directory: { include: '*' } });
  await expect(offline.load(other, signal)).rejects.toThrow('away');
  await again.close();
});

test('however many sources are asked for, two at once are held in memory', async () => {
  const data = await temporaryFolder('turns');
  const options = { repositories: [{ pattern: `${server.url}/acme/*` }], dataDir: data.path, programs: found() };
  const opened = await openSources(options, pino({ level: 'silent' }));
  let fetched = 0;
  let reading = 0;
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const counting = {
    ...opened,
    open: async (repository: string) => {
      const mirror = await opened.open(repository);
      let entered = false;
      return {
        ...mirror,
        fetchSha: async (...input: Parameters<typeof mirror.fetchSha>) => {
          await mirror.fetchSha(...input);
          fetched += 1;
          // All of them could come in now; those that may have done so before any goes on.
          if (fetched === 5) setImmediate(release);
        },
        readTree: async (...input: Parameters<typeof mirror.readTree>) => {
          if (!entered) reading += 1;
          entered = true;
          await released;
          return mirror.readTree(...input);
        },
      };
    },
  };
  const loading = loaderOf(counting);
  const signal = new AbortController().signal;
  const sourcesOf = ['a', 'b', 'c', 'd', 'e'].map((include) =>
    application({ path: 'plain', directory: { include: `{${include},a}.yaml` } }),
  );
  const loads = Promise.all(sourcesOf.map((each) => loading.load(each, signal)));
  await released;
  const atOnce = reading;
  const loaded = await loads;
  expect(loaded.map(([bundle]) => bundle?.manifests.length)).toEqual([1, 1, 1, 1, 1]);
  expect(atOnce).toBe(2);
  expect(reading).toBe(5);
  await opened.close();
  await data.remove();
});

test('previews of one source share what was made of it, but for a chart', async () => {
  const data = await temporaryFolder('shared');
  const options = { repositories: [{ pattern: `${server.url}/acme/*` }], dataDir: data.path, programs: found() };
  const opened = await openSources(options, pino({ level: 'silent' }));
  const made: string[] = [];
  const counting = {
    ...opened,
    remember: async (key: string, manifests: Parameters<Sources['remember']>[1]) => {
      made.push(manifests.map(({ metadata }) => metadata.name).join());
      await opened.remember(key, manifests);
    },
    helm: async ({ releaseName }: { releaseName: string }) => map(releaseName),
  };
  const loading = loaderOf(counting);
  for (const path of ['plain', 'common']) {
    for (const name of ['one', 'two', 'one']) {
      const wanted = application({ path });
      await loading.load({ ...wanted, metadata: { ...wanted.metadata, name } }, new AbortController().signal);
    }
  }
  expect(made).toEqual(['a', 'one', 'two']);
  for (const end of [opened.close, data.remove]) await end();
});

test('nothing of a run stays on disk', async () => {
  const left = await readdir(join(dataDir, 'work')).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  expect(left).toEqual([]);
});
