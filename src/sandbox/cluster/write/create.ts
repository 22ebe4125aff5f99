import { randomUUID } from 'node:crypto';
import { fillDefaults } from '../admit/defaults.js';
import { faultsOf } from '../admit/validate.js';
import { alreadyExists, badRequest, invalid, notFound, terminating } from '../api-error.js';
import { type ClusterState, randomSuffix } from '../cluster-state.js';
import type { Kind } from '../kind.js';
import { type KubeObject, type ObjectMeta, timestamp } from '../object.js';
import type { AppliedSets } from '../stored.js';
import type { WriteOptions } from './options.js';

/** Makes a new object as POST does. `applied` is what server-side apply remembers, when that is what makes it. */
export function createObject(
  state: ClusterState,
  kind: Kind,
  namespace: string,
  wish: KubeObject,
  options: WriteOptions,
  applied: AppliedSets = {},
): KubeObject {
  const object = structuredClone(wish);
  object.metadata = freshMetadata(kind, namespace, object.metadata);
  const { name } = object.metadata;
  if (name === '') {
    throw invalid(kind, '', [{ field: 'metadata.name', message: 'Required value: name or generateName is required' }]);
  }
  if (kind.namespaced) checkNamespace(state, kind, namespace, name);
  if (kind.status) delete object.status;
  if (kind.generation) object.metadata.generation = 1;
  fillDefaults(object);
  if (object.kind === 'Service') assignAddress(state, object);
  const faults = faultsOf(object);
  if (faults.length > 0) throw invalid(kind, name, faults);
  if (state.store.get(kind.storage, namespace, name) !== undefined) throw alreadyExists(kind, name);
  return options.dryRun ? object : state.store.put(kind.storage, object, applied);
}

function freshMetadata(kind: Kind, namespace: string, given: ObjectMeta): ObjectMeta {
  if (given.namespace !== undefined && given.namespace !== '' && given.namespace !== namespace && kind.namespaced) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  if (given.resourceVersion !== undefined && given.resourceVersion !== '') {
    throw badRequest('resourceVersion should not be set on objects to be created');
  }
  const {
    deletionTimestamp: _,
    deletionGracePeriodSeconds: __,
    resourceVersion: ___,
    namespace: ____,
    ...kept
  } = given;
  const name = given.name === '' && given.generateName ? `${given.generateName}${randomSuffix()}` : given.name;
  return {
    ...kept,
    name,
    ...(kind.namespaced ? { namespace } : {}),
    uid: randomUUID(),
    creationTimestamp: timestamp(),
  };
}

function checkNamespace(state: ClusterState, kind: Kind, namespace: string, name: string): void {
  const found = state.store.get('namespaces', '', namespace);
  if (found === undefined) throw notFound({ group: '', plural: 'namespaces' }, namespace);
  if (found.metadata.deletionTimestamp !== undefined) throw terminating(kind, name, namespace);
}

function assignAddress(state: ClusterState, service: KubeObject): void {
  const spec = service.spec;
  if (spec === undefined || spec.type === 'ExternalName') return;
  spec.clusterIP ??= state.allocateServiceIp();
  spec.clusterIPs ??= [spec.clusterIP];
}
