import type { Manifest } from '../manifest.js';
import { agentLabel, marksOf, type PreviewIdentity } from '../marks.js';

export interface NamespaceInput {
  identity: PreviewIdentity;
  namespace: string;
  agent: string;
  /** The pod-security level that is enforced; `restricted` is warned of in any case. */
  podSecurity: 'baseline' | 'restricted';
  /** For people who look at the cluster: where it comes from, where it opens. */
  mergeRequest?: string | undefined;
  url?: string | undefined;
}

/** The preview's namespace. */
export function desiredNamespace(input: NamespaceInput): Manifest {
  const annotations = {
    ...(input.mergeRequest === undefined ? {} : { 'mayfly.dev/merge-request': input.mergeRequest }),
    ...(input.url === undefined ? {} : { 'mayfly.dev/url': input.url }),
  };
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name: input.namespace,
      labels: {
        ...marksOf(input.identity),
        [agentLabel]: input.agent,
        'app.kubernetes.io/managed-by': 'mayfly',
        'pod-security.kubernetes.io/enforce': input.podSecurity,
        'pod-security.kubernetes.io/warn': 'restricted',
      },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    },
  };
}
