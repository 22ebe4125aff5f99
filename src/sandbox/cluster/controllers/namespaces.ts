import { randomUUID } from 'node:crypto';
import { type JsonObject, type KubeObject, timestamp } from '../object.js';
import type { Stored } from '../stored.js';
import { deleteQuietly, withCondition } from './ownership.js';
import type { Runtime } from './runtime.js';

/** Gives each namespace its default ServiceAccount and CA bundle, and takes a terminating one apart. */
export function namespaceController(runtime: Runtime): void {
  const { store } = runtime.state;
  const reconcile = runtime.queue('namespace', (_, name) => {
    const namespace = store.get('namespaces', '', name);
    if (namespace === undefined) return;
    if (namespace.metadata.deletionTimestamp === undefined) furnish(runtime, name);
    else takeApart(runtime, namespace);
  });
  runtime.onChange('namespaces', (change) => {
    if (change.type !== 'DELETED') reconcile('', change.object.metadata.name);
  });
  // Whatever leaves a terminating namespace may have been the last thing in it.
  store.subscribe((change) => {
    const name = change.object.metadata.namespace;
    if (name === undefined || (change.type !== 'DELETED' && change.object.metadata.deletionTimestamp === undefined))
      return;
    if (store.get('namespaces', '', name)?.metadata.deletionTimestamp !== undefined) reconcile('', name);
  });
}

function furnish(runtime: Runtime, namespace: string): void {
  const { store } = runtime.state;
  const metadata = (name: string) => ({ name, namespace, uid: randomUUID(), creationTimestamp: timestamp() });
  if (store.get('serviceaccounts', namespace, 'default') === undefined) {
    store.put('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata: metadata('default') });
  }
  if (store.get('configmaps', namespace, 'kube-root-ca.crt') === undefined) {
    const data = { 'ca.crt': '' };
    store.put('configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('kube-root-ca.crt'), data });
  }
}

function takeApart(runtime: Runtime, namespace: KubeObject): void {
  const { store } = runtime.state;
  const { name, finalizers = [] } = namespace.metadata;
  for (const entry of store.content(name)) {
    if (entry.object.metadata.deletionTimestamp === undefined) deleteQuietly(runtime, entry.storage, entry.object);
  }
  const left = store.content(name);
  const current = store.get('namespaces', '', name);
  if (current === undefined) return;
  if (left.length > 0) {
    // Pods end within a moment; only what waits for somebody is worth telling.
    const held = left.filter((entry) => (entry.object.metadata.finalizers?.length ?? 0) > 0);
    if (held.length > 0) tellWhatIsLeft(runtime, current, left);
    return;
  }
  const own = Array.isArray(current.spec?.finalizers) ? current.spec.finalizers : [];
  const others = own.filter((finalizer) => finalizer !== 'kubernetes');
  if (others.length === 0 && finalizers.length === 0) store.remove('namespaces', '', name);
  else if (others.length !== own.length) store.put('namespaces', { ...current, spec: { finalizers: others } });
}

function tellWhatIsLeft(runtime: Runtime, namespace: KubeObject, left: Stored[]): void {
  const count = (names: string[]) => {
    const counts = new Map<string, number>();
    for (const each of names) counts.set(each, (counts.get(each) ?? 0) + 1);
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  };
  const resources = count(left.map(({ storage }) => (storage.includes('.') ? storage : `${storage}.`)));
  const finalizers = count(left.flatMap((entry) => entry.object.metadata.finalizers ?? []));
  const remaining = resources.map(([resource, n]) => `${resource} has ${n} resource instances`).join(', ');
  const waiting = finalizers.map(([finalizer, n]) => `${finalizer} in ${n} resource instances`).join(', ');
  const all: [type: string, status: 'True' | 'False', reason: string, message: string][] = [
    ['NamespaceDeletionDiscoveryFailure', 'False', 'ResourcesDiscovered', 'All resources successfully discovered'],
    [
      'NamespaceDeletionGroupVersionParsingFailure',
      'False',
      'ParsedGroupVersions',
      'All legacy kube types successfully parsed',
    ],
    [
      'NamespaceDeletionContentFailure',
      'False',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ],
    ['NamespaceContentRemaining', 'True', 'SomeResourcesRemain', `Some resources are remaining: ${remaining}`],
    [
      'NamespaceFinalizersRemaining',
      'True',
      'SomeFinalizersRemain',
      `Some content in the namespace has finalizers remaining: ${waiting}`,
    ],
  ];
  let conditions: JsonObject[] | unknown = namespace.status?.conditions;
  for (const [type, status, reason, message] of all)
    conditions = withCondition(conditions, { type, status, reason, message });
  const status = { ...namespace.status, conditions };
  if (JSON.stringify(status) !== JSON.stringify(namespace.status)) {
    runtime.state.store.put('namespaces', { ...namespace, status });
  }
}
