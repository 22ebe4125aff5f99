import type { Manifest } from '../manifest.js';
import { type Condition, conditionsOf } from './conditions.js';
import { degraded, type Health, healthy, progressing } from './health.js';

const needed: readonly string[] = ['ConfigurationsReady', 'RoutesReady', 'Ready'];

/** A Knative Service is healthy when its configuration, its route and the whole are ready. */
export function knativeServiceHealth(service: Manifest): Health {
  const conditions = conditionsOf(service);
  if (conditions === null) return progressing('it has no status yet');
  const open = conditions.filter(({ status }) => status === 'False' || status === 'Unknown');
  const ready = conditions.filter(({ type, status }) => status === 'True' && needed.includes(type));
  if (open.length === 0) return ready.length === needed.length ? healthy() : progressing();
  const message = open.map(inWords).join('; ');
  return open.some(({ status }) => status === 'False') ? degraded(message) : progressing(message);
}

function inWords({ type, status, reason, message }: Condition): string {
  return `${type} is ${status}${reason === '' ? '' : ` (${reason})`}${message === '' ? '' : `: ${message}`}`;
}
