import { fields, type Manifest, records, text } from '../manifest.js';

/** One entry of `status.conditions`, its fields as texts; what is absent is empty. */
export interface Condition {
  type: string;
  status: string;
  reason: string;
  message: string;
  observedGeneration: number | null;
}

/** The conditions of an object in their order; null when its status has no such list. */
export function conditionsOf(object: Manifest): Condition[] | null {
  const { conditions } = fields(object.status);
  return Array.isArray(conditions) ? readConditions(conditions) : null;
}

/** Conditions from anywhere in a status. */
export function readConditions(list: unknown): Condition[] {
  return records(list).map(({ type, status, reason, message, observedGeneration }) => ({
    type: text(type),
    status: text(status),
    reason: text(reason),
    message: text(message),
    observedGeneration: typeof observedGeneration === 'number' ? observedGeneration : null,
  }));
}
