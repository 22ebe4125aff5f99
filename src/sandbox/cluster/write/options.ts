import { badRequest } from '../api-error.js';
import { isObject, textAt } from '../object.js';

export interface WriteOptions {
  /** Answer as if written, and write nothing. */
  dryRun: boolean;
  fieldValidation: 'Strict' | 'Warn' | 'Ignore';
  fieldManager: string | undefined;
  /** Filled with what the answer's `Warning` headers say. */
  warnings: string[];
}

export interface DeleteOptions {
  dryRun: boolean;
  propagation: 'Foreground' | 'Background' | 'Orphan';
  /** Seconds; undefined: the object's own. */
  graceSeconds: number | undefined;
  uid: string | undefined;
  resourceVersion: string | undefined;
}

/** What the stand-in's own controllers write with. */
export const plainWrite: WriteOptions = {
  dryRun: false,
  fieldValidation: 'Ignore',
  fieldManager: undefined,
  warnings: [],
};

export function writeOptions(query: URLSearchParams): WriteOptions {
  const validation = query.get('fieldValidation');
  return {
    dryRun: dryRun(query.getAll('dryRun')),
    fieldValidation: validation === 'Strict' || validation === 'Ignore' ? validation : 'Warn',
    fieldManager: query.get('fieldManager') ?? undefined,
    warnings: [],
  };
}

/** Options of a DELETE, from its query and its body. */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  const inBody = isObject(body) && Array.isArray(body.dryRun) ? body.dryRun.map(String) : [];
  const propagation = query.get('propagationPolicy') ?? textAt(body, 'propagationPolicy');
  const grace = query.get('gracePeriodSeconds') ?? (isObject(body) ? body.gracePeriodSeconds : undefined);
  return {
    dryRun: dryRun([...query.getAll('dryRun'), ...inBody]),
    propagation: propagation === 'Foreground' || propagation === 'Orphan' ? propagation : 'Background',
    graceSeconds: grace === undefined || grace === null ? undefined : Number(grace),
    uid: textAt(body, 'preconditions', 'uid'),
    resourceVersion: textAt(body, 'preconditions', 'resourceVersion'),
  };
}

function dryRun(values: string[]): boolean {
  for (const value of values) if (value !== 'All') throw badRequest(`Invalid value: "${value}": dryRun`);
  return values.length > 0;
}
