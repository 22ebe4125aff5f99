import type { Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { type Health, healthy, progressing } from './health.js';

/** An APIService is healthy when the API server reaches what stands behind it. */
export function apiServiceHealth(service: Manifest): Health {
  const available = conditionsOf(service)?.find(({ type }) => type === 'Available');
  if (available === undefined) return progressing('it has no status yet');
  const message = [available.reason, available.message].filter((part) => part !== '').join(': ');
  return available.status === 'True' ? healthy(message) : progressing(message);
}
