import { fields, type Manifest, records, text } from '../manifest.js';
import { degraded, type Health, healthy, progressing, suspended } from './health.js';

/** A Job is healthy when it completed, and degraded when it failed for good. */
export function jobHealth(job: Manifest): Health {
  const conditions = records(fields(job.status).conditions);
  const failed = conditions.find((condition) => condition.type === 'Failed');
  if (failed !== undefined) return degraded(text(failed.message));
  if (conditions.some((condition) => condition.type === 'Suspended' && condition.status === 'True')) return suspended();
  // A Job that was suspended once and resumed still carries the condition: Argo CD counts it as complete.
  const ended = conditions.find((condition) => condition.type === 'Complete' || condition.type === 'Suspended');
  return ended === undefined ? progressing() : healthy(text(ended.message));
}
