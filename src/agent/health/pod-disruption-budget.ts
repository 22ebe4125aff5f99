import type { Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, healthy, progressing } from './health.js';

/** A PodDisruptionBudget is healthy, also when it allows no disruption, unless its controller cannot keep it. */
export function podDisruptionBudgetHealth(budget: Manifest): Health {
  const conditions = conditionsOf(budget) ?? [];
  // Too few pods is a state that a budget is made for.
  const failed = conditions.find(({ status, reason }) => status === 'False' && reason !== 'InsufficientPods');
  if (failed !== undefined) return degraded(`its controller says ${failed.reason}`);
  const last = conditions.at(-1);
  return last === undefined ? progressing('it has no status yet') : healthy(`its controller says ${last.reason}`);
}
