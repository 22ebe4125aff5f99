import { createHash } from 'node:crypto';
import { type Application, annotationPrefix } from './application.js';
import { canonicalJson } from './canonical-json.js';

/** Annotations that say whose the file is, not what it asks for. */
const uncounted: readonly string[] = [`${annotationPrefix}installation`, `${annotationPrefix}incarnation`];

/**
 * Fingerprint of what a file asks for: 64 hexadecimal digits of SHA-256 over the canonical JSON of the parsed
 * Application with all annotations but installation and incarnation. Comments and the order of keys do not count.
 * Both programs compute it from the file; it is never stored there.
 */
export function revisionOf(application: Application): string {
  const annotations = Object.fromEntries(
    Object.entries(application.metadata.annotations).filter(([key]) => !uncounted.includes(key)),
  );
  const counted = { ...application, metadata: { ...application.metadata, annotations } };
  return createHash('sha256').update(canonicalJson(counted)).digest('hex');
}
