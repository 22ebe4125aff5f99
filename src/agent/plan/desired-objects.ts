import { fields, type Manifest } from '../manifest.js';
import { marksOf, type PreviewIdentity } from '../marks.js';
import { putToSleep } from './put-to-sleep.js';

export interface DesiredInput {
  identity: PreviewIdentity;
  namespace: string;
  /** Declared asleep in Git: workloads are scaled to zero. */
  asleep: boolean;
}

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
    const plain = withPlainData(marked);
    return input.asleep ? putToSleep(plain) : plain;
  });
}

/**
 * A Secret's `stringData` as `data`, which is what the API server makes of it. Left to the server, a key that is
 * taken out later would stay for ever, for it would not know who set it.
 */
function withPlainData(object: Manifest): Manifest {
  if (object.kind !== 'Secret' || object.apiVersion !== 'v1') return object;
  const { stringData, ...secret } = object;
  const written = Object.entries(fields(stringData));
  if (written.some(([, value]) => typeof value !== 'string') || written.length === 0) return object;
  const encoded = written.map(([key, value]) => [key, Buffer.from(String(value)).toString('base64')]);
  return { ...secret, data: { ...fields(object.data), ...Object.fromEntries(encoded) } } as Manifest;
}
