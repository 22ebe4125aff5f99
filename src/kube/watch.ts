import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { isAppError } from '../error/app-error.js';
import { collectionPath } from './discovery.js';
import type { KubeClient } from './kube-client.js';
import { statusError, unavailableError } from './kube-errors.js';
import type { KubeObject } from './kube-object.js';

export interface WatchQuery {
  apiVersion: string;
  kind: string;
  /** Null: all namespaces, or a cluster-scoped kind. */
  namespace: string | null;
  labelSelector?: string;
  fieldSelector?: string;
}

export interface WatchHandler {
  /** The whole truth, at the start and after each gap: what is not in it is gone. */
  replaced(objects: KubeObject[], resourceVersion: string): void;
  changed(object: KubeObject): void;
  deleted(object: KubeObject): void;
  /** The watch broke and starts again; for the log. */
  interrupted?(error: unknown): void;
}

/** The resource version after which the next connection continues; null: list again. */
interface Cursor {
  position: string | null;
}

const eventSchema = z.object({ type: z.string(), object: z.looseObject({}) });

/** The API server ends a watch after this long; another one goes on where it stopped. */
const watchSeconds = 290;
const maxPauseMs = 10_000;
/** A connection that stood for this long, or told something, was a good one. */
const workedMs = 1_000;

/**
 * Follows the objects of one kind until `signal` aborts: lists, then watches from there, again after a reset, and
 * lists again when the API server no longer knows where it was (410). Resolves only then; never rejects.
 */
export async function watchObjects(
  client: KubeClient,
  query: WatchQuery,
  handler: WatchHandler,
  signal: AbortSignal,
): Promise<void> {
  const cursor: Cursor = { position: null };
  let failures = 0;
  while (!signal.aborted) {
    let startedAt = Date.now();
    let from: string | null = null;
    try {
      if (cursor.position === null) {
        const list = await client.list({ ...query, signal });
        handler.replaced(list.items, list.resourceVersion);
        cursor.position = list.resourceVersion;
      }
      startedAt = Date.now();
      from = cursor.position;
      await watchOnce(client, query, cursor, handler, signal);
      failures = 0;
      // A server that ends each watch at once is not asked in a circle.
      if (Date.now() - startedAt < workedMs) await pause(1, signal);
    } catch (error) {
      if (signal.aborted) return;
      handler.interrupted?.(error);
      // One that has worked and was reset is begun again quickly, however often that happened before.
      const worked = from !== null && (from !== cursor.position || Date.now() - startedAt >= workedMs);
      if (isAppError(error, 'kube-gone')) cursor.position = null;
      failures = worked ? 1 : failures + 1;
      await pause(failures, signal);
    }
  }
}

/** One connection; the cursor follows each event, so that one that breaks is continued where it was. */
async function watchOnce(
  client: KubeClient,
  query: WatchQuery,
  cursor: Cursor,
  handler: WatchHandler,
  signal: AbortSignal,
): Promise<void> {
  const call = `watch of ${query.kind}`;
  const answer = await client.connection.send({
    method: 'GET',
    path: await watchPath(client, query, cursor.position ?? '', signal),
    timeoutMs: 30_000,
    signal,
    stream: true,
  });
  if (answer.statusCode !== 200) {
    throw statusError(call, answer.statusCode, await answer.body.json().catch(() => null));
  }
  for await (const line of lines(answer.body, call)) {
    const event = eventSchema.parse(JSON.parse(line));
    if (event.type === 'ERROR') throw statusError(call, codeOf(event.object), event.object);
    const object = { apiVersion: query.apiVersion, kind: query.kind, ...event.object } as unknown as KubeObject;
    if (event.type === 'DELETED') handler.deleted(object);
    else if (event.type !== 'BOOKMARK') handler.changed(object);
    cursor.position = object.metadata.resourceVersion ?? cursor.position;
  }
}

async function watchPath(client: KubeClient, query: WatchQuery, from: string, signal: AbortSignal): Promise<string> {
  const served = await client.discovery.lookUp(query.apiVersion, query.kind, signal);
  const parameters = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: from,
    timeoutSeconds: String(watchSeconds),
  });
  if (query.labelSelector !== undefined) parameters.set('labelSelector', query.labelSelector);
  if (query.fieldSelector !== undefined) parameters.set('fieldSelector', query.fieldSelector);
  return `${collectionPath(query.apiVersion, served, query.namespace)}?${parameters}`;
}

async function* lines(body: AsyncIterable<Uint8Array>, call: string): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for await (const chunk of body) {
      rest += decoder.decode(chunk, { stream: true });
      const parts = rest.split('\n');
      rest = parts.pop() ?? '';
      for (const part of parts) if (part !== '') yield part;
    }
  } catch (error) {
    if (isAppError(error)) throw error;
    throw unavailableError(call, 'the connection broke', error);
  }
}

function codeOf(status: Record<string, unknown>): number {
  return typeof status.code === 'number' ? status.code : 500;
}

/** Quick at first, for a restarted API server is back soon; spread, so that many watches do not return at once. */
async function pause(failures: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(maxPauseMs, 100 * 2 ** Math.min(failures, 8)) * (0.5 + Math.random() / 2);
  await delay(ms, undefined, { signal }).catch(() => undefined);
}
