import { watchObjects } from '../../src/kube/watch.js';
import { type ClusterView, labelSelectorOf } from './cluster-view.js';
import { kubectlNamespaces } from './kubectl-namespaces.js';
import { round } from './report.js';

/** What previews hold, and what the cluster adds to it goes with. */
const ownKinds = 'deployments,services,configmaps,secrets,serviceaccounts';

/**
 * Namespaces with the same objects, deleted by one `kubectl delete namespace` once these objects have gone, until a watch
 * has told that the last is gone: the namespace controller's share, which no engine can shorten. `kubectlMs`: the same
 * with everything still in them. Without kubectl nothing is answered.
 */
export async function deleteByKubectl(
  kubeconfig: string,
  count: number,
): Promise<{ limitMs?: number; limitRequests?: number; kubectlMs?: number }> {
  const whole = await deleteOnce(kubeconfig, count, false);
  const emptied = await deleteOnce(kubeconfig, count, true);
  return emptied === null || whole === null
    ? {}
    : { limitMs: emptied.tookMs, limitRequests: emptied.requests, kubectlMs: whole.tookMs };
}

async function deleteOnce(
  kubeconfig: string,
  count: number,
  isEmptied: boolean,
): Promise<{ tookMs: number; requests: number } | null> {
  const namespaces = await kubectlNamespaces(kubeconfig, count);
  if (namespaces === null) return null;
  const { cluster, names, kubectl } = namespaces;
  try {
    await namespaces.apply();
    if (isEmptied) await kubectl('delete', ownKinds, '--all-namespaces', '--selector', labelSelectorOf(cluster));
    await cluster.quiet(40);
    const [before, startedAt] = [await cluster.requests(), performance.now()];
    const gone = untilGone(cluster, names);
    await kubectl('delete', 'namespace', ...names, '--wait=false');
    const tookMs = round((await gone) - startedAt);
    return { tookMs, requests: round(((await cluster.requests()) - before) / count) };
  } finally {
    await namespaces.close();
  }
}

/** Resolves with the moment at which a watch has told that all of them are gone. */
function untilGone(cluster: ClusterView, names: readonly string[]): Promise<number> {
  const left = new Set(names);
  const end = new AbortController();
  const labelSelector = labelSelectorOf(cluster);
  return new Promise((resolve) => {
    const ignored = () => undefined;
    void watchObjects(
      cluster.client,
      { apiVersion: 'v1', kind: 'Namespace', namespace: null, labelSelector },
      {
        replaced: ignored,
        changed: ignored,
        deleted({ metadata }) {
          left.delete(metadata.name);
          if (left.size > 0) return;
          end.abort();
          resolve(performance.now());
        },
      },
      end.signal,
    );
  });
}
