import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createSocketServer, type Server as SocketServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sendProbe } from '../../../src/agent/probe/send-probe.js';
import { createCertificate } from '../../../src/sandbox/cluster/certificate.js';

const signal = new AbortController().signal;
const here = { allowLoopback: true };
let site: Server;
let asked: { url: string | undefined; headers: NodeJS.Dict<string | string[]> }[];

beforeAll(async () => {
  asked = [];
  site = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    if (request.url === '/moved') response.writeHead(302, { location: '/ok' }).end();
    else if (request.url === '/long') response.writeHead(200).write('x'.repeat(100_000));
    else if (request.url === '/head') response.writeHead(200, { 'x-long': 'x'.repeat(40_000) }).end();
    else if (request.url !== '/never') response.writeHead(request.url === '/ok' ? 200 : 503).end();
  });
  await listen(site);
});

afterAll(() => {
  site.closeAllConnections();
  site.close();
});

function listen(server: Server | SocketServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function at(
  path: string,
  { host = 'shop.localhost', server = site as Server | SocketServer, scheme = 'http' } = {},
): URL {
  return new URL(`${scheme}://${host}:${(server.address() as AddressInfo).port}${path}`);
}

const ask = (url: URL, expected = 200, settings: Parameters<typeof sendProbe>[0] = here) =>
  sendProbe(settings, { url, expect: expected, withinMs: 1_000 }, signal);

test('an answer as expected is no problem, another one is told', async () => {
  expect(await ask(at('/ok'))).toBeNull();
  expect(await ask(at('/down'))).toBe('answered 503; 200 is expected');
  expect(await ask(at('/down'), 503)).toBeNull();
});

test('no redirect is followed', async () => {
  const before = asked.length;
  expect(await ask(at('/moved'))).toContain('answered 302, a redirect, which is not followed');
  expect(await ask(at('/moved'), 302)).toBeNull();
  expect(asked.slice(before).map(({ url }) => url)).toEqual(['/moved', '/moved']);
});

test('no credential and no cookie is sent', async () => {
  await ask(at('/ok'));
  expect(Object.keys(asked.at(-1)?.headers ?? {}).sort()).toEqual(['accept', 'connection', 'host', 'user-agent']);
});

test('an endless answer is not read, and an endless head is refused', async () => {
  expect(await ask(at('/long'))).toBeNull();
  expect(await ask(at('/head'))).toContain('a head of more than 16 KiB');
});

test('a server that never answers costs one attempt’s time', async () => {
  expect(await ask(at('/never'), 200, { ...here, attemptMs: 200 })).toBe('did not answer within 0.2 s');
});

test('the agent’s own machine is contacted only where the configuration allows it', async () => {
  const before = asked.length;
  const refused = { allowLoopback: false };
  expect(await ask(at('/ok'), 200, refused)).toContain('may not be contacted');
  expect(await ask(at('/ok', { host: '127.0.0.1' }), 200, refused)).toContain('may not be contacted');
  expect(await ask(at('/ok', { host: '[::ffff:127.0.0.1]' }), 200, refused)).toContain('may not be contacted');
  expect(await ask(new URL('http://169.254.169.254/latest/meta-data/'))).toContain('may not be contacted');
  expect(asked.length).toBe(before);
});

test('who does not listen, is not known or speaks no HTTP is told apart', async () => {
  const gone = createServer();
  await listen(gone);
  const url = at('/', { server: gone });
  await new Promise((resolve) => gone.close(resolve));
  expect(await ask(url)).toBe('refuses connections (ECONNREFUSED)');
  expect(await ask(new URL('http://nobody.invalid/'))).toMatch(/a name that DNS (does not know|cannot look up now)/);

  const mute = createSocketServer((socket) => socket.end('220 mail.example.com ESMTP\r\n'));
  await listen(mute);
  expect(await ask(at('/', { server: mute }))).toMatch(/what is not HTTP|broke off/);
  mute.close();
});

test('a certificate that nobody vouches for is refused', async () => {
  const secure = createTlsServer(createCertificate(Date.now()), (_, response) => response.end());
  await listen(secure);
  expect(await ask(at('/', { server: secure, scheme: 'https' }))).toContain('no TLS certificate that is trusted');
  secure.closeAllConnections();
  secure.close();
});

test('what is stopped ends at once', async () => {
  const control = new AbortController();
  const pending = sendProbe(here, { url: at('/never'), expect: 200, withinMs: 1 }, control.signal);
  control.abort(new DOMException('stopped', 'AbortError'));
  await expect(pending).rejects.toThrow('stopped');
});
