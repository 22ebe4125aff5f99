import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { temporaryFolder } from '../../test/support/git-client.js';
import { type ClusterView, openClusterView } from './cluster-view.js';
import { fiveObjects } from './five-objects.js';

const run = promisify(execFile);

/** Namespaces with the same objects as previews have, made by `kubectl`: what no engine can beat. */
export interface KubectlNamespaces {
  cluster: ClusterView;
  names: readonly string[];
  kubectl(...args: string[]): Promise<void>;
  /** All objects by one `kubectl apply --server-side` of one file; resolves when each Deployment is available. */
  apply(): Promise<void>;
  close(): Promise<void>;
}

/** Null without kubectl, which `TEST_KUBECTL` or the folder `MAYFLY_TEST_TOOLS` names. */
export async function kubectlNamespaces(kubeconfig: string, count: number): Promise<KubectlNamespaces | null> {
  const program = process.env.TEST_KUBECTL ?? join(process.env.MAYFLY_TEST_TOOLS ?? '/', 'kubectl');
  if (!existsSync(program)) return null;
  const folder = await temporaryFolder('bench-kubectl');
  const id = `limit-${randomBytes(3).toString('hex')}`;
  // Of a label of its own, so that no agent follows these objects.
  const cluster = await openClusterView(kubeconfig, id);
  const names = Array.from({ length: count }, (_, index) => `${id}-${index}`);
  const file = join(folder.path, 'all.yaml');
  await writeFile(file, manifestsOf(names, cluster.labels));
  const kubectl = async (...args: string[]): Promise<void> => {
    await run(program, ['--kubeconfig', kubeconfig, ...args], { maxBuffer: 64 * 1024 * 1024 });
  };
  return {
    cluster,
    names,
    kubectl,
    async apply() {
      const waiting = new Set(names);
      const ready = cluster.deployment('all Deployments', ({ namespace, available }) => {
        if (available) waiting.delete(namespace);
        return waiting.size === 0;
      });
      await kubectl('apply', '--server-side', '--filename', file);
      await ready;
    },
    async close() {
      await folder.remove();
      await cluster.removeNamespaces([`${id}-`]);
      await cluster.close();
    },
  };
}

function manifestsOf(namespaces: readonly string[], labels: Record<string, string>): string {
  const objects = parseAllDocuments(Object.values(fiveObjects).join('---\n')).map((document) => document.toJS());
  const documents = namespaces.flatMap((namespace) => [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } },
    ...objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace, labels } })),
  ]);
  return documents.map((each) => stringify(each)).join('---\n');
}
