import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubeObject } from '../../src/kube/kube-object.js';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;
let sha: string;

beforeAll(async () => {
  world = await createWorld();
  await world.start();
  sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests() });
});

afterAll(() => world.close());

async function deploy(slug: string): Promise<void> {
  await world.publish({ files: [{ slug, sha }] });
  await world.waitForState(slug, 'healthy');
}

function reference(
  slug: string,
  kind: string,
  name: string,
): { apiVersion: string; kind: string; name: string; namespace: string } {
  const apiVersion = kind === 'Deployment' ? 'apps/v1' : 'v1';
  return { apiVersion, kind, name, namespace: world.namespaceOf(slug) };
}

test('a deleted object is there again, the fifth time as well', async () => {
  await deploy('deleted');
  for (let times = 0; times < 5; times += 1) {
    const before = await world.find('deleted', 'apps/v1', 'Deployment', 'shop');
    await world.cluster.client.remove(reference('deleted', 'Deployment', 'shop'));
    await eventually('another Deployment', async () => {
      const found = await world.find('deleted', 'apps/v1', 'Deployment', 'shop');
      return found !== null && found.metadata.uid !== before?.metadata.uid;
    });
  }
  await world.waitForState('deleted', 'healthy');
});

test('what kubectl changed by hand is set back', async () => {
  await deploy('edited');
  await editByHand(`/api/v1/namespaces/${world.namespaceOf('edited')}/configmaps/site`, { data: { colour: 'red' } });
  await eventually(
    'the colour is back',
    async () => colourOf(await world.find('edited', 'v1', 'ConfigMap', 'site')) === 'green',
  );
  const deployment = `/apis/apps/v1/namespaces/${world.namespaceOf('edited')}/deployments/shop`;
  await editByHand(deployment, { spec: { replicas: 3 } });
  await eventually('the size is back', async () => {
    const found = await world.find('edited', 'apps/v1', 'Deployment', 'shop');
    return (found?.spec as { replicas?: number } | undefined)?.replicas === 1;
  });
});

test('a namespace that was deleted under its preview is made again with all that was in it', async () => {
  await deploy('lost');
  const before = await world.namespace('lost');
  await world.cluster.client.remove({ apiVersion: 'v1', kind: 'Namespace', name: world.namespaceOf('lost') });
  await eventually(
    'another namespace',
    async () => {
      const found = await world.namespace('lost');
      return found !== null && found.metadata.uid !== before?.metadata.uid;
    },
    120_000,
  );
  await eventually(
    'its Deployment',
    async () => (await world.find('lost', 'apps/v1', 'Deployment', 'shop')) !== null,
    120_000,
  );
  await world.waitForState('lost', 'healthy');
  expect((await world.namespace('lost'))?.metadata.labels).toMatchObject({ 'mayfly.dev/preview': 'lost' });
});

/** As `kubectl edit` does. */
async function editByHand(path: string, patch: unknown): Promise<void> {
  const answer = await world.cluster.client.connection.send({
    method: 'PATCH',
    path: `${path}?fieldManager=kubectl-edit`,
    contentType: 'application/merge-patch+json',
    body: patch,
    timeoutMs: 5_000,
  });
  await answer.body.dump();
  expect(answer.statusCode).toBe(200);
}

function colourOf(found: KubeObject | null): string | undefined {
  return (found?.data as { colour?: string } | undefined)?.colour;
}
