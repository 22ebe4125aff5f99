import type { Manifest } from '../manifest.js';
import type { NetworkSettings } from './furniture-settings.js';
import { furnitureName } from './resource-bounds.js';

const dnsPorts = [
  { protocol: 'UDP', port: 53 },
  { protocol: 'TCP', port: 53 },
];
/** Where a cache of DNS on each node listens, by Kubernetes' own custom: an address of no pod. */
const nodeLocalDns = '169.254.20.10/32';

/** Every address, in both families. */
const everywhere = ['0.0.0.0/0', '::/0'];

/**
 * The isolation of a preview: reached from its own namespace and from those that the operator allows; reaching its own
 * namespace, DNS, and everything outside the denied networks. null where previews are open.
 */
export function networkPolicy(settings: NetworkSettings): Manifest | null {
  if (settings.policy === 'open') return null;
  const { allowFrom, denyTo } = settings;
  const own = { podSelector: {} };
  const allowed = {
    namespaceSelector: {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: [...allowFrom] }],
    },
  };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: furnitureName },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: allowFrom.length === 0 ? [own] : [own, allowed] }],
      egress: [
        { to: [own] },
        { to: [{ namespaceSelector: {} }, { ipBlock: { cidr: nodeLocalDns } }], ports: dnsPorts },
        ...outside(denyTo),
      ],
    },
  };
}

/** A rule for all that is not denied; none where a whole family is. */
function outside(denyTo: readonly string[]): { to: unknown[] }[] {
  const blocks = everywhere.flatMap((cidr) => {
    const except = denyTo.filter((each) => each.includes(':') === cidr.includes(':'));
    if (except.some((each) => each.endsWith('/0'))) return [];
    return [{ ipBlock: { cidr, ...(except.length === 0 ? {} : { except }) } }];
  });
  return blocks.length === 0 ? [] : [{ to: blocks }];
}
