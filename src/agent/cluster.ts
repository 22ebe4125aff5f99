import { isAppError } from '../error/app-error.js';
import type { KubeClient } from '../kube/kube-client.js';
import { listKinds } from '../kube/list-kinds.js';
import { watchObjects } from '../kube/watch.js';
import type { Logger } from '../log/create-logger.js';
import type { ApplyDeps } from './apply/apply-objects.js';
import type { NamespaceDeps } from './apply/ensure-namespace.js';
import { type ClusterReader, maxListed } from './diagnose/cluster-reader.js';
import type { FenceDeps } from './fence/check-fence.js';
import { findObject } from './find-object.js';
import type { SecretSink } from './furnish/secret-sources.js';
import type { Kind, WatchSink } from './live/live-objects.js';
import type { Manifest } from './manifest.js';
import type { MemoryDeps } from './memory/memory-deps.js';
import type { ExamineDeps } from './plan/examine.js';
import type { PruneDeps } from './prune/prune-objects.js';
import type { TeardownDeps } from './teardown/tear-down.js';
import type { UnblockDeps } from './teardown/unblock.js';

/** Of the last lines of a container. */
const maxLogBytes = 64 * 1024;

/** What each room needs of the cluster, from the one client. */
export interface Cluster {
  objects: FenceDeps & ApplyDeps & NamespaceDeps & ExamineDeps & PruneDeps & TeardownDeps;
  unblock: UnblockDeps;
  memory: MemoryDeps;
  diagnose: ClusterReader;
  /** Follows the labelled objects of a kind in every namespace until the signal aborts. */
  watch(kind: Kind, labelSelector: string, sink: WatchSink, signal: AbortSignal): Promise<void>;
  /** Lists the same once, page by page; answers the list's resource version. */
  listPages(
    kind: Kind,
    labelSelector: string,
    onPage: (objects: Manifest[]) => void,
    signal: AbortSignal,
  ): Promise<string>;
  /** Follows all secrets of one namespace until the signal aborts. */
  watchSecrets(namespace: string, sink: SecretSink, signal: AbortSignal): Promise<void>;
}

export function createCluster(client: KubeClient, log: Logger): Cluster {
  return {
    objects: createObjects(client),
    unblock: {
      get: (reference, signal) => client.get(reference, signal),
      listKinds: (signal) => listKinds(client.connection, signal),
      listIn: async (kind, namespace, signal) => (await client.list({ ...kind, namespace, signal })).items,
      mergePatch: (reference, patch, signal) => client.mergePatch(reference, patch, { signal }),
    },
    memory: {
      create: (object, signal) => client.create(object, { signal }),
      get: (reference, signal) => client.get(reference, signal),
      listConfigMaps: async (namespace, labelSelector, signal) =>
        (await client.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector, signal })).items,
      mergePatch: (reference, patch, signal) => client.mergePatch(reference, patch, { signal }),
      remove: (reference, options) => client.remove(reference, options),
    },
    diagnose: createReader(client),
    watch: (kind, labelSelector, sink, signal) =>
      watchObjects(
        client,
        { ...kind, namespace: null, labelSelector },
        {
          ...sink,
          interrupted(error) {
            if (isAppError(error, 'kube-unknown-kind') || isAppError(error, 'kube-forbidden')) sink.unseen();
            interrupted(log, kind.kind, error);
          },
        },
        // Of its own: what each watch listens for is not counted against the others.
        AbortSignal.any([signal]),
      ),
    listPages: (kind, labelSelector, onPage, signal) =>
      client.listPages({ ...kind, namespace: null, labelSelector, signal }, onPage),
    watchSecrets: (namespace, sink, signal) =>
      watchObjects(
        client,
        { apiVersion: 'v1', kind: 'Secret', namespace },
        { ...sink, interrupted: (error) => interrupted(log, `Secret in ${namespace}`, error) },
        signal,
      ),
  };
}

function interrupted(log: Logger, kind: string, error: unknown): void {
  log.info({ kind, code: isAppError(error) ? error.code : null, err: error }, 'watch starts again');
}

function createObjects(client: KubeClient): Cluster['objects'] {
  return {
    isNamespaced: async (apiVersion, kind) => (await client.discovery.lookUp(apiVersion, kind)).namespaced,
    apply: (object, { force, signal }) => client.apply(object, { force, signal }),
    create: (object, signal) => client.create(object, { signal }),
    tryApply: (object, { force, signal }) => client.apply(object, { force, signal, dryRun: true }),
    tryCreate: (object, signal) => client.create(object, { signal, dryRun: true }),
    get: (reference, signal) => client.get(reference, signal),
    remove: (reference, options) => client.remove(reference, options),
  };
}

function createReader(client: KubeClient): ClusterReader {
  return {
    list: async (query, signal) => (await client.list({ ...query, limit: maxListed, signal })).items,
    find: (reference, signal) => findObject(client, reference, signal),
    async readLog({ namespace, pod, container, previous, lines }, signal) {
      const query = { namespace, pod, container, previous, tailLines: lines, limitBytes: maxLogBytes, signal };
      try {
        const log = await client.podLog(query);
        const end = log.lastIndexOf('\n');
        // Cut off in the middle of a line: the half of a secret would not be known as one.
        return Buffer.byteLength(log) < maxLogBytes || end < 0 ? log : log.slice(0, end);
      } catch (error) {
        if (!isAppError(error)) throw error;
        // A container that never ran has no log, and a diagnosis without one is still a diagnosis.
        return '';
      }
    },
  };
}
