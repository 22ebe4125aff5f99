import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import type { KubeConnection } from './connection.js';
import { collectionPath, createDiscovery, type Discovery } from './discovery.js';
import type { KubeObject, KubeReference } from './kube-object.js';
import { sendJson, sendText } from './send-json.js';

/** Server-side apply's name of who owns the fields that Mayfly sets. */
const fieldManager = 'mayfly';

interface WriteOptions {
  signal?: AbortSignal | undefined;
  /** Everything is checked and nothing is written. */
  dryRun?: boolean;
}

interface ApplyOptions extends WriteOptions {
  /** Takes fields over from other managers. */
  force?: boolean;
}

interface DeleteOptions extends WriteOptions {
  /** Deletes only the very object that was read: another one of the same name answers `kube-conflict`. */
  preconditions?: { uid?: string; resourceVersion?: string };
  propagation?: 'Background' | 'Foreground' | 'Orphan';
}

interface ListQuery {
  apiVersion: string;
  kind: string;
  /** Null: all namespaces, or a cluster-scoped kind. */
  namespace: string | null;
  labelSelector?: string;
  fieldSelector?: string;
  /** Objects at most; absent: all, in pages. */
  limit?: number;
  signal?: AbortSignal | undefined;
}

interface LogQuery {
  namespace: string;
  pod: string;
  container: string;
  /** Of the container's run before the present one. */
  previous?: boolean;
  tailLines: number;
  limitBytes: number;
  signal?: AbortSignal | undefined;
}

/** The Kubernetes API over plain JSON. Every function throws the `kube-*` errors of `kube-errors.ts`. */
export interface KubeClient {
  readonly connection: KubeConnection;
  readonly discovery: Discovery;
  /** Server-side apply. Unknown fields are refused, not dropped. */
  apply(object: KubeObject, options?: ApplyOptions): Promise<KubeObject>;
  create(object: KubeObject, options?: WriteOptions): Promise<KubeObject>;
  get(reference: KubeReference, signal?: AbortSignal): Promise<KubeObject>;
  list(query: ListQuery): Promise<{ items: KubeObject[]; resourceVersion: string }>;
  /** The same, page by page, for what need not be in memory as a whole; answers the list's resource version. */
  listPages(query: ListQuery, onPage: (items: KubeObject[]) => void): Promise<string>;
  /** JSON merge patch: null removes a field. */
  mergePatch(reference: KubeReference, patch: unknown, options?: WriteOptions): Promise<KubeObject>;
  remove(reference: KubeReference, options?: DeleteOptions): Promise<void>;
  podLog(query: LogQuery): Promise<string>;
}

const callMs = 30_000;
const pageSize = 500;

const objectSchema = z.looseObject({ metadata: z.looseObject({ name: z.string() }) });
const listSchema = z.object({
  metadata: z.object({ resourceVersion: z.string().default(''), continue: z.string().optional() }),
  items: z.array(objectSchema).nullish(),
});

/** Creates a client over an open connection; closing the connection ends it. */
export function createKubeClient(connection: KubeConnection): KubeClient {
  const discovery = createDiscovery(connection);

  async function pathOf(reference: KubeReference): Promise<string> {
    const served = await discovery.lookUp(reference.apiVersion, reference.kind);
    const collection = collectionPath(reference.apiVersion, served, reference.namespace ?? null);
    return `${collection}/${encodeURIComponent(reference.name)}`;
  }

  async function patchApply(object: KubeObject, options: ApplyOptions): Promise<KubeObject> {
    const query = new URLSearchParams({ fieldManager, fieldValidation: 'Strict', ...writeQuery(options) });
    if (options.force) query.set('force', 'true');
    return objectOf(
      object,
      await sendJson(connection, {
        method: 'PATCH',
        path: `${await pathOf(referenceOf(object))}?${query}`,
        contentType: 'application/apply-patch+yaml',
        body: object,
        timeoutMs: callMs,
        signal: options.signal,
      }),
    );
  }

  async function apply(object: KubeObject, options: ApplyOptions = {}): Promise<KubeObject> {
    try {
      return await patchApply(object, options);
    } catch (error) {
      if (!isAppError(error, 'kube-unavailable') || error.data.status !== 500 || error.data.reason !== '') throw error;
      // Server-side apply answers an object that does not fit its kind as if it had failed itself. Creating it for
      // show tells the one from the other: there the same fault is an invalid request.
      await create(object, { ...options, dryRun: true }).catch((fault: unknown) => {
        if (isAppError(fault, 'kube-invalid')) throw fault;
      });
      throw error;
    }
  }

  async function create(object: KubeObject, options: WriteOptions = {}): Promise<KubeObject> {
    const served = await discovery.lookUp(object.apiVersion, object.kind);
    const path = collectionPath(object.apiVersion, served, object.metadata.namespace ?? null);
    const query = new URLSearchParams({ fieldManager, fieldValidation: 'Strict', ...writeQuery(options) });
    return objectOf(
      object,
      await sendJson(connection, {
        method: 'POST',
        path: `${path}?${query}`,
        body: object,
        timeoutMs: callMs,
        signal: options.signal,
      }),
    );
  }

  async function get(reference: KubeReference, signal?: AbortSignal): Promise<KubeObject> {
    const path = await pathOf(reference);
    return objectOf(reference, await sendJson(connection, { method: 'GET', path, timeoutMs: callMs, signal }));
  }

  async function list(query: ListQuery): Promise<{ items: KubeObject[]; resourceVersion: string }> {
    const items: KubeObject[] = [];
    const resourceVersion = await listPages(query, (page) => {
      for (const item of page) items.push(item);
    });
    return { items, resourceVersion };
  }

  async function listPages(query: ListQuery, onPage: (items: KubeObject[]) => void): Promise<string> {
    const served = await discovery.lookUp(query.apiVersion, query.kind);
    const path = collectionPath(query.apiVersion, served, query.namespace);
    let next: string | undefined;
    let resourceVersion = '';
    do {
      const parameters = new URLSearchParams({ limit: String(query.limit ?? pageSize) });
      if (query.labelSelector !== undefined) parameters.set('labelSelector', query.labelSelector);
      if (query.fieldSelector !== undefined) parameters.set('fieldSelector', query.fieldSelector);
      if (next !== undefined) parameters.set('continue', next);
      const call = { method: 'GET', path: `${path}?${parameters}`, timeoutMs: callMs, signal: query.signal } as const;
      const page = listSchema.parse(await sendJson(connection, call));
      onPage((page.items ?? []).map((item) => objectOf(query, item)));
      resourceVersion = page.metadata.resourceVersion;
      next = page.metadata.continue || undefined;
    } while (next !== undefined && query.limit === undefined);
    return resourceVersion;
  }

  async function mergePatch(reference: KubeReference, patch: unknown, options: WriteOptions = {}): Promise<KubeObject> {
    const query = new URLSearchParams({ fieldManager, ...writeQuery(options) });
    return objectOf(
      reference,
      await sendJson(connection, {
        method: 'PATCH',
        path: `${await pathOf(reference)}?${query}`,
        contentType: 'application/merge-patch+json',
        body: patch,
        timeoutMs: callMs,
        signal: options.signal,
      }),
    );
  }

  async function remove(reference: KubeReference, options: DeleteOptions = {}): Promise<void> {
    await sendJson(connection, {
      method: 'DELETE',
      path: await pathOf(reference),
      body: {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(options.preconditions === undefined ? {} : { preconditions: options.preconditions }),
        ...(options.dryRun ? { dryRun: ['All'] } : {}),
        propagationPolicy: options.propagation ?? 'Background',
      },
      timeoutMs: callMs,
      signal: options.signal,
    });
  }

  function podLog(query: LogQuery): Promise<string> {
    const parameters = new URLSearchParams({
      container: query.container,
      tailLines: String(query.tailLines),
      limitBytes: String(query.limitBytes),
      previous: String(query.previous ?? false),
    });
    const pod = `/api/v1/namespaces/${encodeURIComponent(query.namespace)}/pods/${encodeURIComponent(query.pod)}`;
    const call = { method: 'GET', path: `${pod}/log?${parameters}`, timeoutMs: 10_000, signal: query.signal } as const;
    return sendText(connection, call, query.limitBytes * 2);
  }

  return { connection, discovery, apply, create, get, list, listPages, mergePatch, remove, podLog };
}

function writeQuery(options: WriteOptions): Record<string, string> {
  return options.dryRun ? { dryRun: 'All' } : {};
}

function referenceOf(object: KubeObject): KubeReference {
  return {
    apiVersion: object.apiVersion,
    kind: object.kind,
    name: object.metadata.name,
    namespace: object.metadata.namespace,
  };
}

/** Items of a list come without their kind: it is put back, for everything downstream reads it. */
function objectOf(named: { apiVersion: string; kind: string }, answer: unknown): KubeObject {
  const object = objectSchema.parse(answer);
  return { ...object, apiVersion: named.apiVersion, kind: named.kind } as KubeObject;
}
