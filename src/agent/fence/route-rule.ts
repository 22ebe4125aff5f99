import { fields, groupOf, type Manifest, records, text } from '../manifest.js';
import { type FenceContext, refuseIf } from './fence-rule.js';

/** Refuses an Ingress or a route that takes any host but the preview's own and those below it. */
export function routeRule(manifest: Manifest, context: FenceContext): string[] {
  const group = groupOf(manifest.apiVersion);
  if (group === 'networking.k8s.io' && manifest.kind === 'Ingress') return judgeIngress(manifest, context);
  if (group === 'gateway.networking.k8s.io') return judgeRoute(manifest, context);
  return [];
}

function judgeIngress(manifest: Manifest, context: FenceContext): string[] {
  const spec = fields(manifest.spec);
  const rules = records(spec.rules);
  const tlsHosts = records(spec.tls).flatMap((tls) => (Array.isArray(tls.hosts) ? tls.hosts.map(text) : []));
  return [
    // Without a host it would answer for every name that reaches the controller.
    ...refuseIf(spec.defaultBackend !== undefined, 'spec.defaultBackend is refused: it takes every host'),
    ...refuseIf(rules.length === 0, 'it names no host; give it a rule with the host of the preview'),
    ...refusedHosts([...rules.map((rule) => text(rule.host)), ...tlsHosts], context),
  ];
}

function judgeRoute(manifest: Manifest, context: FenceContext): string[] {
  const spec = fields(manifest.spec);
  const hosts = Array.isArray(spec.hostnames) ? spec.hostnames.map(text) : [];
  const backends = backendReferences(spec.rules).map((reference) => text(reference.namespace));
  return [
    ...refuseIf(hosts.length === 0, 'it names no host; set spec.hostnames to the host of the preview'),
    ...refusedHosts(hosts, context),
    ...refuseIf(
      backends.some((namespace) => namespace !== '' && namespace !== context.namespace),
      'a backend in another namespace is refused',
    ),
  ];
}

/** Every `backendRef` and entry of `backendRefs`, those of mirror filters among them. */
function backendReferences(value: unknown): Record<string, unknown>[] {
  if (Array.isArray(value)) return value.flatMap(backendReferences);
  return Object.entries(fields(value)).flatMap(([key, child]) => [
    ...(key === 'backendRef' ? [fields(child)] : []),
    ...(key === 'backendRefs' ? records(child) : []),
    ...backendReferences(child),
  ]);
}

function refusedHosts(hosts: string[], context: FenceContext): string[] {
  const own = context.host;
  const foreign = [...new Set(hosts)].filter((host) => own === null || !isOwn(host.toLowerCase(), own));
  return foreign.map((host) =>
    own === null
      ? `the host ${host || '(any)'} is refused: the preview has no URL whose host the agent allows`
      : `the host ${host || '(any)'} is refused: the preview's own is ${own}`,
  );
}

function isOwn(host: string, own: string): boolean {
  return host === own || host.endsWith(`.${own}`);
}
