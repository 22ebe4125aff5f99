import { shopManifests } from '../../agent/support/world.js';

function job(name: string, annotations: Record<string, string>, tag: number): string {
  const spec = { restartPolicy: 'Never', containers: [{ name, image: `${name}:${tag}` }] };
  const metadata = { name, annotations };
  return JSON.stringify({ apiVersion: 'batch/v1', kind: 'Job', metadata, spec: { template: { spec } } });
}

function configMap(name: string, wave: number, data: Record<string, string>): string {
  const annotations = { 'argocd.argoproj.io/sync-wave': String(wave) };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, annotations }, data });
}

/**
 * A source that keeps an agent busy: the shop, hooks before and after it, waves around it. Each round changes it, and
 * every second one has an object more, so that there is something to prune.
 */
export function busyManifests(round: number): string {
  const data = { round: String(round) };
  return [
    shopManifests().replace('data: {colour: "green"}', `data: {round: "${round}"}`),
    job('migrate', { 'argocd.argoproj.io/hook': 'PreSync' }, round),
    job(
      'seed',
      { 'argocd.argoproj.io/hook': 'PostSync', 'argocd.argoproj.io/hook-delete-policy': 'HookSucceeded' },
      round,
    ),
    configMap('before', -1, data),
    configMap('after', 1, data),
    ...(round % 2 === 0 ? [configMap('extra', 0, data)] : []),
  ].join('\n---\n');
}
