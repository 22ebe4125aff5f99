import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

let world: World;

const pods = (name: string) =>
  `{metadata: {labels: {app: ${name}}}, spec: {containers: [{name: app, image: "shop:1.0"}]}}`;
const others = `apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  replicas: 2
  serviceName: shop
  selector: {matchLabels: {app: store}}
  template: ${pods('store')}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: plain}
spec:
  selector: {matchLabels: {app: plain}}
  template: ${pods('plain')}
---
apiVersion: batch/v1
kind: CronJob
metadata: {name: nightly}
spec:
  schedule: "0 3 * * *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "shop:1.0"}]}}}}
`;
const apiVersions: Record<string, string> = { CronJob: 'batch/v1', Deployment: 'apps/v1', StatefulSet: 'apps/v1' };

beforeAll(async () => {
  world = await createWorld();
  await world.start();
});

afterAll(() => world.close());

async function spec(slug: string, kind: string, name: string): Promise<Record<string, unknown>> {
  const found = await world.find(slug, apiVersions[kind] ?? 'v1', kind, name);
  return { ...(found?.spec as object | undefined) };
}

async function untilReplicas(slug: string, name: string, replicas: number): Promise<void> {
  await eventually(`${name} at ${replicas}`, async () => (await spec(slug, 'Deployment', name)).replicas === replicas);
}

/** As kubectl and autoscalers change it: each under its own name. */
async function scale(slug: string, name: string, replicas: number, manager: string): Promise<void> {
  const answer = await world.cluster.client.connection.send({
    method: 'PATCH',
    path: `/apis/apps/v1/namespaces/${world.namespaceOf(slug)}/deployments/${name}?fieldManager=${manager}`,
    contentType: 'application/merge-patch+json',
    body: { spec: { replicas } },
    timeoutMs: 5_000,
  });
  await answer.body.dump();
  expect(answer.statusCode).toBe(200);
}

test('workloads are at zero and what is due waits; awake again, all is as it was declared', async () => {
  const sha = await world.pushManifests({ 'all/shop.yaml': shopManifests({ replicas: 2 }), 'all/others.yaml': others });
  const file = { slug: 'naps', sha, path: 'all' };
  await world.publish({ files: [file] });
  await eventually('it runs', async () => {
    const deployment = await world.find('naps', 'apps/v1', 'Deployment', 'shop');
    return (deployment?.status as { readyReplicas?: number } | undefined)?.readyReplicas === 2;
  });
  await world.publish({ files: [{ ...file, asleep: true }] });
  await world.waitForState('naps', 'suspended', { revision: world.revision({ ...file, asleep: true }) });
  for (const name of ['shop', 'plain']) expect(await spec('naps', 'Deployment', name)).toMatchObject({ replicas: 0 });
  expect(await spec('naps', 'StatefulSet', 'store')).toMatchObject({ replicas: 0 });
  expect(await spec('naps', 'CronJob', 'nightly')).toMatchObject({ suspend: true });
  expect(world.manager.newest('naps')?.diagnosis).toBeNull();

  await world.publish({ files: [file] });
  await untilReplicas('naps', 'shop', 2);
  await untilReplicas('naps', 'plain', 1);
  await eventually('the store', async () => (await spec('naps', 'StatefulSet', 'store')).replicas === 2);
  await eventually('the schedule', async () => (await spec('naps', 'CronJob', 'nightly')).suspend !== true);
  const deployment = await world.find('naps', 'apps/v1', 'Deployment', 'shop');
  expect(deployment?.metadata.annotations).not.toHaveProperty('mayfly.dev/asleep');
});

test('what a person scales up while it sleeps is at zero again', async () => {
  const sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests({ replicas: 2 }) });
  await world.publish({ files: [{ slug: 'poked', sha, asleep: true }] });
  await world.waitForState('poked', 'suspended');
  await scale('poked', 'shop', 3, 'kubectl-edit');
  await untilReplicas('poked', 'shop', 0);
  await world.waitForState('poked', 'suspended');
});

test('an ignored number of replicas is another’s while it is awake, and zero while it sleeps', async () => {
  const sha = await world.pushManifests({ 'deploy/shop.yaml': shopManifests({ replicas: 2 }) });
  const ignore = [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }];
  const syncPolicy = { syncOptions: ['RespectIgnoreDifferences=true'] };
  const file = { slug: 'scaled', sha, spec: { ignoreDifferences: ignore, syncPolicy } };
  await world.publish({ files: [file] });
  await world.waitForState('scaled', 'healthy');
  await scale('scaled', 'shop', 4, 'kube-controller-manager');
  await world.publish({ files: [{ ...file, asleep: true }] });
  await world.waitForState('scaled', 'suspended');
  expect(await spec('scaled', 'Deployment', 'shop')).toMatchObject({ replicas: 0 });
  await world.publish({ files: [file] });
  await untilReplicas('scaled', 'shop', 2);
  await world.waitForState('scaled', 'healthy');
  await scale('scaled', 'shop', 4, 'kube-controller-manager');
  await world.publish({ files: [{ ...file, url: 'https://other.preview.test' }] });
  await world.waitForState('scaled', 'healthy', {
    revision: world.revision({ ...file, url: 'https://other.preview.test' }),
  });
  expect(await spec('scaled', 'Deployment', 'shop')).toMatchObject({ replicas: 4 });
});

test('an autoscaler’s hold on the replicas does not keep it awake', async () => {
  const sha = await world.pushManifests({ 'held/plain.yaml': others.split('---\n')[1] ?? '' });
  const file = { slug: 'held', sha, path: 'held' };
  await world.publish({ files: [file] });
  await world.waitForState('held', 'healthy');
  await scale('held', 'plain', 4, 'kube-controller-manager');
  await world.publish({ files: [{ ...file, asleep: true }] });
  await world.waitForState('held', 'suspended');
  expect(await spec('held', 'Deployment', 'plain')).toMatchObject({ replicas: 0 });
  await world.publish({ files: [file] });
  await world.waitForState('held', 'healthy');
  expect(await spec('held', 'Deployment', 'plain')).toMatchObject({ replicas: 1 });
});
