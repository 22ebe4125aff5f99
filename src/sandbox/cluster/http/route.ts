import { ApiError, noSuchResource } from '../api-error.js';
import type { Kind } from '../kind.js';
import type { KindRegistry } from '../kinds.js';

/** What a path below /api/v1 or /apis/GROUP/VERSION names. */
export interface Route {
  kind: Kind;
  /** Undefined: all namespaces, or a kind that has none. */
  namespace: string | undefined;
  name: string | undefined;
  subresource: string | undefined;
}

/** The path that names nothing, answered in plain text as the API server does. */
export function isUnknownRoot(path: string): boolean {
  return !path.startsWith('/api/v1/') && !path.startsWith('/apis/');
}

/** Reads `/api/v1/namespaces/NS/pods/NAME/log` and its like. Throws NotFound for what is not served. */
export function parseRoute(kinds: KindRegistry, path: string): Route {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const isCore = parts.shift() === 'api';
  const group = isCore ? '' : (parts.shift() ?? '');
  const version = parts.shift() ?? '';
  if (!kinds.hasGroupVersion(group, version)) throw new ApiError(404, '', '404 page not found');
  // `/namespaces/NS/status` is a subresource of the Namespace; `/namespaces/NS/pods` a kind in it.
  const inNamespace = parts[0] === 'namespaces' && parts.length > 2 && !(isCore && isNamespaceSubresource(parts));
  const namespace = inNamespace ? parts[1] : undefined;
  const [plural = '', name, subresource, ...rest] = inNamespace ? parts.slice(2) : parts;
  const kind = kinds.byPath(group, version, plural);
  if (kind === undefined || rest.length > 0 || (inNamespace && !kind.namespaced)) throw noSuchResource();
  if (kind.namespaced && name !== undefined && !inNamespace) throw noSuchResource();
  return { kind, namespace, name, subresource };
}

function isNamespaceSubresource(parts: string[]): boolean {
  return parts.length === 3 && (parts[2] === 'status' || parts[2] === 'finalize');
}
