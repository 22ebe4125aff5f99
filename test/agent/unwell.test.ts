import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;

beforeAll(async () => {
  world = await createWorld();
  await world.start();
});

afterAll(() => world.close());

async function deployTag(slug: string, tag: string): Promise<void> {
  const sha = await world.pushManifests({ [`${slug}/shop.yaml`]: shopManifests({ tag }) });
  await world.publish({ files: [{ slug, sha, path: slug }] });
}

test('an image that is missing is told at once, though the Deployment still says Progressing', async () => {
  await deployTag('missing', 'missing');
  await world.waitForState('missing', 'degraded');
  const { diagnosis, objects } = world.manager.newest('missing') ?? {};
  expect(objects?.find(({ kind }) => kind === 'Deployment')?.health).toBe('Progressing');
  expect(diagnosis).toMatchObject({ cause: 'health', object: expect.stringMatching(/^Pod\/shop-/) });
  expect(diagnosis?.sentence).toContain('ImagePullBackOff');
  expect(diagnosis?.evidence.join('\n')).toContain('Failed to pull image');
});

test('a container that crashes is told with its exit code and its last words', async () => {
  await deployTag('crash', 'crash');
  await world.waitForState('crash', 'degraded');
  const { diagnosis } = world.manager.newest('crash') ?? {};
  expect(diagnosis?.sentence).toMatch(/container shop is CrashLoopBackOff, last exit code 1/);
  expect(diagnosis?.logs?.join('\n')).toContain('panic: config: DATABASE_URL is not set');
});

test('a pod that never becomes ready stays progressing, with what is known of it', async () => {
  await deployTag('unready', 'unready');
  await eventually('a diagnosis', () => world.manager.newest('unready')?.diagnosis);
  expect(world.manager.newest('unready')).toMatchObject({ state: 'progressing' });
  expect(world.manager.newest('unready')?.diagnosis?.sentence).toContain('NotReady');
});

test('a failed revision is healthy after all when a good one follows, and the old word is forgotten', async () => {
  await deployTag('mended', 'crash');
  await world.waitForState('mended', 'degraded');
  await deployTag('mended', '1.1');
  await world.waitForState('mended', 'healthy');
  expect(world.manager.newest('mended')?.diagnosis).toBeNull();
});

test('ready is told while a slow pod starts only when it is', async () => {
  await deployTag('slow', 'slow');
  await world.waitForState('slow', 'healthy');
  const states = world.manager.observations.filter(({ slug }) => slug === 'slow').map(({ state }) => state);
  expect(new Set(states)).toEqual(new Set(['applying', 'progressing', 'healthy']));
  expect(states.at(-1)).toBe('healthy');
});
