import type { KubeClient } from '../../../src/kube/kube-client.js';

/** The namespace that secrets are copied from, in a test's hands. */
export interface SharedSecrets {
  namespace: string;
  put(name: string, data: Record<string, string>, type?: string): Promise<void>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}

export async function createSharedSecrets(client: KubeClient, namespace: string): Promise<SharedSecrets> {
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  return {
    namespace,
    async put(name, data, type = 'Opaque') {
      const encoded = Object.fromEntries(
        Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
      );
      await client.apply(
        { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type, data: encoded },
        { force: true },
      );
    },
    remove: (name) => client.remove({ apiVersion: 'v1', kind: 'Secret', name, namespace }),
    close: () => client.remove({ apiVersion: 'v1', kind: 'Namespace', name: namespace }),
  };
}
