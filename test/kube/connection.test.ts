import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openConnection } from '../../src/kube/connection.js';
import { createKubeClient } from '../../src/kube/kube-client.js';
import { watchObjects } from '../../src/kube/watch.js';
import { eventually } from '../agent/support/eventually.js';
import { temporaryFolder } from '../support/git-client.js';

/** An API server of a few scripted answers, to see how the client takes what a real one seldom does. */
let server: Server;
let folder: { path: string; remove: () => Promise<void> };
let answers: ((request: { url: string; authorization: string | undefined }) => {
  status: number;
  body?: unknown;
  hang?: boolean;
  stream?: string[];
})[];
let seen: { url: string; authorization: string | undefined }[];

beforeEach(async () => {
  answers = [];
  seen = [];
  server = createServer((request, response) => {
    const call = { url: request.url ?? '', authorization: request.headers.authorization };
    if (call.url === '/api/v1') {
      const resources = [{ name: 'configmaps', kind: 'ConfigMap', namespaced: true, verbs: ['get'] }];
      return void response.end(JSON.stringify({ resources }));
    }
    seen.push(call);
    const { status, body, hang, stream } = answers.shift()?.(call) ?? { status: 500 };
    if (hang) return;
    response.writeHead(status, { 'content-type': 'application/json' });
    if (stream === undefined) return void response.end(body === undefined ? '' : JSON.stringify(body));
    for (const line of stream) response.write(line);
    // The connection breaks: no orderly end.
    setTimeout(() => response.destroy(), 50);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  folder = await temporaryFolder('kube');
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await folder.remove();
});

async function open(user: string, address?: string) {
  const path = join(folder.path, 'config');
  const url = address ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await writeFile(
    path,
    `apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "${url}"}}]
users: [{name: u, user: ${user}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
`,
  );
  return openConnection({ kubeconfig: { path } });
}

const configMap = { metadata: { name: 'a', resourceVersion: '5' } };
const reference = { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace: 'n' };

test('a token file is read again when the API server no longer takes the token', async () => {
  const tokenFile = join(folder.path, 'token');
  await writeFile(tokenFile, 'old');
  const connection = await open(`{auth-provider: {name: tokenFile, config: {tokenFile: ${tokenFile}}}}`);
  const client = createKubeClient(connection);
  answers = [() => ({ status: 200, body: configMap })];
  await client.get(reference);
  await writeFile(tokenFile, 'new');
  answers = [() => ({ status: 401 }), () => ({ status: 200, body: configMap })];
  await client.get(reference);
  answers = [() => ({ status: 401 }), () => ({ status: 401 })];
  await expect(client.get(reference)).rejects.toMatchObject({ code: 'kube-unauthorized', disposition: 'stall' });
  const tokens = seen.map(({ authorization }) => authorization?.replace('Bearer ', ''));
  expect(tokens).toEqual(['old', 'old', 'new', 'new', 'new']);
  await connection.close();
});

test('no answer, a broken one and an overloaded server are all to be tried again', async () => {
  const connection = await open('{token: t}');
  const client = createKubeClient(connection);
  answers = [() => ({ status: 429, body: { kind: 'Status', reason: 'TooManyRequests', message: 'slow down' } })];
  await expect(client.get(reference)).rejects.toMatchObject({ code: 'kube-throttled', disposition: 'retry' });
  answers = [() => ({ status: 503, body: { kind: 'Status', message: 'etcd is away' } })];
  await expect(client.get(reference)).rejects.toMatchObject({ code: 'kube-unavailable', disposition: 'retry' });
  answers = [() => ({ status: 200, stream: ['{"metadata": {"na'] })];
  await expect(client.get(reference)).rejects.toMatchObject({ code: 'kube-unavailable' });
  answers = [() => ({ status: 200, hang: true })];
  const call = connection.send({ method: 'GET', path: '/api/v1/namespaces/n/configmaps/a', timeoutMs: 50 });
  await expect(call).rejects.toMatchObject({ code: 'kube-unavailable', data: { words: 'no answer within 50 ms' } });
  await connection.close();
});

test('a token never goes to another machine without TLS', async () => {
  await expect(open('{token: t}', 'http://10.0.0.1:8080')).rejects.toMatchObject({ code: 'kube-config' });
  await expect(openConnection({ kubeconfig: { path: '/nowhere/config' } })).rejects.toMatchObject({
    code: 'kube-config',
  });
  await expect(openConnection({})).rejects.toMatchObject({ code: 'kube-config' });
});

test('a watch goes on after a reset where it was, and lists again after 410', async () => {
  const connection = await open('{token: t}');
  const list = (resourceVersion: string, names: string[]) => ({
    status: 200,
    body: { metadata: { resourceVersion }, items: names.map((name) => ({ metadata: { name, resourceVersion } })) },
  });
  const event = (type: string, name: string, resourceVersion: string) =>
    `${JSON.stringify({ type, object: { metadata: { name, resourceVersion } } })}\n`;
  const gone = `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`;
  const told: string[] = [];
  const control = new AbortController();
  answers = [
    () => list('10', ['a']),
    // Cut in the middle of a line, and a reset at the end.
    () => ({ status: 200, stream: [event('ADDED', 'b', '11').slice(0, 20), event('ADDED', 'b', '11').slice(20)] }),
    () => ({ status: 200, stream: [event('BOOKMARK', '', '15')] }),
    () => ({ status: 200, stream: [gone] }),
    () => list('20', ['b']),
    () => ({ status: 200, stream: [event('DELETED', 'b', '21')] }),
    () => ({ status: 200, hang: true }),
  ];
  const watching = watchObjects(
    createKubeClient(connection),
    { apiVersion: 'v1', kind: 'ConfigMap', namespace: null },
    {
      replaced: (objects, version) => void told.push(`${version}: ${objects.map(({ metadata }) => metadata.name)}`),
      changed: ({ metadata }) => void told.push(`+${metadata.name}`),
      deleted: ({ metadata }) => void told.push(`-${metadata.name}`),
    },
    control.signal,
  );
  await eventually('the deletion', () => told.includes('-b'));
  expect(told).toEqual(['10: a', '+b', '20: b', '-b']);
  const positions = seen.map(({ url }) => new URL(url, 'http://x').searchParams.get('resourceVersion'));
  expect(positions.slice(0, 6)).toEqual([null, '10', '11', '15', null, '20']);
  control.abort();
  await watching;
  await connection.close();
});
