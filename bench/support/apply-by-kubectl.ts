import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments, stringify } from 'yaml';
import { temporaryFolder } from '../../test/support/git-client.js';
import { openClusterView } from './cluster-view.js';
import { fiveObjects } from './five-objects.js';
import { round } from './report.js';

const run = promisify(execFile);

/**
 * The same objects as finished manifests, by one `kubectl apply --server-side` of one file: what no engine can beat. Ready: each
 * Deployment is available. Requests as for the agent. Without kubectl nothing is answered.
 */
export async function applyByKubectl(
  kubeconfig: string,
  count: number,
): Promise<{ limitMs?: number; limitRequests?: number }> {
  const kubectl = process.env.TEST_KUBECTL ?? join(process.env.MAYFLY_TEST_TOOLS ?? '/', 'kubectl');
  if (!existsSync(kubectl)) return {};
  const folder = await temporaryFolder('bench-kubectl');
  const id = `limit-${randomBytes(3).toString('hex')}`;
  // Of a label of its own, so that no agent follows these objects.
  const cluster = await openClusterView(kubeconfig, id);
  const namespaces = new Set(Array.from({ length: count }, (_, index) => `${id}-${index}`));
  const objects = parseAllDocuments(Object.values(fiveObjects).join('---\n')).map((document) => document.toJS());
  const documents = [...namespaces].flatMap((namespace) => [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    ...objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace, labels: cluster.labels } })),
  ]);
  const file = join(folder.path, 'all.yaml');
  await writeFile(file, documents.map((each) => stringify(each)).join('---\n'));
  try {
    const idle = await cluster.quiet(40);
    const [before, startedAt] = [await cluster.requests(), performance.now()];
    const waiting = new Set(namespaces);
    const ready = cluster.deployment('all Deployments', ({ namespace, available }) => {
      if (available) waiting.delete(namespace);
      return waiting.size === 0;
    });
    await run(kubectl, ['--kubeconfig', kubeconfig, 'apply', '--server-side', '--filename', file], {
      maxBuffer: 64 * 1024 * 1024,
    });
    const limitMs = round((await ready) - startedAt);
    await cluster.quiet(idle + 2);
    const background = (idle * (performance.now() - startedAt)) / 1_000;
    return { limitMs, limitRequests: round(((await cluster.requests()) - before - background) / count) };
  } finally {
    await folder.remove();
    await cluster.removeNamespaces([`${id}-`]);
    await cluster.close();
  }
}
