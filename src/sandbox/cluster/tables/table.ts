import type { Kind } from '../kind.js';
import type { KubeObject } from '../object.js';
import { batchTables } from './batch.js';
import { clusterTables } from './cluster.js';
import { networkTables } from './network.js';
import { podTables } from './pods.js';
import type { ColumnSpec, TableSpec } from './spec.js';
import { workloadTables } from './workloads.js';

/** How a client wants tables: the version of the Table kind, and what each row carries of its object. */
export interface TableShape {
  apiVersion: string;
  include: 'None' | 'Metadata' | 'Object';
}

const specs: Record<string, TableSpec> = {
  ...podTables,
  ...workloadTables,
  ...batchTables,
  ...networkTables,
  ...clusterTables,
};

const plain: TableSpec = {
  columns: ['Name', 'Created At|date'],
  cells: (object) => [object.metadata.name, object.metadata.creationTimestamp],
};

/** Objects as the Table that `kubectl get` prints, with the API server's columns. */
export function tableOf(
  kind: Kind,
  objects: readonly KubeObject[],
  metadata: Record<string, unknown>,
  shape: TableShape,
  withColumns = true,
): Record<string, unknown> {
  const spec = specs[kind.storage] ?? plain;
  return {
    kind: 'Table',
    apiVersion: shape.apiVersion,
    metadata,
    columnDefinitions: withColumns ? spec.columns.map(column) : null,
    rows: objects.map((object) => ({ cells: spec.cells(object), object: included(object, shape) })),
  };
}

function column(text: ColumnSpec): Record<string, unknown> {
  const wide = text.startsWith('*');
  const [name = '', type = 'string'] = text.replace('*', '').split('|');
  const format = name === 'Name' ? 'name' : '';
  return { name, type, format, description: name, priority: wide ? 1 : 0 };
}

function included(object: KubeObject, shape: TableShape): unknown {
  if (shape.include === 'None') return null;
  if (shape.include === 'Object') return object;
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}
