import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;
/** What each host answers; a host that is not here is answered with 503. */
const answers = new Map<string, number>();
const asked: string[] = [];
const site = createServer((request, response) => {
  const host = request.headers.host?.split('.')[0] ?? '';
  asked.push(`${host}${request.url}`);
  response.writeHead(answers.get(host) ?? 503).end();
});

beforeAll(async () => {
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  world = await createWorld({ hosts: ['*.localhost'], probe: { allowLoopback: true } });
  await world.start();
});

afterAll(async () => {
  await world.close();
  site.closeAllConnections();
  site.close();
});

interface Deployed {
  host?: string;
  manifests?: string;
}

async function deploy(slug: string, probe: Record<string, unknown>, more: Deployed = {}): Promise<void> {
  const sha = await world.pushManifests({ [`${slug}/shop.yaml`]: more.manifests ?? shopManifests() });
  const url = `http://${more.host ?? `${slug}.localhost`}:${(site.address() as AddressInfo).port}`;
  await world.publish({ files: [{ slug, sha, path: slug, url, probe: JSON.stringify(probe) }] });
}

const statesOf = (slug: string) =>
  world.manager.observations.filter((each) => each.slug === slug).map(({ state }) => state);

test('a preview is healthy only when its URL has answered', async () => {
  await deploy('late', { path: '/healthz', within: '10m' });
  await eventually('a first word of the probe', () =>
    world.manager.newest('late')?.diagnosis?.sentence.includes('503'),
  );
  expect(world.manager.newest('late')).toMatchObject({
    state: 'progressing',
    diagnosis: { sentence: expect.stringContaining('/healthz answered 503; 200 is expected') },
  });
  expect(statesOf('late')).not.toContain('healthy');
  answers.set('late', 200);
  await world.waitForState('late', 'healthy');
  expect(world.manager.newest('late')?.diagnosis).toBeNull();
  expect(asked).toContain('late/healthz');
});

test('one that does not answer in time has failed, with what may be the reason', async () => {
  const manifests = shopManifests().replace('selector: {app: shop}\n  ports', 'selector: {app: shpo}\n  ports');
  await deploy('slow', { within: '1s', expect: 204 }, { manifests });
  await world.waitForState('slow', 'degraded');
  expect(world.manager.newest('slow')?.diagnosis).toMatchObject({
    cause: 'health',
    sentence: expect.stringContaining('answered 503; 204 is expected'),
    evidence: [expect.stringMatching(/^Service\/shop selects no pod/)],
  });
  expect(statesOf('slow')).not.toContain('healthy');
});

test('a new revision is asked anew', async () => {
  answers.set('again', 200);
  await deploy('again', { within: '10m' });
  await world.waitForState('again', 'healthy');
  answers.delete('again');
  const before = world.manager.newest('again')?.revision;
  await deploy('again', { within: '10m', path: '/other' });
  await eventually('the next revision is asked', () => asked.includes('again/other'));
  expect(world.manager.newest('again')?.revision).not.toBe(before);
  expect(world.manager.newest('again')?.state).not.toBe('healthy');
  answers.set('again', 200);
  await world.waitForState('again', 'healthy');
});

test('a host that is not the agent’s is never asked, and said to be so', async () => {
  await deploy('foreign', {}, { host: 'foreign.example.com' });
  await world.waitForState('foreign', 'degraded');
  expect(world.manager.newest('foreign')?.diagnosis?.sentence).toContain('not among `hosts`');
});
