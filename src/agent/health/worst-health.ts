import type { HealthStatus } from './health.js';

/** From best to worst, as Argo CD orders them. */
const order: readonly HealthStatus[] = ['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown'];

/** The health of a whole is that of its worst part; nothing at all is healthy. */
export function worstHealth(parts: Iterable<HealthStatus>): HealthStatus {
  let worst = 0;
  for (const part of parts) worst = Math.max(worst, order.indexOf(part));
  return order[worst] ?? 'Unknown';
}
