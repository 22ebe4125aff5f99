import { join } from 'node:path';
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
    return { kubeconfig: realKubeconfig, client, isReal: true, close: () => connection.close() };
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
