import type { AgentOptions } from '../../../src/agent/agent-options.js';
import { openConnection } from '../../../src/kube/connection.js';
import { createKubeClient, type KubeClient } from '../../../src/kube/kube-client.js';
import { startCluster } from '../../../src/sandbox/cluster/start-cluster.js';
import { temporaryFolder } from '../../support/git-client.js';

interface AnotherCluster {
  client: KubeClient;
  /** What points an agent at it. */
  change: Pick<AgentOptions, 'kubeconfig' | 'dataDir'>;
  close(): Promise<void>;
}

/** A cluster that no agent knew before. */
export async function anotherCluster(): Promise<AnotherCluster> {
  const folder = await temporaryFolder('other-cluster');
  const cluster = await startCluster();
  const path = `${folder.path}/kubeconfig`;
  await cluster.writeKubeconfig(path);
  const connection = await openConnection({ kubeconfig: { path } });
  return {
    client: createKubeClient(connection),
    change: { kubeconfig: { path }, dataDir: `${folder.path}/agent` },
    async close() {
      await connection.close();
      await cluster.close();
      await folder.remove();
    },
  };
}
