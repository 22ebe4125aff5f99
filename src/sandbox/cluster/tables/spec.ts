import type { KubeObject } from '../object.js';

/** `Name`, or `Name|type`, with a `*` before it when only `-o wide` shows it. */
export type ColumnSpec = string;

export interface TableSpec {
  columns: ColumnSpec[];
  /** The cells of one object, in the columns' order. */
  cells(object: KubeObject): unknown[];
}
