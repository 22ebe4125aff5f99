import { ApiError, badRequest, conflict, invalid, notFound } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import { present } from '../event-versions.js';
import type { Kind } from '../kind.js';
import { type KubeObject, textAt } from '../object.js';
import { applyMerge } from '../patch/apply-merge.js';
import { jsonPatch } from '../patch/json-patch.js';
import { mergePatch } from '../patch/merge-patch.js';
import { strategicMerge } from '../patch/strategic-merge.js';
import { createObject } from './create.js';
import { decode, decodeApplied } from './decode.js';
import type { WriteOptions } from './options.js';
import { type Part, replaceObject } from './update.js';

export interface Patched {
  object: KubeObject;
  /** Server-side apply made it anew. */
  created: boolean;
}

/** Changes an object as PATCH does, by the patch's content type. */
export function patchObject(
  state: ClusterState,
  kind: Kind,
  namespace: string,
  name: string,
  patch: { contentType: string; body: unknown },
  options: WriteOptions,
  part: Part = 'main',
): Patched {
  if (patch.contentType === 'application/apply-patch+yaml') {
    return applyObject(state, kind, namespace, name, patch.body, options, part);
  }
  const before = state.store.get(kind.storage, namespace, name);
  const merge = mergers[patch.contentType];
  if (merge === undefined) throw new ApiError(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {});
  if (before === undefined) throw notFound(kind, name);
  const wish = decode(state, kind, merge(present(kind, before), patch.body), options);
  if (wish.metadata.name !== name) throw invalid(kind, name, [renamed(wish.metadata.name)]);
  return { object: replaceObject(state, kind, before, wish, options, part), created: false };
}

const mergers: Record<string, (target: unknown, patch: unknown) => unknown> = {
  'application/json-patch+json': jsonPatch,
  'application/merge-patch+json': mergePatch,
  'application/strategic-merge-patch+json': (target, patch) => strategicMerge(target, patch),
};

function applyObject(
  state: ClusterState,
  kind: Kind,
  namespace: string,
  name: string,
  body: unknown,
  options: WriteOptions,
  part: Part,
): Patched {
  const manager = options.fieldManager;
  if (!manager) {
    const message = 'Required value: is required for apply patch';
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [{ field: 'fieldManager', message }]);
  }
  const wish = decodeApplied(state, kind, body);
  const given = textAt(body, 'metadata', 'name');
  if (given !== undefined && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
  }
  wish.metadata.name = name;
  const { resourceVersion: from, uid } = wish.metadata;
  const record: KubeObject = { ...wish, metadata: appliedMetadata(wish) };
  const key = part === 'main' ? manager : `${manager}/${part}`;
  const before = state.store.get(kind.storage, namespace, name);
  if (before === undefined) {
    if (part !== 'main') throw notFound(kind, name);
    if (uid !== undefined) {
      throw conflict(
        kind,
        name,
        `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
      );
    }
    return { object: createObject(state, kind, namespace, wish, options, { [key]: record }), created: true };
  }
  const sets = state.store.applied(kind.storage, namespace, name);
  const others = Object.entries(sets).flatMap(([other, set]) => (other === key ? [] : [set]));
  const merged = applyMerge(before, record, sets[key], others) as KubeObject;
  merged.metadata = { ...merged.metadata, ...(uid === undefined ? {} : { uid }) };
  if (from === undefined) delete merged.metadata.resourceVersion;
  else merged.metadata.resourceVersion = from;
  const object = replaceObject(state, kind, before, merged, options, part, { ...sets, [key]: record });
  return { object, created: false };
}

/** Names and versions belong to the object, not to the one that applies. */
function appliedMetadata(wish: KubeObject): KubeObject['metadata'] {
  const { resourceVersion: _, uid: __, namespace: ___, creationTimestamp: ____, ...rest } = wish.metadata;
  return rest;
}

function renamed(name: string): { field: string; message: string } {
  return { field: 'metadata.name', message: `Invalid value: ${JSON.stringify(name)}: field is immutable` };
}
