import { fields, type Manifest } from '../manifest.js';
import { markPrefix } from '../marks.js';
import { type FenceContext, refuseIf } from './fence-rule.js';

/** Fields that only the API server or a controller sets. */
const reservedFields = [
  'generateName',
  'ownerReferences',
  'finalizers',
  'uid',
  'resourceVersion',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
  'selfLink',
];

/** Labels by which other programs claim what they may delete. */
const claimingLabels: ReadonlySet<string> = new Set([
  'argocd.argoproj.io/instance',
  'kustomize.toolkit.fluxcd.io/name',
  'kustomize.toolkit.fluxcd.io/namespace',
  'helm.toolkit.fluxcd.io/name',
  'helm.toolkit.fluxcd.io/namespace',
]);

/** The one of Mayfly's annotations that a manifest may carry: it concerns the object's own fields alone. */
const ownAnnotation = 'mayfly.dev/force-conflicts';

/** Refuses what would make an object another's, or outlive the preview. */
export function metadataRule(manifest: Manifest, context: FenceContext): string[] {
  const { metadata } = manifest;
  const elsewhere = metadata.namespace !== undefined && metadata.namespace !== context.namespace;
  const labels = Object.keys(fields(metadata.labels));
  return [
    ...refuseIf(elsewhere, `metadata.namespace is not the preview's own namespace ${context.namespace}; leave it out`),
    ...reservedFields
      .filter((field) => metadata[field] !== undefined && metadata[field] !== null)
      .map((field) => `metadata.${field} may not be set`),
    ...refuseIf(/^mayfly($|-)/.test(metadata.name), `the name ${metadata.name} is one that Mayfly uses`),
    ...refuseIf(metadata.name === 'kube-root-ca.crt', 'the name kube-root-ca.crt is the cluster’s'),
    ...labels
      .filter((label) => claimingLabels.has(label))
      .map((label) => `the label ${label} belongs to another program`),
    ...markedKeys(manifest).map((key) => `${key} begins with ${markPrefix}, which is Mayfly's`),
    ...refuseIf(Object.keys(fields(manifest.status)).length > 0, 'status is reported by the cluster; leave it out'),
  ];
}

/** Labels and annotations anywhere in the object, the templates of pods and claims among them. */
function markedKeys(value: unknown): string[] {
  const found = new Set<string>();
  walkMetadata(value, (metadata) => {
    for (const field of ['labels', 'annotations']) {
      for (const key of Object.keys(fields(metadata[field]))) {
        if (key.startsWith(markPrefix) && !(field === 'annotations' && key === ownAnnotation)) found.add(key);
      }
    }
  });
  return [...found];
}

/** Calls `visit` with every `metadata` in a document, however deep. */
export function walkMetadata(value: unknown, visit: (metadata: Record<string, unknown>) => void): void {
  if (Array.isArray(value)) {
    for (const each of value) walkMetadata(each, visit);
    return;
  }
  for (const [key, child] of Object.entries(fields(value))) {
    if (key === 'metadata') visit(fields(child));
    walkMetadata(child, visit);
  }
}
