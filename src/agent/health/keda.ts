import { conditionsOf } from './conditions.js';
import { degraded, type HealthRule, healthy, progressing, suspended } from './health.js';

/** A fault of KEDA's: the type of a condition, and the status in which it is one. */
type Fault = readonly [type: string, status: string];

/** A ScaledObject also counts its fallback as a fault, a ScaledJob what is not known. */
export const scaledObjectHealth = kedaHealth([
  ['Ready', 'False'],
  ['Fallback', 'True'],
]);

export const scaledJobHealth = kedaHealth([
  ['Ready', 'False'],
  ['Ready', 'Unknown'],
]);

function kedaHealth(faults: readonly Fault[]): HealthRule {
  return (object) => {
    const conditions = conditionsOf(object) ?? [];
    const has = ([type, status]: Fault) => conditions.find((each) => each.type === type && each.status === status);
    const fault = faults.map(has).find((each) => each !== undefined);
    if (fault !== undefined) return degraded(fault.message);
    const ready = has(['Ready', 'True']);
    if (ready === undefined) return progressing('it has not been set up yet');
    const paused = has(['Paused', 'True']);
    return paused === undefined ? healthy(ready.message) : suspended(paused.message);
  };
}
