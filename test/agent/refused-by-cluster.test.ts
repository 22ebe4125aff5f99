import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { realKubeconfig } from '../support/cluster.js';
import { eventually } from './support/eventually.js';
import { createWorld, shopManifests, type World } from './support/world.js';

/** Controllers, scheduler and admission of a real cluster say why; the stand-in has none of them. */
describe.skipIf(realKubeconfig === null)('on a real API server (needs TEST_KUBECONFIG)', () => {
  let world: World;

  beforeAll(async () => {
    world = await createWorld({ limits: { previews: 20, resources: { cpu: '4', memory: '4Gi', pods: 2 } } });
    await world.start();
  });

  afterAll(() => world.close());

  async function deploy(slug: string, manifests: string): Promise<void> {
    const sha = await world.pushManifests({ [`${slug}/shop.yaml`]: manifests });
    await world.publish({ files: [{ slug, sha, path: slug }] });
  }

  async function blamed(slug: string, object: RegExp) {
    await eventually(`somebody is blamed for ${slug}`, () =>
      object.test(world.manager.newest(slug)?.diagnosis?.object ?? ''),
    ).catch((error: unknown) => {
      throw new Error(`${error}; it is ${JSON.stringify(world.manager.newest(slug))}`);
    });
    return world.manager.newest(slug)?.diagnosis;
  }

  test('pods that may not be made are told in the API server’s words, of the ReplicaSet', async () => {
    await deploy('account', shopManifests().replace('serviceAccountName: shop', 'serviceAccountName: nobody'));
    const diagnosis = await blamed('account', /^ReplicaSet\/shop-/);
    expect(diagnosis?.sentence).toMatch(/is not allowed to make its pods: .*serviceaccount "nobody" not found/);
    expect(diagnosis?.evidence.join('\n')).toContain('FailedCreate ReplicaSet/shop-');
  });

  test('what exceeds the quota is told with its numbers', async () => {
    await deploy('quota', shopManifests({ replicas: 3 }));
    const diagnosis = await blamed('quota', /^ReplicaSet\/shop-/);
    expect(diagnosis?.sentence).toMatch(
      /forbidden: exceeded quota: .*requested: pods=1, used: pods=2, limited: pods=2/,
    );
  });

  test('a claim without a volume is to blame, not the pod that waits for it', async () => {
    const claim = `---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], storageClassName: "", resources: {requests: {storage: 1Gi}}}
`;
    const mounting = shopManifests().replace(
      'containers: [',
      'volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]\n      containers: [',
    );
    await deploy('claim', mounting + claim);
    const diagnosis = await blamed('claim', /^PersistentVolumeClaim\/data$/);
    expect(diagnosis?.sentence).toContain('PersistentVolumeClaim/data is Pending: no persistent volumes available');
  });

  test('an Ingress of a class that the cluster does not have', async () => {
    const ingress = `---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec:
  ingressClassName: nowhere
  rules:
    - host: ingress.preview.test
      http:
        paths: [{path: /, pathType: Prefix, backend: {service: {name: shop, port: {number: 80}}}}]
`;
    await deploy('ingress', shopManifests() + ingress);
    const diagnosis = await blamed('ingress', /^Ingress\/web$/);
    expect(diagnosis?.sentence).toContain('is taken up by no controller: the cluster has no IngressClass nowhere');
    expect(world.manager.newest('ingress')?.state).toBe('progressing');
  });
});
