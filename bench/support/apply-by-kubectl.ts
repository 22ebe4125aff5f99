import { kubectlNamespaces } from './kubectl-namespaces.js';
import { round } from './report.js';

/**
 * The same objects as finished manifests, by one `kubectl apply --server-side` of one file: what no engine can beat. Ready: each
 * Deployment is available. Requests as for the agent. Without kubectl nothing is answered.
 */
export async function applyByKubectl(
  kubeconfig: string,
  count: number,
): Promise<{ limitMs?: number; limitRequests?: number }> {
  const namespaces = await kubectlNamespaces(kubeconfig, count);
  if (namespaces === null) return {};
  const { cluster } = namespaces;
  try {
    const idle = await cluster.quiet(40);
    const [before, startedAt] = [await cluster.requests(), performance.now()];
    await namespaces.apply();
    const limitMs = round(performance.now() - startedAt);
    await cluster.quiet(idle + 2);
    const background = (idle * (performance.now() - startedAt)) / 1_000;
    return { limitMs, limitRequests: round(((await cluster.requests()) - before - background) / count) };
  } finally {
    await namespaces.close();
  }
}
