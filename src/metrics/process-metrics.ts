import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Memory, processor, event loop and handles of this process, in this registry alone. */
export function addProcessMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
}
