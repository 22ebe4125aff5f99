import type { Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, healthy, progressing, suspended } from './health.js';

/** A Job is healthy when it completed, and degraded when it failed for good. */
export function jobHealth(job: Manifest): Health {
  const conditions = conditionsOf(job) ?? [];
  const failed = conditions.findLast(({ type }) => type === 'Failed');
  if (failed !== undefined) return degraded(failed.message);
  // A Job that was suspended once and resumed still carries the condition: Argo CD counts it as complete.
  const ended = conditions.findLast(({ type }) => type === 'Complete' || type === 'Suspended');
  if (ended === undefined) return progressing();
  return conditions.some(({ type, status }) => type === 'Suspended' && status === 'True')
    ? suspended(ended.message)
    : healthy(ended.message);
}
