import { fields, type Manifest, text } from '../manifest.js';
import { degraded, type Health, healthy, progressing } from './health.js';

/**
 * A CronJob is degraded only when its last run is known to have failed. While one runs, before the first success and
 * while it is suspended, its status cannot tell, and it is healthy.
 */
export function cronJobHealth(cronJob: Manifest): Health {
  if (fields(cronJob.spec).suspend === true) return healthy('it is suspended');
  if (typeof cronJob.status !== 'object' || cronJob.status === null) return progressing('it has no status yet');
  const { active, lastScheduleTime, lastSuccessfulTime } = fields(cronJob.status);
  const scheduled = text(lastScheduleTime);
  const succeeded = text(lastSuccessfulTime);
  if (scheduled === '') return healthy('it has not been due yet');
  if (succeeded === '') return healthy('none of its runs has succeeded so far');
  if (Array.isArray(active) && active.length > 0) return healthy('it runs; its last run may have failed');
  // Both are of the form 2026-01-31T12:00:00Z, whose order as texts is that of time.
  return succeeded < scheduled ? degraded('its last run did not succeed') : healthy('its last run succeeded');
}
