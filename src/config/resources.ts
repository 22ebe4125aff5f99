import { z } from 'zod';
import { text, typed, wholeNumber } from './fields.js';

/** A Kubernetes quantity as people write it: `4`, `500m`, `8Gi`. */
export function quantity() {
  const unit = /^(\d{1,15}(\.\d{1,9})?)([munkMGTPE]|[KMGTPE]i)?$/;
  return z
    .preprocess((value) => (typeof value === 'number' ? String(value) : value), text())
    .refine((value) => unit.test(value), 'not a quantity such as 4, 500m or 8Gi.')
    .meta({ type: 'string' });
}

/** Name of a secret in Kubernetes. */
export function secretName() {
  return text()
    .max(253, 'longer than 253 characters.')
    .regex(/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/, 'not the name of a secret: a-z, 0-9, - and . alone.');
}

/** What the pods of one namespace may take together. */
export const resources = z.strictObject(
  {
    cpu: quantity()
      .optional()
      .meta({ description: 'CPU of all pods together, as requests and as limits, such as `4` or `500m`.' }),
    memory: quantity().optional().meta({ description: 'Memory of all pods together, such as `8Gi`.' }),
    pods: wholeNumber(1, 10_000).optional().meta({ description: 'Pods at once.' }),
  },
  typed('a group of keys'),
);

/** The same without what nobody wrote. */
export function boundsOf(input: z.output<typeof resources>): { cpu?: string; memory?: string; pods?: number } {
  const { cpu, memory, pods } = input;
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(pods === undefined ? {} : { pods }),
  };
}
