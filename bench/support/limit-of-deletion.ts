import { watchObjects } from '../../src/kube/watch.js';
import { type ClusterView, labelSelectorOf } from './cluster-view.js';
import { type KubectlNamespaces, kubectlNamespaces } from './kubectl-namespaces.js';
import { round } from './report.js';

/** What previews hold of their own. */
const ownKinds = 'deployments,services,configmaps,secrets,serviceaccounts';

/**
 * How long as many namespaces with the same objects take. `limitMs`: only the namespaces are left, and all are deleted
 * at once, until a watch has told that the last is gone: the namespace controller's share, which no engine can shorten.
 * `kubectlMs`: one `kubectl delete namespace`, with everything still in them. Without kubectl nothing is answered.
 */
export async function limitOfDeletion(
  kubeconfig: string,
  count: number,
): Promise<{ limitMs?: number; limitRequests?: number; kubectlMs?: number }> {
  const whole = await measured(kubeconfig, count, ({ kubectl, names }) => {
    return kubectl('delete', 'namespace', ...names, '--wait=false');
  });
  const emptied = await measured(
    kubeconfig,
    count,
    async ({ cluster, names }) => {
      const each = names.map((name) => cluster.client.remove({ apiVersion: 'v1', kind: 'Namespace', name }));
      await Promise.all(each);
    },
    ({ cluster, kubectl }) => kubectl('delete', ownKinds, '--all-namespaces', '--selector', labelSelectorOf(cluster)),
  );
  return emptied === null || whole === null
    ? {}
    : { limitMs: emptied.tookMs, limitRequests: emptied.requests, kubectlMs: whole.tookMs };
}

async function measured(
  kubeconfig: string,
  count: number,
  remove: (namespaces: KubectlNamespaces) => Promise<void>,
  before?: (namespaces: KubectlNamespaces) => Promise<void>,
): Promise<{ tookMs: number; requests: number } | null> {
  const namespaces = await kubectlNamespaces(kubeconfig, count);
  if (namespaces === null) return null;
  const { cluster, names } = namespaces;
  try {
    await namespaces.apply();
    await before?.(namespaces);
    await cluster.quiet(40);
    const [requests, startedAt] = [await cluster.requests(), performance.now()];
    const gone = untilGone(cluster, names);
    await remove(namespaces);
    const tookMs = round((await gone) - startedAt);
    return { tookMs, requests: round(((await cluster.requests()) - requests) / count) };
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
