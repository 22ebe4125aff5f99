import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectWrites } from '../agent/support/collect-writes.js';
import { eventually } from '../agent/support/eventually.js';
import { createWorld, shopManifests, type World } from '../agent/support/world.js';
import { realKubeconfig } from '../support/cluster.js';

/** What only the real API server does: field ownership, admission, quota, namespace finalizers. */
describe.skipIf(realKubeconfig === null)('agent on a real API server', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld();
    await world.start();
  });

  afterAll(() => world?.close());

  test('a field that another program holds is named, and is not taken from it', async () => {
    const first = await world.pushManifests({ 'held/shop.yaml': shopManifests() });
    await world.publish({ files: [{ slug: 'held', sha: first, path: 'held' }] });
    await world.waitForState('held', 'healthy');
    const answer = await world.cluster.client.connection.send({
      method: 'PATCH',
      path: `/api/v1/namespaces/${world.namespaceOf('held')}/configmaps/site?fieldManager=some-operator`,
      contentType: 'application/merge-patch+json',
      body: { data: { colour: 'operator' } },
      timeoutMs: 5_000,
    });
    await answer.body.dump();
    await world.waitForState('held', 'degraded');
    expect(world.manager.newest('held')?.diagnosis).toMatchObject({ cause: 'apply', object: 'ConfigMap/site' });
    expect(world.manager.newest('held')?.diagnosis?.sentence).toContain('some-operator');
    expect((await world.find('held', 'v1', 'ConfigMap', 'site'))?.data).toEqual({ colour: 'operator' });
  });

  test('pods that the pod-security level refuses are told in the API server’s words', async () => {
    const manifests = shopManifests().replace(
      'containers: [{name: shop,',
      'hostNetwork: true\n      containers: [{name: shop,',
    );
    const sha = await world.pushManifests({ 'insecure/shop.yaml': manifests });
    await world.publish({ files: [{ slug: 'insecure', sha, path: 'insecure' }] });
    await eventually('the reason', () => {
      const { diagnosis } = world.manager.newest('insecure') ?? {};
      return JSON.stringify(diagnosis ?? {}).includes('violates PodSecurity \\"baseline');
    });
  });

  test('a change that an immutable field forbids is an error of apply, and the old object stays', async () => {
    const claim = (size: string) =>
      `apiVersion: batch/v1\nkind: Job\nmetadata: {name: seed}\nspec:\n  template:\n    spec: {restartPolicy: Never, containers: [{name: seed, image: "seed:${size}"}]}\n`;
    const first = await world.pushManifests({ 'job/seed.yaml': claim('1') });
    await world.publish({ files: [{ slug: 'seeded', sha: first, path: 'job' }] });
    await world.waitForState('seeded', 'healthy');
    const before = await world.find('seeded', 'batch/v1', 'Job', 'seed');
    const second = await world.pushManifests({ 'job/seed.yaml': claim('2') });
    await world.publish({ files: [{ slug: 'seeded', sha: second, path: 'job' }] });
    await world.waitForState('seeded', 'degraded');
    expect(world.manager.newest('seeded')?.diagnosis?.sentence).toMatch(/^Job\/seed cannot be applied: .*immutable/);
    expect((await world.find('seeded', 'batch/v1', 'Job', 'seed'))?.metadata.uid).toBe(before?.metadata.uid);
  });

  test('a new preview costs the API server few requests, a second look at it none', async () => {
    const sha = await world.pushManifests({ 'counted/shop.yaml': shopManifests() });
    const { server } = world.cluster.client.connection;
    const writes = await collectWrites(server, async () => {
      await world.publish({ files: [{ slug: 'counted', sha, path: 'counted' }] });
      await world.waitForState('counted', 'healthy');
    });
    // The inventory twice, the namespace, and the five objects.
    expect(writes, writes.join('\n')).toHaveLength(8);
    const later = await collectWrites(server, async () => {
      const head = await world.publish({});
      await eventually('a poll with that head', () => world.manager.polls.at(-1)?.branchCommit === head);
    });
    expect(later).toEqual([]);
  });
});
