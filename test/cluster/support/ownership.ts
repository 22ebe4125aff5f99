import type { KubeClient } from '../../../src/kube/kube-client.js';

type Named = readonly [apiVersion: string, kind: string, name: string];

/** What the busy source and the agent's settings put into each namespace. */
export const ownedKinds: { standing: readonly Named[] } = {
  standing: [
    ['v1', 'ServiceAccount', 'shop'],
    ['v1', 'ConfigMap', 'before'],
    ['v1', 'ConfigMap', 'after'],
    ['v1', 'Secret', 'settings'],
    ['v1', 'Service', 'shop'],
    ['apps/v1', 'Deployment', 'shop'],
    ['batch/v1', 'Job', 'migrate'],
    ['v1', 'ResourceQuota', 'mayfly'],
    ['v1', 'LimitRange', 'mayfly'],
    ['networking.k8s.io/v1', 'NetworkPolicy', 'mayfly'],
  ],
};

interface Listed {
  slug: string;
  incarnation: number;
  namespace: string;
  objects: { apiVersion: string; kind: string; name: string }[];
  furniture?: { apiVersion: string; kind: string; name: string }[];
}

/**
 * Objects with the installation's label that no persisted inventory lists, as `namespace Kind/name`. Read in this
 * order: what is made after it was looked for was listed before.
 */
export async function unowned(
  client: KubeClient,
  place: { installation: string; agentNamespace: string },
): Promise<string[]> {
  const kinds = new Map(
    ownedKinds.standing.map(([apiVersion, kind]) => [`${apiVersion} ${kind}`, { apiVersion, kind }]),
  );
  const labelSelector = `mayfly.dev/installation=${place.installation}`;
  const found: { kind: string; name: string; namespace: string; pair: string }[] = [];
  for (const query of [{ apiVersion: 'v1', kind: 'Namespace' }, ...kinds.values()]) {
    const { items } = await client.list({ ...query, namespace: null, labelSelector });
    for (const { kind, metadata } of items) {
      const { 'mayfly.dev/preview': slug, 'mayfly.dev/incarnation': incarnation } = metadata.labels ?? {};
      const namespace = metadata.namespace ?? metadata.name;
      found.push({ kind, name: metadata.name, namespace, pair: `${slug}#${incarnation}` });
    }
  }
  const inventories = new Map<string, Listed>();
  const memory = { apiVersion: 'v1', kind: 'ConfigMap', namespace: place.agentNamespace };
  for (const { data } of (await client.list({ ...memory, labelSelector: 'mayfly.dev/memory=inventory' })).items) {
    const listed = JSON.parse((data as { inventory: string }).inventory) as Listed;
    inventories.set(`${listed.slug}#${listed.incarnation}`, listed);
  }
  return found
    .filter(({ kind, name, namespace, pair }) => {
      const inventory = inventories.get(pair);
      if (inventory === undefined || inventory.namespace !== namespace) return true;
      if (kind === 'Namespace') return false;
      return ![...inventory.objects, ...(inventory.furniture ?? [])].some(
        (entry) => entry.kind === kind && entry.name === name,
      );
    })
    .map(({ kind, name, namespace, pair }) => `${namespace} ${kind}/${name} of ${pair}`);
}
