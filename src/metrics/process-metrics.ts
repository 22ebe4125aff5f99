import { collectDefaultMetrics, type Registry } from 'prom-client';

/** Memory, processor, event loop and handles of this process, in this registry alone. */
export function addProcessMetrics(registry: Registry): void {
  // The loop is looked at 20 times a second: the default of 100 is most of what an idle process does.
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: 50 });
}
