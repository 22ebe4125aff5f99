import { createHash } from 'node:crypto';
import { canonicalJson } from '../application/canonical-json.js';

/** A Kubernetes object as plain JSON, as a preview's source yields it and as the cluster answers it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: ManifestMetadata;
  [field: string]: unknown;
}

interface ManifestMetadata {
  name: string;
  namespace?: string;
  uid?: string;
  resourceVersion?: string;
  generation?: number;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  deletionTimestamp?: string;
  finalizers?: string[];
  [field: string]: unknown;
}

/** What names an object; `namespace` is absent for cluster-scoped kinds. */
export interface ObjectReference {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string | undefined;
}

/** `apps` of `apps/v1`, `''` for the core group. */
export function groupOf(apiVersion: string): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** Identity within a namespace. The version is no part of it: `v1beta1` and `v1` of a kind are the same object. */
export function keyOf(object: { apiVersion: string; kind: string; name: string }): string {
  return `${groupOf(object.apiVersion)}/${object.kind}/${object.name}`;
}

/** The same for a manifest. */
export function manifestKey(manifest: Manifest): string {
  return keyOf({ apiVersion: manifest.apiVersion, kind: manifest.kind, name: manifest.metadata.name });
}

/** For people: `Deployment/web`. */
export function displayName(object: { kind: string; name: string }): string {
  return `${object.kind}/${object.name}`;
}

/** A record, or an empty one: for reading fields of objects that nobody has checked. */
export function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

/** The records of a list; what is no list has none. */
export function records(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'object' && each !== null) : [];
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** The number, or what stands in its place when there is none. */
export function count(value: unknown, otherwise = 0): number {
  return typeof value === 'number' ? value : otherwise;
}

/** Metadata that the API server keeps for itself. */
const ownMetadata: ReadonlySet<string> = new Set(['managedFields', 'resourceVersion', 'selfLink']);

/**
 * Fingerprint of what an object holds beside its status. Empty for kinds with a generation, which tells the same and
 * leaves out what controllers write in annotations.
 */
export function contentPrint(object: Manifest): string {
  if (object.metadata.generation !== undefined) return '';
  const { status: _, ...content } = object;
  const metadata = Object.fromEntries(Object.entries(object.metadata).filter(([key]) => !ownMetadata.has(key)));
  return createHash('sha256')
    .update(canonicalJson({ ...content, metadata }))
    .digest('base64url')
    .slice(0, 22);
}
