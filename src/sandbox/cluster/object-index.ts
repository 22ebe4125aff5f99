import type { KubeObject } from './object.js';
import type { Stored } from './stored.js';

/** Where every object is found: by its name, by its uid, and by the owners that it names. */
export interface ObjectIndex {
  add(entry: Stored): void;
  remove(entry: Stored): void;
  find(storage: string, namespace: string, name: string): Stored | undefined;
  list(storage: string, namespace?: string): KubeObject[];
  content(namespace: string): Stored[];
  byUid(uid: string): Stored | undefined;
  owned(uid: string): Stored[];
}

type Names = Map<string, Stored>;

export function createObjectIndex(): ObjectIndex {
  const kinds = new Map<string, Map<string, Names>>();
  const uids = new Map<string, Stored>();
  const dependents = new Map<string, Set<string>>();
  const bucket = (storage: string, namespace: string) => kinds.get(storage)?.get(namespace);

  return {
    add(entry) {
      const { namespace = '', name, uid = '', ownerReferences = [] } = entry.object.metadata;
      const namespaces = kinds.get(entry.storage) ?? new Map<string, Names>();
      kinds.set(entry.storage, namespaces);
      const names: Names = namespaces.get(namespace) ?? new Map();
      namespaces.set(namespace, names.set(name, entry));
      uids.set(uid, entry);
      for (const owner of ownerReferences) {
        dependents.set(owner.uid, (dependents.get(owner.uid) ?? new Set()).add(uid));
      }
    },
    remove(entry) {
      const { namespace = '', name, uid = '', ownerReferences = [] } = entry.object.metadata;
      const names = bucket(entry.storage, namespace);
      names?.delete(name);
      if (names?.size === 0) kinds.get(entry.storage)?.delete(namespace);
      uids.delete(uid);
      for (const owner of ownerReferences) {
        const set = dependents.get(owner.uid);
        set?.delete(uid);
        if (set?.size === 0) dependents.delete(owner.uid);
      }
    },
    find: (storage, namespace, name) => bucket(storage, namespace)?.get(name),
    list(storage, namespace) {
      if (namespace !== undefined) return sorted(bucket(storage, namespace));
      const namespaces = [...(kinds.get(storage) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
      return namespaces.flatMap(([, names]) => sorted(names));
    },
    content: (namespace) => [...kinds.values()].flatMap((spaces) => [...(spaces.get(namespace)?.values() ?? [])]),
    byUid: (uid) => uids.get(uid),
    owned: (uid) => [...(dependents.get(uid) ?? [])].flatMap((dependent) => uids.get(dependent) ?? []),
  };
}

function sorted(names: Names | undefined): KubeObject[] {
  if (names === undefined) return [];
  const objects = [...names.values()].map((entry) => entry.object);
  return objects.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
