import { ApiError, badRequest } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import { present } from '../event-versions.js';
import type { Kind } from '../kind.js';
import type { KubeObject } from '../object.js';
import { requestMatcher } from '../selectors.js';

export interface ObjectList {
  kind: string;
  apiVersion: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: KubeObject[];
}

/** Lists a kind, in pages of `limit`. A continued list shows the present state, not the one of its first page. */
export function listObjects(
  state: ClusterState,
  kind: Kind,
  namespace: string | undefined,
  query: URLSearchParams,
): ObjectList {
  const matches = requestMatcher(kind, query);
  let items = state.store.list(kind.storage, namespace).map((object) => present(kind, object));
  if (matches !== undefined) items = items.filter(matches);
  const start = query.get('continue');
  if (start) {
    const after = parseToken(start);
    items = items.filter((object) => keyOf(object) > after);
  }
  const limit = Number(query.get('limit') ?? 0);
  const page = limit > 0 ? items.slice(0, limit) : items;
  const last = page.at(-1);
  const more = items.length - page.length;
  return {
    kind: `${kind.kind}List`,
    apiVersion: kind.apiVersion,
    metadata: {
      resourceVersion: String(state.store.revision()),
      ...(more > 0 && last !== undefined ? { continue: token(last), remainingItemCount: more } : {}),
    },
    items: page,
  };
}

function keyOf(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${object.metadata.name}`;
}

function token(last: KubeObject): string {
  return Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', start: keyOf(last) })).toString('base64url');
}

function parseToken(text: string): string {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (typeof parsed === 'object' && parsed !== null && 'start' in parsed && typeof parsed.start === 'string') {
      return parsed.start;
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw badRequest('continue key is not valid');
}

/** 410: the watch must list again. */
export function expired(from: number, current: number): ApiError {
  return new ApiError(410, 'Expired', `too old resource version: ${from} (${current})`);
}
