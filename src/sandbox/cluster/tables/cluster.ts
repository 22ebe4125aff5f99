import { at, type JsonObject, type KubeObject, listAt, objectAt, textAt } from '../object.js';
import { age } from './age.js';
import type { TableSpec } from './spec.js';

const name = (object: KubeObject) => object.metadata.name;
const created = (object: KubeObject) => age(object.metadata.creationTimestamp);
const size = (map: unknown) => Object.keys(objectAt(map)).length;

const eventTable: TableSpec = {
  columns: [
    ...['Last Seen', 'Type', 'Reason', 'Object', '*Subobject', '*Source', 'Message', '*First Seen', '*Count', '*Name'],
  ],
  cells: (event) => {
    const about = objectAt(event.involvedObject ?? event.regarding);
    const first = textAt(event, 'firstTimestamp') ?? textAt(event, 'deprecatedFirstTimestamp');
    const last = textAt(event, 'lastTimestamp') ?? textAt(event, 'deprecatedLastTimestamp');
    const time = textAt(event, 'eventTime') ?? event.metadata.creationTimestamp;
    const source = event.reportingComponent ?? event.reportingController ?? '';
    return [
      age(last ?? time),
      event.type,
      event.reason,
      `${String(about.kind ?? '').toLowerCase()}/${about.name}`,
      about.fieldPath ?? '',
      source,
      String(event.message ?? event.note ?? '').trim(),
      age(first ?? time),
      event.count ?? event.deprecatedCount ?? 1,
      name(event),
    ];
  },
};

const bindingTable: TableSpec = {
  columns: ['Name', 'Role', 'Age', '*Users', '*Groups', '*ServiceAccounts'],
  cells: (binding) => {
    const subjects = (kind: string, show: (subject: JsonObject) => string) =>
      listAt(binding, 'subjects')
        .flatMap((subject) => (subject.kind === kind ? show(subject) : []))
        .join(', ');
    return [
      name(binding),
      `${textAt(binding, 'roleRef', 'kind')}/${textAt(binding, 'roleRef', 'name')}`,
      created(binding),
      subjects('User', (subject) => String(subject.name)),
      subjects('Group', (subject) => String(subject.name)),
      subjects('ServiceAccount', (subject) => `${subject.namespace ?? ''}/${subject.name}`),
    ];
  },
};

export const clusterTables: Record<string, TableSpec> = {
  namespaces: {
    columns: ['Name', 'Status', 'Age'],
    cells: (object) => [name(object), textAt(object, 'status', 'phase') ?? '', created(object)],
  },
  nodes: {
    columns: [
      ...['Name', 'Status', 'Roles', 'Age', 'Version', '*Internal-IP', '*External-IP', '*OS-Image', '*Kernel-Version'],
      '*Container-Runtime',
    ],
    cells: (node) => {
      const info = objectAt(node, 'status', 'nodeInfo');
      const ready = listAt(node, 'status', 'conditions').some((c) => c.type === 'Ready' && c.status === 'True');
      const ip = listAt(node, 'status', 'addresses').find((address) => address.type === 'InternalIP');
      return [
        ...[name(node), ready ? 'Ready' : 'NotReady', '<none>', created(node), info.kubeletVersion],
        ...[ip?.address ?? '<none>', '<none>', info.osImage, info.kernelVersion],
        info.containerRuntimeVersion,
      ];
    },
  },
  configmaps: {
    columns: ['Name', 'Data', 'Age'],
    cells: (object) => [name(object), size(object.data) + size(object.binaryData), created(object)],
  },
  secrets: {
    columns: ['Name', 'Type', 'Data', 'Age'],
    cells: (object) => [name(object), object.type, size(object.data), created(object)],
  },
  serviceaccounts: { columns: ['Name', 'Age'], cells: (object) => [name(object), created(object)] },
  events: eventTable,
  resourcequotas: {
    columns: ['Name', 'Request', 'Limit', 'Age'],
    cells: (quota) => [name(quota), usage(quota, false), usage(quota, true), created(quota)],
  },
  persistentvolumeclaims: {
    columns: [
      ...['Name', 'Status', 'Volume', 'Capacity', 'Access Modes', 'StorageClass', 'VolumeAttributesClass', 'Age'],
      '*VolumeMode',
    ],
    cells: (claim) => [
      name(claim),
      claim.metadata.deletionTimestamp === undefined ? textAt(claim, 'status', 'phase') : 'Terminating',
      textAt(claim, 'spec', 'volumeName') ?? '',
      textAt(claim, 'status', 'capacity', 'storage') ?? '',
      shortModes(at(claim, 'status', 'accessModes')),
      textAt(claim, 'spec', 'storageClassName') ?? '',
      '<unset>',
      created(claim),
      textAt(claim, 'spec', 'volumeMode') ?? '<unset>',
    ],
  },
  'leases.coordination.k8s.io': {
    columns: ['Name', 'Holder', 'Age'],
    cells: (lease) => [name(lease), textAt(lease, 'spec', 'holderIdentity') ?? '', created(lease)],
  },
  'rolebindings.rbac.authorization.k8s.io': bindingTable,
  'clusterrolebindings.rbac.authorization.k8s.io': bindingTable,
  'storageclasses.storage.k8s.io': {
    columns: ['Name', 'Provisioner', 'ReclaimPolicy', 'VolumeBindingMode', 'AllowVolumeExpansion', 'Age'],
    cells: (object) => [
      ...[name(object), object.provisioner, object.reclaimPolicy ?? 'Delete'],
      ...[object.volumeBindingMode ?? 'Immediate', object.allowVolumeExpansion ?? false, created(object)],
    ],
  },
  'ingressclasses.networking.k8s.io': {
    columns: ['Name', 'Controller', 'Parameters', 'Age'],
    cells: (object) => [name(object), textAt(object, 'spec', 'controller') ?? '', '<none>', created(object)],
  },
};

function usage(quota: KubeObject, limits: boolean): string {
  const hard = objectAt(quota, 'status', 'hard');
  const keys = Object.keys(hard).filter((key) => key.startsWith('limits.') === limits);
  return keys
    .sort()
    .map((key) => `${key}: ${textAt(quota, 'status', 'used', key) ?? '0'}/${hard[key]}`)
    .join(', ');
}

function shortModes(modes: unknown): string {
  const short: Record<string, string> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX' };
  return Array.isArray(modes) ? modes.map((mode) => short[String(mode)] ?? String(mode)).join(',') : '';
}
