import type { Manifest, ObjectReference } from '../manifest.js';

interface ObjectQuery {
  apiVersion: string;
  kind: string;
  /** null: a cluster-scoped kind. */
  namespace: string | null;
  fieldSelector?: string;
}

interface LogQuery {
  namespace: string;
  pod: string;
  container: string;
  /** Of its run before the present one. */
  previous: boolean;
  lines: number;
}

/** Objects that one list holds at most; whoever gets so many may not know all. */
export const maxListed = 500;

/** What a diagnosis reads; each answer is bounded. Errors: the `kube-*` codes. */
export interface ClusterReader {
  list(query: ObjectQuery, signal: AbortSignal): Promise<Manifest[]>;
  /** null: there is none. */
  find(reference: ObjectReference, signal: AbortSignal): Promise<Manifest | null>;
  /** The last lines of a container's output; empty when there is none. */
  readLog(query: LogQuery, signal: AbortSignal): Promise<string>;
}
