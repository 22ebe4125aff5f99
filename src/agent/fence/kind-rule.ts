import { groupOf, type Manifest } from '../manifest.js';
import { type FenceContext, refuseIf } from './fence-rule.js';

/** API groups whose namespaced kinds do what they say and no more. Kinds of operators may act with an operator's rights. */
const plainGroups: ReadonlySet<string> = new Set(['', 'apps', 'batch', 'autoscaling', 'policy', 'networking.k8s.io']);

/** Kinds of other groups that are judged by rules of their own. */
const judgedKinds: ReadonlySet<string> = new Set([
  'gateway.networking.k8s.io/HTTPRoute',
  'gateway.networking.k8s.io/GRPCRoute',
  'gateway.networking.k8s.io/TLSRoute',
]);

/** What Mayfly or the cluster's operator decides, not the preview; no configuration lets these in. */
const refusedKinds: Readonly<Record<string, string>> = {
  'networking.k8s.io/NetworkPolicy': 'a preview may not change its network policy',
  '/ResourceQuota': 'a preview may not change its quota',
  '/LimitRange': 'a preview may not change its limits',
  'rbac.authorization.k8s.io/Role': 'a preview may not grant rights',
  'rbac.authorization.k8s.io/RoleBinding': 'a preview may not grant rights',
  '/Endpoints': 'traffic may not be sent to addresses outside the preview',
  'discovery.k8s.io/EndpointSlice': 'traffic may not be sent to addresses outside the preview',
  'gateway.networking.k8s.io/ReferenceGrant': 'a preview may not open itself to other namespaces',
  '/Event': 'events are the cluster’s',
  '/Binding': 'the scheduler places pods',
  'argoproj.io/Application': 'an Application inside a preview is not supported',
  'argoproj.io/ApplicationSet': 'a preview may not make Applications',
  'argoproj.io/AppProject': 'a preview may not make projects',
};

/** The best known of the cluster-scoped kinds outside the plain groups, so that they are refused in plain words. */
const clusterKinds: ReadonlySet<string> = new Set([
  'rbac.authorization.k8s.io/ClusterRole',
  'rbac.authorization.k8s.io/ClusterRoleBinding',
  'apiextensions.k8s.io/CustomResourceDefinition',
  'apiregistration.k8s.io/APIService',
  'admissionregistration.k8s.io/MutatingWebhookConfiguration',
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration',
  'admissionregistration.k8s.io/MutatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicy',
  'admissionregistration.k8s.io/ValidatingAdmissionPolicyBinding',
  'scheduling.k8s.io/PriorityClass',
  'storage.k8s.io/StorageClass',
  'node.k8s.io/RuntimeClass',
  'certificates.k8s.io/CertificateSigningRequest',
]);

/** Refuses kinds by name. That a kind is cluster-scoped is seen from the API server's own list, in `checkFence`. */
export function kindRule(manifest: Manifest, context: FenceContext): string[] {
  const kind = `${groupOf(manifest.apiVersion)}/${manifest.kind}`;
  const reason = refusedKinds[kind];
  if (reason !== undefined) return [`${manifest.kind} is refused: ${reason}`];
  if (clusterKinds.has(kind)) return [clusterScoped(manifest.kind)];
  if (context.denyKinds.includes(kind)) return [`kind ${kind} is refused by the agent's configuration`];
  const known = plainGroups.has(groupOf(manifest.apiVersion)) || judgedKinds.has(kind);
  return refuseIf(
    !known && !context.allowKinds.includes(kind),
    `kind ${kind} is not among those that a preview may have; an operator can add it to kinds.allow of the agent`,
  );
}

export function clusterScoped(kind: string): string {
  return `${kind} is cluster-scoped; a preview has only objects inside its namespace`;
}
