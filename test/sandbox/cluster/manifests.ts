/** Manifests of the tests, each a plain object. */
export function namespace(name: string): Record<string, unknown> {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
}

export function configMap(name: string, data: Record<string, string> = {}): Record<string, unknown> {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

function podSpec(image: string): Record<string, unknown> {
  return { containers: [{ name: 'main', image }] };
}

export function template(app: string, image: string): Record<string, unknown> {
  return { metadata: { labels: { app } }, spec: podSpec(image) };
}

export function deployment(name: string, image: string, spec: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: { app: name } }, template: template(name, image), ...spec },
  };
}

export function job(name: string, image: string, spec: Record<string, unknown> = {}): Record<string, unknown> {
  const run = { spec: { ...podSpec(image), restartPolicy: 'Never' } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template: run, ...spec } };
}
