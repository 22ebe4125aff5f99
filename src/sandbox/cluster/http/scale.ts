import { badRequest, notFound } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import { type KubeObject, numberAt, objectAt } from '../object.js';
import { jsonPatch } from '../patch/json-patch.js';
import { mergePatch } from '../patch/merge-patch.js';
import { selectorText } from '../selectors.js';
import type { WriteOptions } from '../write/options.js';
import { replaceObject } from '../write/update.js';
import type { Route } from './route.js';

/** Reads `/scale` of a workload. */
export function readScale(state: ClusterState, route: Route): unknown {
  return scaleOf(find(state, route));
}

/** Writes `/scale`, by PUT or by a patch: only `spec.replicas` counts. */
export function writeScale(
  state: ClusterState,
  route: Route,
  body: unknown,
  patchType: string | undefined,
  options: WriteOptions,
): unknown {
  const before = find(state, route);
  const wish = patched(scaleOf(before), body, patchType);
  const replicas = numberAt(wish, 'spec', 'replicas') ?? 0;
  if (!Number.isInteger(replicas) || replicas < 0)
    throw badRequest('spec.replicas: must be a whole number of 0 or more');
  const from = objectAt(wish, 'metadata').resourceVersion;
  const metadata = { ...before.metadata, ...(typeof from === 'string' ? { resourceVersion: from } : {}) };
  const next = { ...before, metadata, spec: { ...before.spec, replicas } };
  return scaleOf(replaceObject(state, route.kind, before, next, options));
}

function patched(scale: unknown, body: unknown, patchType: string | undefined): unknown {
  if (patchType === undefined) return body;
  return patchType === 'application/json-patch+json' ? jsonPatch(scale, body) : mergePatch(scale, body);
}

function find(state: ClusterState, route: Route): KubeObject {
  const { kind, namespace = '', name = '' } = route;
  const found = state.store.get(kind.storage, namespace, name);
  if (found === undefined) throw notFound(kind, name);
  return found;
}

function scaleOf(object: KubeObject): unknown {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object, 'spec', 'replicas') ?? 0 },
    status: {
      replicas: numberAt(object, 'status', 'replicas') ?? 0,
      selector: selectorText(objectAt(object, 'spec', 'selector')),
    },
  };
}
