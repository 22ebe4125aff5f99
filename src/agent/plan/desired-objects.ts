import { fields, groupOf, type Manifest } from '../manifest.js';
import { marksOf, type PreviewIdentity } from '../marks.js';

export interface DesiredInput {
  identity: PreviewIdentity;
  namespace: string;
  /** Declared asleep in Git: workloads are scaled to zero. */
  asleep: boolean;
}

const scaled: ReadonlySet<string> = new Set(['apps/Deployment', 'apps/StatefulSet', 'apps/ReplicaSet']);

/**
 * The objects as they are applied: in the preview's namespace, with the marks that say whose they are, without the
 * empty fields that tools leave in manifests. The manifests are not changed.
 */
export function desiredObjects(manifests: readonly Manifest[], input: DesiredInput): Manifest[] {
  return manifests.map((manifest) => {
    const { creationTimestamp: _, ...metadata } = manifest.metadata;
    const { status: __, ...object } = manifest;
    const marked: Manifest = {
      ...object,
      apiVersion: manifest.apiVersion,
      kind: manifest.kind,
      metadata: {
        ...metadata,
        name: manifest.metadata.name,
        namespace: input.namespace,
        labels: { ...manifest.metadata.labels, ...marksOf(input.identity) },
      },
    };
    return input.asleep ? scaledToZero(marked) : marked;
  });
}

function scaledToZero(object: Manifest): Manifest {
  const kind = `${groupOf(object.apiVersion)}/${object.kind}`;
  return scaled.has(kind) ? { ...object, spec: { ...fields(object.spec), replicas: 0 } } : object;
}
