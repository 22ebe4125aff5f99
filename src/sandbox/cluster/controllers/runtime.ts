import type { Logger } from 'pino';
import type { ClusterState } from '../cluster-state.js';
import type { KubeObject } from '../object.js';
import type { Change } from '../store.js';
import { createEventRecorder, type RecordEvent } from './event-recorder.js';
import { createWorkQueue } from './work-queue.js';

/** What a controller works with. Controllers hear of changes; none of them polls. */
export interface Runtime {
  state: ClusterState;
  /** Tells what happened to an object, as `kubectl describe` and `get events` show it. */
  record: RecordEvent;
  /** Names a reconcile function; the returned function asks for one run of it, however often it is called before. */
  queue(name: string, reconcile: (namespace: string, name: string) => void): (namespace: string, name: string) => void;
  /** Calls the listener for each change of a storage, and for each object that is there already. */
  onChange(storage: string, listener: (change: Change) => void): void;
  /** Runs an action once after a delay; another call with the same key replaces it. */
  later(key: string, delayMs: number, action: () => void): void;
  /** Forgets what `later` was to do. */
  cancel(key: string): void;
}

export interface RunningControllers {
  stop(): void;
}

/** Starts controllers: each registers what it listens to, then hears of all that is there already. */
export function startRuntime(
  state: ClusterState,
  log: Logger,
  controllers: ((runtime: Runtime) => void)[],
): RunningControllers {
  const work = createWorkQueue(log);
  const listeners = new Map<string, ((change: Change) => void)[]>();
  const runtime: Runtime = {
    state,
    record: createEventRecorder(state),
    queue: (name, reconcile) => (namespace, object) =>
      work.add(`${name}/${namespace}/${object}`, () => reconcile(namespace, object)),
    onChange(storage, listener) {
      const all = listeners.get(storage) ?? [];
      listeners.set(storage, [...all, listener]);
    },
    later: work.later,
    cancel: work.cancel,
  };
  for (const controller of controllers) controller(runtime);
  const unsubscribe = state.store.subscribe((change) => {
    for (const listener of listeners.get(change.storage) ?? []) listener(change);
  });
  for (const [storage, all] of listeners) {
    for (const object of state.store.list(storage)) {
      for (const listener of all) listener(asAdded(storage, object));
    }
  }
  return {
    stop() {
      unsubscribe();
      work.stop();
    },
  };
}

function asAdded(storage: string, object: KubeObject): Change {
  return { type: 'ADDED', storage, object, revision: Number(object.metadata.resourceVersion ?? 0) };
}
