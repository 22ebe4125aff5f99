import { isAppError } from '../error/app-error.js';
import type { KubeClient } from '../kube/kube-client.js';
import { watchObjects } from '../kube/watch.js';
import type { Logger } from '../log/create-logger.js';
import type { ApplyDeps } from './apply/apply-objects.js';
import type { NamespaceDeps } from './apply/ensure-namespace.js';
import type { DiagnoseDeps } from './diagnose/diagnose.js';
import type { FenceDeps } from './fence/check-fence.js';
import type { Kind, WatchSink } from './live/live-objects.js';
import type { MemoryDeps } from './memory/memory-deps.js';
import type { PruneDeps } from './prune/prune-objects.js';
import type { TeardownDeps } from './teardown/tear-down.js';

/** Pods and events of one preview that a diagnosis reads at most. */
const maxLooked = 200;
const maxLogBytes = 16 * 1024;

/** What each room needs of the cluster, from the one client. */
export interface Cluster {
  objects: FenceDeps & ApplyDeps & NamespaceDeps & PruneDeps & TeardownDeps;
  memory: MemoryDeps;
  diagnose: DiagnoseDeps;
  /** Follows the labelled objects of a kind in every namespace until the signal aborts. */
  watch(kind: Kind, labelSelector: string, sink: WatchSink, signal: AbortSignal): Promise<void>;
}

export function createCluster(client: KubeClient, log: Logger): Cluster {
  return {
    objects: createObjects(client),
    memory: {
      create: (object, signal) => client.create(object, { signal }),
      get: (reference, signal) => client.get(reference, signal),
      listConfigMaps: async (namespace, labelSelector, signal) =>
        (await client.list({ apiVersion: 'v1', kind: 'ConfigMap', namespace, labelSelector, signal })).items,
      mergePatch: (reference, patch, signal) => client.mergePatch(reference, patch, { signal }),
      remove: (reference, options) => client.remove(reference, options),
    },
    diagnose: createDiagnosis(client),
    watch: (kind, labelSelector, sink, signal) =>
      watchObjects(
        client,
        { ...kind, namespace: null, labelSelector },
        {
          ...sink,
          interrupted: (error) =>
            log.info(
              { kind: kind.kind, code: isAppError(error) ? error.code : null, err: error },
              'watch starts again',
            ),
        },
        signal,
      ),
  };
}

function createObjects(client: KubeClient): Cluster['objects'] {
  return {
    isNamespaced: async (apiVersion, kind) => (await client.discovery.lookUp(apiVersion, kind)).namespaced,
    apply: (object, { force, signal }) => client.apply(object, { force, signal }),
    create: (object, signal) => client.create(object, { signal }),
    get: (reference, signal) => client.get(reference, signal),
    remove: (reference, options) => client.remove(reference, options),
  };
}

function createDiagnosis(client: KubeClient): DiagnoseDeps {
  const list = async (kind: string, namespace: string, fieldSelector: string | undefined, signal: AbortSignal) => {
    const selected = fieldSelector === undefined ? {} : { fieldSelector };
    return (await client.list({ apiVersion: 'v1', kind, namespace, limit: maxLooked, signal, ...selected })).items;
  };
  return {
    listPods: (namespace, signal) => list('Pod', namespace, undefined, signal),
    listWarnings: (namespace, signal) => list('Event', namespace, 'type=Warning', signal),
    async readLog({ namespace, pod, container, previous, lines }, signal) {
      const query = { namespace, pod, container, previous, tailLines: lines, limitBytes: maxLogBytes, signal };
      try {
        return await client.podLog(query);
      } catch (error) {
        if (!isAppError(error)) throw error;
        // A container that never ran has no log, and a diagnosis without one is still a diagnosis.
        return '';
      }
    },
  };
}
