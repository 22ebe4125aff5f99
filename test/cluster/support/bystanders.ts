import type { KubeClient } from '../../../src/kube/kube-client.js';
import type { KubeObject, KubeReference } from '../../../src/kube/kube-object.js';

/** Objects beside the previews that are nobody's business but their owner's. */
export interface Bystanders {
  /** Names of those that are gone, or are no longer as they were, byte for byte. */
  changed(): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * A namespace as previews' are named, one of another installation's preview of the same name, one of somebody else's,
 * each with objects of the names that previews use.
 */
export async function createBystanders(
  client: KubeClient,
  { prefix, id }: { prefix: string; id: string },
): Promise<Bystanders> {
  const marks = (installation: string) => ({
    'mayfly.dev/installation': installation,
    'mayfly.dev/preview': 'cut-0',
    'mayfly.dev/incarnation': '1',
  });
  const namespaces = [
    { name: `${prefix}by-hand`, labels: {} },
    { name: `other-${id}-cut-0`, labels: marks(`other-${id}`) },
    { name: `somebody-${id}`, labels: { team: 'somebody' } },
  ];
  const references: KubeReference[] = [];
  const create = async (object: KubeObject) => {
    const { apiVersion, kind, metadata } = await client.create(object);
    references.push({ apiVersion, kind, name: metadata.name, namespace: metadata.namespace });
  };
  for (const { name, labels } of namespaces) {
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
    const metadata = (own: string) => ({ name: own, namespace: name, labels });
    await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('site'), data: { theirs: 'yes' } });
    await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('extra'), data: { theirs: 'yes' } });
    await create({ apiVersion: 'v1', kind: 'Secret', metadata: metadata('registry'), stringData: { key: 'theirs' } });
    await create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: metadata('mayfly'),
      spec: { hard: { pods: '9' } },
    });
  }
  const read = async (reference: KubeReference) => JSON.stringify(await client.get(reference).catch(() => null));
  // The cluster's own controllers have their word first: a quota gets a status.
  const before = await settledTexts(() => Promise.all(references.map(read)));
  return {
    async changed() {
      const now = await Promise.all(references.map(read));
      return references.flatMap(({ kind, name, namespace = '' }, index) =>
        now[index] === before[index] ? [] : [`${namespace} ${kind}/${name}`],
      );
    },
    async close() {
      for (const { name } of namespaces) await client.remove({ apiVersion: 'v1', kind: 'Namespace', name });
    },
  };
}

/** The texts, once they stay the same for a second. */
async function settledTexts(read: () => Promise<string[]>): Promise<string[]> {
  for (let last = await read(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const next = await read();
    if (next.join() === last.join()) return next;
    last = next;
  }
}
