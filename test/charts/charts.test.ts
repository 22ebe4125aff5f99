import { afterEach, describe, expect, test } from 'vitest';
import { credentialFor, type RepositoryEntry } from '../../src/agent/source/credential.js';
import { repositoryIsAllowed } from '../../src/application/repository.js';
import { type Charts, createCharts } from '../../src/charts/charts.js';
import { chartPackage, sha256 } from './support/chart-package.js';
import { type Answers, basic, registryAnswers, startServer, type TestServer, tokenAnswer } from './support/servers.js';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

async function server(answers: Answers): Promise<TestServer> {
  const started = await startServer(answers);
  ends.push(started.close);
  return started;
}

function charts(entries: RepositoryEntry[]): Charts {
  const opened = createCharts({
    credentialFor: (addresses) => credentialFor(addresses, entries),
    allows: (address) =>
      repositoryIsAllowed(
        address,
        entries.map(({ pattern }) => pattern),
      ),
  });
  ends.push(opened.close);
  return opened;
}

const signal = new AbortController().signal;
const content = chartPackage('shop', '1.2.3');
const index = (url: string, digest: string | null = sha256(content)) =>
  `apiVersion: v1\nentries:\n  other:\n  - {version: 1.2.3, urls: [x.tgz], digest: ${'0'.repeat(64)}}\n  shop:\n  - name: shop\n    version: 1.3.0\n    urls: [newer.tgz]\n  - name: shop\n    version: 1.2.3\n    urls:\n    - ${url}\n${digest === null ? '' : `    digest: ${digest}\n`}generated: "2026-01-01T00:00:00Z"\n`;
const names = (files: { path: string }[]) => files.map(({ path }) => path).sort();
const expected = ['Chart.yaml', 'templates/map.yaml', 'values.yaml'];

describe('a repository with an index', () => {
  const wanted = (repository: string, version = '1.2.3') => ({ repository, chart: 'shop', version, signal });

  test('gives the files of one version, once', async () => {
    const { url, heard } = await server({
      '/charts/index.yaml': { body: index('shop-1.2.3.tgz') },
      '/charts/shop-1.2.3.tgz': { body: content },
    });
    const source = charts([{ pattern: `${url}/*`, username: 'bot', token: 'secret' }]);
    expect(names(await source.fetch(wanted(`${url}/charts`)))).toEqual(expected);
    expect(names(await source.fetch(wanted(`${url}/charts`)))).toEqual(expected);
    expect(heard).toEqual([
      { path: '/charts/index.yaml', authorization: basic('bot', 'secret') },
      { path: '/charts/shop-1.2.3.tgz', authorization: basic('bot', 'secret') },
    ]);
  });

  test('a package elsewhere is fetched only where that is allowed, and without the credential', async () => {
    const elsewhere = await server({ '/files/shop.tgz': { body: content } });
    const { url } = await server({ '/index.yaml': { body: index(`${elsewhere.url}/files/shop.tgz`) } });
    const mine = { pattern: `${url}/*`, token: 'secret' };
    await expect(charts([mine]).fetch(wanted(url))).rejects.toMatchObject({ code: 'source-refused' });
    expect(elsewhere.heard).toEqual([]);
    const both = charts([mine, { pattern: `${elsewhere.url}/files/*` }]);
    expect(names(await both.fetch(wanted(url)))).toEqual(expected);
    expect(elsewhere.heard).toEqual([{ path: '/files/shop.tgz', authorization: null }]);
  });

  test('a package that is sent elsewhere is followed without the credential', async () => {
    const elsewhere = await server({ '/store/shop.tgz': { body: content } });
    const { url } = await server({
      '/index.yaml': { body: index('shop.tgz') },
      '/shop.tgz': { status: 302, headers: { location: `${elsewhere.url}/store/shop.tgz` } },
    });
    const source = charts([{ pattern: `${url}/*`, token: 'secret' }]);
    expect(names(await source.fetch(wanted(url)))).toEqual(expected);
    expect(elsewhere.heard).toEqual([{ path: '/store/shop.tgz', authorization: null }]);
  });

  test.each([
    [
      'an index that is sent elsewhere',
      { '/index.yaml': { status: 302, headers: { location: 'https://x/' } } },
      'source-refused',
      'stall',
    ],
    [
      'an endless redirect',
      { '/index.yaml': { body: index('a.tgz') }, '/a.tgz': { status: 302, headers: { location: '/a.tgz' } } },
      'source-refused',
      'stall',
    ],
    [
      'a redirect to another scheme',
      {
        '/index.yaml': { body: index('a.tgz') },
        '/a.tgz': { status: 302, headers: { location: 'file:///etc/passwd' } },
      },
      'source-refused',
      'stall',
    ],
    [
      'a redirect out of HTTPS',
      {
        '/index.yaml': { body: index('a.tgz') },
        '/a.tgz': { status: 302, headers: { location: 'http://192.0.2.1/a' } },
      },
      'source-refused',
      'stall',
    ],
    [
      'another package than the digest says',
      { '/index.yaml': { body: index('a.tgz') }, '/a.tgz': { body: chartPackage('evil', '1') } },
      'source-digest',
      'stall',
    ],
    [
      'an index without a digest',
      { '/index.yaml': { body: index('a.tgz', null) }, '/a.tgz': { body: content } },
      'source-chart-index',
      'stall',
    ],
    [
      'no such version',
      { '/index.yaml': { body: index('a.tgz').replaceAll('1.2.3', '9.9.9') } },
      'source-chart-missing',
      'stall',
    ],
    ['no such chart', { '/index.yaml': { body: 'entries: {}\n' } }, 'source-chart-missing', 'stall'],
    ['no index', {}, 'source-chart-missing', 'stall'],
    [
      'an index that is no YAML',
      { '/index.yaml': { body: index('a.tgz').replace('urls: [newer.tgz]', 'urls: [') } },
      'source-chart-index',
      'stall',
    ],
    [
      'an index that nests past any use',
      { '/index.yaml': { body: index('a.tgz').replace('urls: [newer.tgz]', `urls: ${'['.repeat(5_000)}`) } },
      'source-chart-index',
      'stall',
    ],
    ['a closed door', { '/index.yaml': { status: 401 } }, 'source-denied', 'stall'],
    ['a server in trouble', { '/index.yaml': { status: 503 } }, 'source-unreachable', 'retry'],
  ])('%s is told', async (_, answers: Answers, code, disposition) => {
    const { url } = await server(answers);
    const source = charts([{ pattern: `${url}/*`, token: 'secret' }]);
    await expect(source.fetch(wanted(url))).rejects.toMatchObject({ code, disposition });
  });

  test('an index of many charts is searched, not parsed', async () => {
    const other = (name: number) =>
      `  chart-${name}:\n${Array.from({ length: 200 }, (_, version) => `  - version: 1.${version}.0\n    shop:\n    - x\n    urls: [a.tgz]\n`).join('')}`;
    const large = index('shop.tgz').replace(
      '  shop:\n',
      `${Array.from({ length: 300 }, (_, name) => other(name)).join('')}  shop:\n`,
    );
    expect(large.length).toBeGreaterThan(2_500_000);
    const { url } = await server({ '/index.yaml': { body: large }, '/shop.tgz': { body: content } });
    expect(names(await charts([{ pattern: `${url}/*` }]).fetch(wanted(url)))).toEqual(expected);
  });
});

describe('a registry', () => {
  const chart = { chart: 'shop', version: '1.2.3+build.1', signal };
  const stored = { name: 'charts/shop', tag: '1.2.3_build.1', content };
  const login = { user: 'bot', password: 'secret', realm: '' };

  test('gives a chart to everybody where it does so', async () => {
    const { host } = await server(registryAnswers(stored));
    const source = charts([{ pattern: `oci://${host}/charts/*` }]);
    expect(names(await source.fetch({ ...chart, repository: `oci://${host}/charts` }))).toEqual(expected);
  });

  test('issues a token for the credential, and the blob’s store hears of neither', async () => {
    const store = await server({ '/blob': { body: content } });
    const answers: Answers = {};
    const { host, url, heard } = await server(answers);
    Object.assign(
      answers,
      registryAnswers({ ...stored, login: { ...login, realm: `${url}/token` }, redirectTo: `${store.url}/blob` }),
    );
    const source = charts([{ pattern: `oci://${host}/charts/*`, username: 'bot', token: 'secret' }]);
    expect(names(await source.fetch({ ...chart, repository: `oci://${host}/charts` }))).toEqual(expected);
    expect(store.heard).toEqual([{ path: '/blob', authorization: null }]);
    expect(heard.filter(({ authorization }) => authorization?.startsWith('Basic')).map(({ path }) => path)).toEqual([
      '/token?service=registry&scope=repository%3Acharts%2Fshop%3Apull',
    ]);
  });

  test('its credential goes to a realm elsewhere only when the operator names it', async () => {
    const issuer = await server({ '/jwt/auth': tokenAnswer(login) });
    const realm = `${issuer.url}/jwt/auth`;
    const { host } = await server(registryAnswers({ ...stored, login: { ...login, realm } }));
    const entry = { pattern: `oci://${host}/charts/*`, username: 'bot', token: 'secret' };
    const repository = `oci://${host}/charts`;
    await expect(charts([entry]).fetch({ ...chart, repository })).rejects.toMatchObject({ code: 'source-denied' });
    expect(issuer.heard).toEqual([]);
    expect(names(await charts([{ ...entry, realm }]).fetch({ ...chart, repository }))).toEqual(expected);
    expect(issuer.heard.map(({ authorization }) => authorization)).toEqual([basic('bot', 'secret')]);
  });

  test.each([
    ['another blob than its digest says', { ...stored, served: chartPackage('evil', '1') }, 'source-digest'],
    ['what is no chart', { ...stored, mediaType: 'application/vnd.oci.image.layer.v1.tar' }, 'source-chart-missing'],
    ['no such tag', { ...stored, tag: '9.9.9' }, 'source-chart-missing'],
    [
      'a login without a credential',
      { ...stored, login: { ...login, realm: 'http://192.0.2.1/token' } },
      'source-denied',
    ],
  ])('%s is told', async (_, options, code) => {
    const { host } = await server(registryAnswers(options));
    const source = charts([{ pattern: `oci://${host}/charts/*` }]);
    await expect(source.fetch({ ...chart, repository: `oci://${host}/charts` })).rejects.toMatchObject({ code });
  });
});
