import { join, resolve } from 'node:path';
import { isAppError } from '../error/app-error.js';
import { type KubeConnection, openConnection } from '../kube/connection.js';
import { sendJson } from '../kube/send-json.js';
import type { Logger } from '../log/create-logger.js';
import { startCluster } from './cluster/start-cluster.js';
import { type ClusterNames, ownClusterNames, removeFromCluster, standInNames } from './cluster-names.js';
import type { ReadCluster } from './preview-site.js';

export interface SandboxCluster {
  kubeconfigPath: string;
  connection: KubeConnection;
  names: ClusterNames;
}

interface ClusterInput {
  /** Of a real cluster; null: the stand-in. */
  kubeconfig: string | null;
  dataDir: string;
  /** false: what was made in a real cluster is removed from it at the end. */
  keeps: boolean;
  log: Logger;
}

type Release = () => Promise<void>;

/** Opens the cluster that `kubeconfig` names, or starts the stand-in. */
export async function openCluster(input: ClusterInput, releases: Release[]): Promise<SandboxCluster> {
  const { kubeconfig, dataDir, keeps } = input;
  const kubeconfigPath = kubeconfig === null ? await startStandIn(input, releases) : resolve(kubeconfig);
  const connection = await openConnection({ kubeconfig: { path: kubeconfigPath } });
  releases.push(() => connection.close());
  const names = kubeconfig === null ? standInNames : await ownClusterNames(dataDir);
  if (kubeconfig !== null && !keeps) releases.push(() => removeFromCluster(connection, names));
  return { kubeconfigPath, connection, names };
}

async function startStandIn({ dataDir, keeps, log }: ClusterInput, releases: Release[]): Promise<string> {
  const cluster = await startCluster({
    log: log.child({ part: 'cluster' }),
    ...(keeps ? { dataFile: join(dataDir, 'cluster.jsonl') } : {}),
  });
  releases.push(() => cluster.close());
  const path = join(dataDir, 'kubeconfig');
  await cluster.writeKubeconfig(path);
  return path;
}

/** Reads a path of the API; null for what is not there. */
export function clusterReader(connection: KubeConnection): ReadCluster {
  return async (path) => {
    try {
      return await sendJson(connection, { method: 'GET', path, timeoutMs: 5_000 });
    } catch (error) {
      if (isAppError(error, 'kube-not-found')) return null;
      throw error;
    }
  };
}
