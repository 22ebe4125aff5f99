import { type Kind, qualified } from '../kind.js';
import type { KindRegistry } from '../kinds.js';

/** The server's version, as `kubectl version` reads it. */
export const version = {
  major: '1',
  minor: '36',
  gitVersion: 'v1.36.0+mayfly-sandbox',
  gitCommit: '',
  gitTreeState: '',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};

/** Media type of aggregated discovery, which kubectl asks for first. */
export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

export function coreVersions(host: string): unknown {
  const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: host }];
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs };
}

export function groupList(kinds: KindRegistry): unknown {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groupNames(kinds).map((group) => groupOf(kinds, group)) };
}

/** One group, for `/apis/GROUP`; undefined when it is not served. */
export function group(kinds: KindRegistry, name: string): unknown {
  if (!groupNames(kinds).includes(name)) return undefined;
  return { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(kinds, name) };
}

export function resourceList(kinds: KindRegistry, groupVersion: string): unknown {
  const own = kinds.all().filter((kind) => kind.apiVersion === groupVersion);
  if (own.length === 0) return undefined;
  const resources = own.flatMap((kind) => [
    {
      name: kind.plural,
      singularName: kind.singular,
      namespaced: kind.namespaced,
      kind: kind.kind,
      verbs: kind.verbs,
      ...(kind.short.length > 0 ? { shortNames: kind.short } : {}),
      ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    },
    ...subresources(kind).map((sub) => ({
      name: `${kind.plural}/${sub.name}`,
      singularName: '',
      namespaced: kind.namespaced,
      ...(sub.group === undefined ? {} : { group: sub.group, version: 'v1' }),
      kind: sub.kind,
      verbs: sub.verbs,
    })),
  ]);
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources };
}

/** All of it in one answer: the core group for `/api`, the others for `/apis`. */
export function aggregated(kinds: KindRegistry, core: boolean): unknown {
  const names = core ? [''] : groupNames(kinds);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: names.map((name) => {
      const versions = versionsOf(kinds, name).map((each) => ({
        version: each,
        resources: kinds
          .all()
          .filter((kind) => kind.group === name && kind.version === each)
          .map(aggregatedResource),
        freshness: 'Current',
      }));
      return { metadata: name === '' ? {} : { name }, versions };
    }),
  };
}

function aggregatedResource(kind: Kind): unknown {
  return {
    resource: kind.plural,
    responseKind: { group: kind.group, version: kind.version, kind: kind.kind },
    scope: kind.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.short.length > 0 ? { shortNames: kind.short } : {}),
    ...(kind.categories.length > 0 ? { categories: kind.categories } : {}),
    subresources: subresources(kind).map((sub) => ({
      subresource: sub.name,
      responseKind: { group: sub.group ?? kind.group, version: kind.version, kind: sub.kind },
      verbs: sub.verbs,
    })),
  };
}

interface Subresource {
  name: string;
  kind: string;
  group?: string;
  verbs: string[];
}

function subresources(kind: Kind): Subresource[] {
  const change = ['get', 'patch', 'update'];
  return [
    ...(qualified(kind) === 'pods' ? [{ name: 'log', kind: 'Pod', verbs: ['get'] }] : []),
    ...(qualified(kind) === 'namespaces' ? [{ name: 'finalize', kind: 'Namespace', verbs: ['update'] }] : []),
    ...(kind.scale ? [{ name: 'scale', kind: 'Scale', group: 'autoscaling', verbs: change }] : []),
    ...(kind.status ? [{ name: 'status', kind: kind.kind, verbs: change }] : []),
  ];
}

function groupNames(kinds: KindRegistry): string[] {
  return [...new Set(kinds.all().map((kind) => kind.group))].filter((name) => name !== '');
}

function versionsOf(kinds: KindRegistry, name: string): string[] {
  return [...new Set(kinds.all().flatMap((kind) => (kind.group === name ? kind.version : [])))];
}

function groupOf(kinds: KindRegistry, name: string): Record<string, unknown> {
  const versions = versionsOf(kinds, name).map((each) => ({ groupVersion: `${name}/${each}`, version: each }));
  return { name, versions, preferredVersion: versions[0] };
}
