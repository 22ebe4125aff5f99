import { fields, type Manifest } from '../manifest.js';
import { markPrefix } from '../marks.js';
import { walkMetadata } from './metadata-rule.js';

/**
 * Annotations that only describe, or that ask no more than the object's own fields may. Many others give orders to
 * programs with rights of their own: make a DNS name, take a cloud role, put text into an ingress controller's
 * configuration. Keys without a prefix are the user's own by Kubernetes' convention.
 */
const exact: ReadonlySet<string> = new Set([
  'kubernetes.io/change-cause',
  'kubernetes.io/description',
  'kubernetes.io/ingress.class',
  'kubectl.kubernetes.io/default-container',
  'kubectl.kubernetes.io/default-logs-container',
  'kubectl.kubernetes.io/restartedAt',
  'kubectl.kubernetes.io/last-applied-configuration',
  'cluster-autoscaler.kubernetes.io/safe-to-evict',
  'argocd.argoproj.io/hook',
  'argocd.argoproj.io/hook-delete-policy',
  'argocd.argoproj.io/sync-options',
  'argocd.argoproj.io/sync-wave',
  'helm.sh/hook',
  'helm.sh/hook-delete-policy',
  'helm.sh/hook-weight',
  'helm.sh/resource-policy',
  'cert-manager.io/cluster-issuer',
  'cert-manager.io/issuer',
  'nginx.ingress.kubernetes.io/affinity',
  'nginx.ingress.kubernetes.io/enable-cors',
  'nginx.ingress.kubernetes.io/force-ssl-redirect',
  'nginx.ingress.kubernetes.io/proxy-body-size',
  'nginx.ingress.kubernetes.io/proxy-connect-timeout',
  'nginx.ingress.kubernetes.io/proxy-read-timeout',
  'nginx.ingress.kubernetes.io/proxy-send-timeout',
  'nginx.ingress.kubernetes.io/rewrite-target',
  'nginx.ingress.kubernetes.io/ssl-redirect',
  'nginx.ingress.kubernetes.io/use-regex',
]);

const prefixes = [
  'app.kubernetes.io/',
  'app.gitlab.com/',
  'checksum/',
  'prometheus.io/',
  'reloader.stakater.com/',
  'meta.helm.sh/',
];

/** Refuses annotations that are not on the list, in the object and in the templates that it holds. */
export function annotationRule(manifest: Manifest): string[] {
  const refused = new Set<string>();
  walkMetadata(manifest, (metadata) => {
    for (const key of Object.keys(fields(metadata.annotations))) if (!isAllowed(key)) refused.add(key);
  });
  return [...refused].map((key) => `the annotation ${key} is not on the list of those that a preview may set`);
}

function isAllowed(key: string): boolean {
  // Mayfly's own are refused by the rule on metadata, in better words.
  if (!key.includes('/') || key.startsWith(markPrefix)) return true;
  return exact.has(key) || prefixes.some((prefix) => key.startsWith(prefix));
}
