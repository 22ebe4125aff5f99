import type { ServerResponse } from 'node:http';
import { statusOf } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import { present } from '../event-versions.js';
import type { Kind } from '../kind.js';
import type { KubeObject } from '../object.js';
import { type Matcher, requestMatcher } from '../selectors.js';
import type { Change } from '../store.js';
import { type TableShape, tableOf } from '../tables/table.js';
import { expired } from './list.js';

/** Where a watch writes, and how it shows objects. */
export interface WatchTarget {
  response: ServerResponse;
  /** Present: each event holds a Table of one row. */
  table: TableShape | undefined;
}

const bookmarkEveryMs = 60_000;
/** As the API server: between half an hour and an hour when the client names no end. */
const defaultTimeoutSeconds = 1800;

/** Serves a watch until its time is over, the client leaves, or the server closes. Returns its end. */
export function serveWatch(
  state: ClusterState,
  kind: Kind,
  namespace: string | undefined,
  query: URLSearchParams,
  target: WatchTarget,
): () => void {
  const { response } = target;
  const matches = requestMatcher(kind, query);
  const writeEvent = eventWriter(kind, target);
  const wantsBookmarks = query.get('allowWatchBookmarks') === 'true' || query.get('allowWatchBookmarks') === '1';
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  response.flushHeaders();

  const initial = query.get('sendInitialEvents') === 'true';
  const from = initial ? 0 : Number(query.get('resourceVersion') || 0);
  if (from > 0 && from < state.store.oldestRevision()) {
    response.end(`${JSON.stringify({ type: 'ERROR', object: statusOf(expired(from, state.store.revision())) })}\n`);
    return () => {};
  }
  for (const change of past(state, kind, namespace, from)) forward(kind, change, namespace, matches, writeEvent);
  const bookmark = (annotations?: Record<string, string>) => {
    const metadata = { resourceVersion: String(state.store.revision()), ...(annotations && { annotations }) };
    const object = { kind: kind.kind, apiVersion: kind.apiVersion, metadata: { ...metadata, creationTimestamp: null } };
    response.write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
  };
  if (initial) bookmark({ 'k8s.io/initial-events-end': 'true' });

  const unsubscribe = state.store.subscribe((change) => {
    if (change.storage === kind.storage) forward(kind, change, namespace, matches, writeEvent);
  });
  const bookmarks = wantsBookmarks ? setInterval(bookmark, bookmarkEveryMs) : undefined;
  const seconds = Number(query.get('timeoutSeconds') ?? 0) || defaultTimeoutSeconds;
  const timeout = setTimeout(() => {
    if (wantsBookmarks) bookmark();
    end();
  }, seconds * 1000);
  function end(): void {
    unsubscribe();
    clearInterval(bookmarks);
    clearTimeout(timeout);
    response.end();
  }
  response.on('close', end);
  return end;
}

/** What a watch tells first: what happened since a revision; from 0, all that is there, as added. */
function past(state: ClusterState, kind: Kind, namespace: string | undefined, from: number): Change[] {
  const { storage } = kind;
  if (from > 0) return state.store.since(storage, from);
  const revision = state.store.revision();
  return state.store.list(storage, namespace).map((object) => ({ type: 'ADDED', storage, object, revision }));
}

/** What left a selector is told as it was when it still matched, at the time when it left. */
function asLeft(before: KubeObject, now: KubeObject): KubeObject {
  return { ...before, metadata: { ...before.metadata, resourceVersion: now.metadata.resourceVersion ?? '' } };
}

type WriteEvent = (type: string, object: KubeObject) => void;

/** One change as this watch sees it: an object that starts to match its selector is ADDED, one that stops DELETED. */
function forward(
  kind: Kind,
  change: Change,
  namespace: string | undefined,
  matches: Matcher | undefined,
  writeEvent: WriteEvent,
): void {
  if (namespace !== undefined && change.object.metadata.namespace !== namespace) return;
  const shown = present(kind, change.object);
  if (matches === undefined) {
    writeEvent(change.type, shown);
    return;
  }
  const isIn = change.type !== 'DELETED' && matches(shown);
  const before = change.previous === undefined ? undefined : present(kind, change.previous);
  const wasIn = before !== undefined && matches(before);
  if (isIn) writeEvent(wasIn ? 'MODIFIED' : 'ADDED', shown);
  else if (wasIn) writeEvent('DELETED', change.type === 'DELETED' ? shown : asLeft(before, shown));
}

/** Each object is put into JSON once, however many watches it goes to. */
const serialised = new WeakMap<KubeObject, string>();

function eventWriter(kind: Kind, target: WatchTarget): WriteEvent {
  const { response, table } = target;
  let first = true;
  return (type, object) => {
    let text: string | undefined;
    if (table !== undefined) {
      text = JSON.stringify(tableOf(kind, [object], {}, table, first));
      first = false;
    } else {
      text = serialised.get(object) ?? JSON.stringify(object);
      serialised.set(object, text);
    }
    response.write(`{"type":"${type}","object":${text}}\n`);
  };
}
