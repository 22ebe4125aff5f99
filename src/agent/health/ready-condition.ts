import { conditionsOf } from './conditions.js';
import { degraded, type HealthRule, healthy, progressing } from './health.js';

/**
 * The rule of the many kinds whose controllers sum up in one condition: `True` is healthy, `False` degraded, anything
 * else, or none yet, is `waiting`. Of several of that type the first that is decided counts.
 */
export function judgedByCondition(type: string, waiting: string): HealthRule {
  return (object) => {
    for (const condition of conditionsOf(object) ?? []) {
      if (condition.type !== type) continue;
      if (condition.status === 'False') return degraded(condition.message);
      if (condition.status === 'True') return healthy(condition.message);
    }
    return progressing(waiting);
  };
}
