import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import { openConnection } from '../../src/kube/connection.js';
import { createKubeClient, type KubeClient } from '../../src/kube/kube-client.js';
import { startCluster } from '../../src/sandbox/cluster/start-cluster.js';
import { temporaryFolder } from './git-client.js';

/** A cluster that a test may write to: a real one where there is one, the project's stand-in otherwise. */
export interface TestCluster {
  /** Path of a kubeconfig with all rights. */
  kubeconfig: string;
  client: KubeClient;
  isReal: boolean;
  close(): Promise<void>;
}

/** `TEST_KUBECONFIG` names a real cluster; a test that needs one is skipped by name without it. */
export const realKubeconfig: string | null = process.env.TEST_KUBECONFIG || null;

/** Opens the cluster of `TEST_KUBECONFIG`, or starts a stand-in of its own. */
export async function openTestCluster(): Promise<TestCluster> {
  if (realKubeconfig !== null) {
    const connection = await openConnection({ kubeconfig: { path: realKubeconfig } });
    const client = createKubeClient(connection);
    const heartbeat = await keepNodesAlive(client);
    return {
      kubeconfig: realKubeconfig,
      client,
      isReal: true,
      close: async () => {
        await heartbeat.stop();
        await connection.close();
      },
    };
  }
  const folder = await temporaryFolder('cluster');
  const cluster = await startCluster();
  const kubeconfig = join(folder.path, 'kubeconfig');
  await cluster.writeKubeconfig(kubeconfig);
  const connection = await openConnection({ kubeconfig: { path: kubeconfig } });
  return {
    kubeconfig,
    client: createKubeClient(connection),
    isReal: false,
    async close() {
      await connection.close();
      await cluster.close();
      await folder.remove();
    },
  };
}

const heartbeatMs = 10_000;

/**
 * A simulated node has no kubelet that renews its lease: after a while the node counts as lost, its pods are marked
 * not ready, and nothing ever makes them ready again. So the lease is renewed from here. Real nodes are left alone.
 */
export async function keepNodesAlive(client: KubeClient): Promise<{ stop: () => Promise<void> }> {
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Node', namespace: null });
  const names = items.flatMap(({ metadata, status }) => {
    const { nodeInfo } = (status ?? {}) as { nodeInfo?: { kubeletVersion?: string } };
    return nodeInfo?.kubeletVersion === 'simulated' ? [metadata.name] : [];
  });
  const control = new AbortController();
  const renew = async () => {
    for (const name of names) {
      const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTime() };
      const metadata = { name, namespace: 'kube-node-lease' };
      await client.apply({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }, { force: true });
    }
  };
  await renew();
  const beating = (async () => {
    for await (const _ of setInterval(heartbeatMs, undefined, { signal: control.signal, ref: false })) {
      // One that fails is made up for by the next: a lease outlives several.
      await renew().catch(() => undefined);
    }
  })().catch((error: unknown) => {
    if (!control.signal.aborted) throw error;
  });
  return {
    async stop() {
      control.abort();
      await beating;
    },
  };
}

/** RFC 3339 with microseconds, as leases want it. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
