import type { IncomingMessage, ServerResponse } from 'node:http';
import { ApiError, methodNotAllowed, noSuchResource, notFound } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import { present } from '../event-versions.js';
import { type Kind, qualified } from '../kind.js';
import type { KubeObject } from '../object.js';
import { listObjects, type ObjectList } from '../read/list.js';
import { podLog } from '../read/logs.js';
import { serveWatch } from '../read/watch.js';
import { requestMatcher } from '../selectors.js';
import { tableOf } from '../tables/table.js';
import { createObject } from '../write/create.js';
import { decode } from '../write/decode.js';
import { type Deleted, deleteCollection, deleteObject } from '../write/delete.js';
import { deleteOptions, writeOptions } from '../write/options.js';
import { patchObject } from '../write/patch.js';
import { type Part, updateObject } from '../write/update.js';
import { addWarnings, contentTypeOf, readBody, sendJson, sendText, tableShape } from './respond.js';
import { answerReview } from './reviews.js';
import type { Route } from './route.js';
import { readScale, writeScale } from './scale.js';

export interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
  query: URLSearchParams;
  route: Route;
}

/** Kinds whose DELETE answers with the object instead of a Status. */
const answersWithObject = new Set([
  'Pod',
  'Service',
  'ServiceAccount',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'ResourceQuota',
]);

/** Serves one request for objects: the verb is the method's, on one object, a collection or a subresource. */
export async function serveResource(state: ClusterState, exchange: Exchange): Promise<void> {
  const { request, route } = exchange;
  if (route.subresource !== undefined) return serveSubresource(state, exchange, route.subresource);
  if (!route.kind.verbs.includes(verbOf(request.method ?? '', route.name !== undefined))) throw methodNotAllowed();
  if (route.name === undefined) return serveCollection(state, exchange);
  return serveObject(state, exchange, route.name, 'main');
}

function verbOf(method: string, named: boolean): string {
  const verbs: Record<string, string> = named
    ? { GET: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
    : { GET: 'list', POST: 'create', DELETE: 'deletecollection' };
  return verbs[method] ?? 'none';
}

async function serveCollection(state: ClusterState, exchange: Exchange): Promise<void> {
  const { request, response, query, route } = exchange;
  const { kind, namespace } = route;
  if (request.method === 'POST') return create(state, exchange);
  if (request.method === 'DELETE') {
    const body = await readBody(request, 'DeleteOptions');
    const items = deleteCollection(state, kind, namespace, requestMatcher(kind, query), deleteOptions(query, body));
    const metadata = { resourceVersion: String(state.store.revision()) };
    return sendJson(response, 200, { kind: `${kind.kind}List`, apiVersion: kind.apiVersion, metadata, items });
  }
  if (isWatch(query)) {
    serveWatch(state, kind, namespace, query, { response, table: tableShape(request, query) });
    return;
  }
  sendList(exchange, listObjects(state, kind, namespace, query));
}

function isWatch(query: URLSearchParams): boolean {
  const watch = query.get('watch');
  return watch !== null && watch !== 'false' && watch !== '0';
}

function sendList(exchange: Exchange, list: ObjectList): void {
  const { request, response, query, route } = exchange;
  const shape = tableShape(request, query);
  // Items of a list do not repeat what the list says of them.
  const items = () => list.items.map(({ kind: _, apiVersion: __, ...item }) => item);
  const table = shape && tableOf(route.kind, list.items, list.metadata, shape);
  sendJson(response, 200, table ?? { ...list, items: items() });
}

async function create(state: ClusterState, exchange: Exchange): Promise<void> {
  const { request, response, query, route } = exchange;
  const { kind } = route;
  const body = await readBody(request, kind.kind);
  if (kind.verbs.length === 1) return sendJson(response, 201, answerReview(kind, body));
  if (kind.namespaced && route.namespace === undefined) throw methodNotAllowed();
  const options = writeOptions(query);
  const wish = decode(state, kind, body, options);
  const object = createObject(state, kind, route.namespace ?? '', wish, options);
  addWarnings(response, options.warnings);
  sendObject(exchange, 201, object);
}

async function serveObject(state: ClusterState, exchange: Exchange, name: string, part: Part): Promise<void> {
  const { request, response, query, route } = exchange;
  const { kind, namespace = '' } = route;
  switch (request.method) {
    case 'GET': {
      if (isWatch(query)) return watchOne(state, exchange, name);
      const found = state.store.get(kind.storage, namespace, name);
      if (found === undefined) throw notFound(kind, name);
      return sendObject(exchange, 200, found);
    }
    case 'PUT': {
      const options = writeOptions(query);
      const wish = decode(state, kind, await readBody(request, kind.kind), options);
      const object = updateObject(state, kind, namespace, name, wish, options, part);
      addWarnings(response, options.warnings);
      return sendObject(exchange, 200, object);
    }
    case 'PATCH': {
      const options = writeOptions(query);
      const patch = { contentType: contentTypeOf(request), body: await readBody(request, kind.kind) };
      const done = patchObject(state, kind, namespace, name, patch, options, part);
      addWarnings(response, options.warnings);
      return sendObject(exchange, done.created ? 201 : 200, done.object);
    }
    case 'DELETE': {
      if (part !== 'main') throw methodNotAllowed();
      const options = deleteOptions(query, await readBody(request, 'DeleteOptions'));
      return sendDeleted(exchange, deleteObject(state, kind, namespace, name, options));
    }
    default:
      throw methodNotAllowed();
  }
}

/** The old form of a watch on one object: `GET …/NAME?watch=true`. */
function watchOne(state: ClusterState, exchange: Exchange, name: string): void {
  const { request, response, query, route } = exchange;
  query.set('fieldSelector', `metadata.name=${name}`);
  serveWatch(state, route.kind, route.namespace, query, { response, table: tableShape(request, query) });
}

async function serveSubresource(state: ClusterState, exchange: Exchange, subresource: string): Promise<void> {
  const { request, response, query, route } = exchange;
  const { kind, namespace = '', name = '' } = route;
  if (subresource === 'status' && kind.status) return serveObject(state, exchange, name, 'status');
  if (subresource === 'finalize' && kind.kind === 'Namespace') return serveObject(state, exchange, name, 'finalize');
  if (subresource === 'log' && qualified(kind) === 'pods' && request.method === 'GET') {
    return sendText(response, 200, podLog(state, kind, namespace, name, query));
  }
  if (subresource === 'scale' && kind.scale) {
    if (request.method === 'GET') return sendJson(response, 200, readScale(state, route));
    if (request.method !== 'PUT' && request.method !== 'PATCH') throw methodNotAllowed();
    const patchType = request.method === 'PATCH' ? contentTypeOf(request) : undefined;
    const body = await readBody(request, 'Scale');
    return sendJson(response, 200, writeScale(state, route, body, patchType, writeOptions(query)));
  }
  if (['exec', 'attach', 'portforward', 'eviction', 'token'].includes(subresource)) {
    throw new ApiError(501, 'NotImplemented', `the sandbox's cluster runs no containers: ${subresource} is not served`);
  }
  throw noSuchResource();
}

function sendObject(exchange: Exchange, code: number, object: KubeObject): void {
  const { request, response, query, route } = exchange;
  const shown = present(route.kind, object);
  const shape = tableShape(request, query);
  const { resourceVersion } = object.metadata;
  const body = shape === undefined ? shown : tableOf(route.kind, [shown], { resourceVersion }, shape);
  sendJson(response, code, body);
}

function sendDeleted(exchange: Exchange, deleted: Deleted): void {
  const { kind } = exchange.route;
  if (!deleted.gone || answersWithObject.has(kind.kind)) {
    sendObject(exchange, 200, deleted.object);
    return;
  }
  const { name, uid } = deleted.object.metadata;
  sendJson(exchange.response, 200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...group(kind), kind: kind.plural, uid },
  });
}

function group(kind: Kind): { group?: string } {
  return kind.group === '' ? {} : { group: kind.group };
}
