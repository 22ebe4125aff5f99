import { fields, type Manifest, text } from '../manifest.js';
import { refuseIf } from './fence-rule.js';

/** Refuses Services that reach out of the cluster's inner network, or stand for something outside. */
export function serviceRule(manifest: Manifest): string[] {
  if (manifest.kind !== 'Service' || manifest.apiVersion !== 'v1') return [];
  const spec = fields(manifest.spec);
  const type = text(spec.type) || 'ClusterIP';
  const outside = ['externalIPs', 'externalName', 'loadBalancerIP', 'loadBalancerClass', 'healthCheckNodePort'];
  return [
    ...refuseIf(type !== 'ClusterIP', `type ${type} is refused: a preview's Services are of type ClusterIP`),
    ...outside
      .filter((field) => isSet(spec[field]))
      .map((field) => `spec.${field} is refused: it leads out of the preview`),
  ];
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== '';
}
