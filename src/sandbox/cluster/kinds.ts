import { type Kind, qualified } from './kind.js';
import { kindTable } from './kind-table.js';

export interface KindRegistry {
  all(): readonly Kind[];
  /** By what stands in a path. */
  byPath(group: string, version: string, plural: string): Kind | undefined;
  /** By what stands in an object. */
  byType(apiVersion: string, kind: string): Kind | undefined;
  /** The kind that owns a storage. */
  byStorage(storage: string): Kind | undefined;
  hasGroupVersion(group: string, version: string): boolean;
}

const crud = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const withoutCollectionDelete = crud.filter((verb) => verb !== 'deletecollection');

export function createKindRegistry(): KindRegistry {
  const all: Kind[] = [];
  for (const [apiVersion, rows] of Object.entries(kindTable)) {
    const slash = apiVersion.indexOf('/');
    const group = slash < 0 ? '' : apiVersion.slice(0, slash);
    for (const row of rows) {
      all.push({
        group,
        version: apiVersion.slice(slash + 1),
        apiVersion,
        singular: row.kind.toLowerCase(),
        short: [],
        categories: [],
        namespaced: true,
        verbs: row.kind === 'Namespace' ? withoutCollectionDelete : crud,
        status: false,
        scale: false,
        generation: false,
        fields: [],
        storage: qualified({ group, plural: row.plural }),
        ...row,
      });
    }
  }
  const byPath = new Map(all.map((kind) => [`${kind.apiVersion}/${kind.plural}`, kind]));
  const byType = new Map(all.map((kind) => [`${kind.apiVersion}/${kind.kind}`, kind]));
  const byStorage = new Map(all.toReversed().map((kind) => [kind.storage, kind]));
  const groupVersions = new Set(all.map((kind) => kind.apiVersion));
  return {
    all: () => all,
    byPath: (group, version, plural) => byPath.get(`${join(group, version)}/${plural}`),
    byType: (apiVersion, kind) => byType.get(`${apiVersion}/${kind}`),
    byStorage: (storage) => byStorage.get(storage),
    hasGroupVersion: (group, version) => groupVersions.has(join(group, version)),
  };
}

function join(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}
