import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import type { KubeConnection } from './connection.js';
import { unknownKindError } from './kube-errors.js';
import { sendJson } from './send-json.js';

/** How the API server serves a kind. */
export interface ServedKind {
  /** Plural, as in paths: `deployments`. */
  resource: string;
  namespaced: boolean;
  verbs: string[];
}

/** What kinds the API server serves. */
export interface Discovery {
  /** Throws `kube-unknown-kind` for one that it does not serve. */
  lookUp(apiVersion: string, kind: string, signal?: AbortSignal): Promise<ServedKind>;
}

const resourceList = z.object({
  resources: z.array(
    z.object({ name: z.string(), kind: z.string(), namespaced: z.boolean(), verbs: z.array(z.string()) }),
  ),
});

/** After this long an unknown kind is looked for again: its CustomResourceDefinition may be there now. */
const unknownMs = 5_000;

type Group = Map<string, ServedKind>;

/**
 * Reads the kinds of each group and version once, when it is first needed, and again when a kind is not among them.
 */
export function createDiscovery(connection: KubeConnection): Discovery {
  const groups = new Map<string, { readAt: number; kinds: Promise<Group> }>();

  function read(apiVersion: string, signal?: AbortSignal): Promise<Group> {
    const kinds = readGroup(connection, apiVersion, signal);
    groups.set(apiVersion, { readAt: Date.now(), kinds });
    // A failure is not kept: the next one asks again.
    kinds.catch(() => groups.delete(apiVersion));
    return kinds;
  }

  return {
    async lookUp(apiVersion, kind, signal) {
      const known = groups.get(apiVersion);
      const found = (await (known?.kinds ?? read(apiVersion))).get(kind);
      if (found !== undefined) return found;
      if (known === undefined || Date.now() - known.readAt < unknownMs) throw unknownKindError(apiVersion, kind);
      const again = (await read(apiVersion, signal)).get(kind);
      if (again === undefined) throw unknownKindError(apiVersion, kind);
      return again;
    },
  };
}

async function readGroup(connection: KubeConnection, apiVersion: string, signal?: AbortSignal): Promise<Group> {
  const kinds: Group = new Map();
  if (!/^([a-z0-9.-]+\/)?v[a-z0-9]+$/.test(apiVersion)) return kinds;
  const path = `${apiVersion.includes('/') ? '/apis/' : '/api/'}${apiVersion}`;
  try {
    const answer = resourceList.parse(await sendJson(connection, { method: 'GET', path, timeoutMs: 10_000, signal }));
    for (const { name, kind, namespaced, verbs } of answer.resources) {
      // `pods/status` and the like are parts of an object, not kinds of their own.
      if (!name.includes('/')) kinds.set(kind, { resource: name, namespaced, verbs });
    }
  } catch (error) {
    if (!isAppError(error, 'kube-not-found')) throw error;
  }
  return kinds;
}

/** Path of a kind's collection. `namespace` is null for all namespaces. */
export function collectionPath(apiVersion: string, served: ServedKind, namespace: string | null): string {
  const base = `${apiVersion.includes('/') ? '/apis/' : '/api/'}${apiVersion}`;
  const middle = served.namespaced && namespace !== null ? `/namespaces/${encodeURIComponent(namespace)}` : '';
  return `${base}${middle}/${served.resource}`;
}
