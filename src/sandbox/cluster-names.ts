import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAppError } from '../error/app-error.js';
import type { KubeConnection } from '../kube/connection.js';
import { sendJson } from '../kube/send-json.js';

/** Where in the cluster a sandbox keeps what it makes. */
export interface ClusterNames {
  agentNamespace: string;
  /** Of the previews' namespaces. */
  namespacePrefix: string;
}

/** For a stand-in that nobody else uses. */
export const standInNames: ClusterNames = { agentNamespace: 'mayfly', namespacePrefix: 'preview-' };

/**
 * For a real cluster: an agent follows the installation that it followed first and no other, so each sandbox has names
 * of its own there, the same ones for the same folder.
 */
export async function ownClusterNames(dataDir: string): Promise<ClusterNames> {
  const file = join(dataDir, 'cluster-suffix');
  const kept = await readKept(file);
  const suffix = kept ?? randomBytes(3).toString('hex');
  if (kept === null) await writeFile(file, `${suffix}\n`);
  return { agentNamespace: `mayfly-sandbox-${suffix}`, namespacePrefix: `sandbox-${suffix}-` };
}

async function readKept(file: string): Promise<string | null> {
  try {
    return /^[0-9a-f]{6}$/m.exec(await readFile(file, 'utf8'))?.[0] ?? null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

const timeoutMs = 5_000;

/** Asks the cluster to delete everything under these names; does not wait until it is gone. */
export async function removeFromCluster(connection: KubeConnection, names: ClusterNames): Promise<void> {
  const path = '/api/v1/namespaces';
  const list = (await sendJson(connection, { method: 'GET', path, timeoutMs })) as {
    items: { metadata: { name: string } }[];
  };
  const ours = list.items
    .map(({ metadata }) => metadata.name)
    .filter((name) => name === names.agentNamespace || name.startsWith(names.namespacePrefix));
  await Promise.all(ours.map((name) => remove(connection, `${path}/${name}`)));
}

async function remove(connection: KubeConnection, path: string): Promise<void> {
  try {
    await sendJson(connection, { method: 'DELETE', path, timeoutMs });
  } catch (error) {
    if (!isAppError(error, 'kube-not-found')) throw error;
  }
}
