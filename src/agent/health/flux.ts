import { fields, type Manifest } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, type HealthRule, healthy, progressing, suspended } from './health.js';

/** How one kind of Flux sums up. Argo CD counts conditions; what it counts differs by kind. */
export interface FluxKind {
  /** Conditions that count as success beside Ready when they are True. */
  also: readonly string[];
  /** Successes, Ready's included, that make it healthy: exactly so many. */
  successes: number;
  /** The status of Ready that, with Reconciling, means that it is under way; null: nothing does. */
  underWay: 'Unknown' | 'False' | null;
  /** Reasons of Reconciling that count; absent: all. */
  reasons?: readonly string[];
  /** `spec.suspend` is not looked at. */
  neverSuspended?: true;
}

/** The rule of a kind of Flux. */
export function fluxHealth(kind: FluxKind): HealthRule {
  return (object) => {
    if (kind.neverSuspended === undefined && fields(object.spec).suspend === true) return suspended('it is suspended');
    return judge(kind, object);
  };
}

/** A HelmRepository of type `oci` has no status: it is only read when a chart is pulled. */
export function fluxHelmRepositoryHealth(kind: FluxKind): HealthRule {
  const rule = fluxHealth(kind);
  return (object) => {
    const { suspend, type } = fields(object.spec);
    return suspend !== true && type === 'oci' ? healthy('a registry is not looked at') : rule(object);
  };
}

function judge(kind: FluxKind, object: Manifest): Health {
  const conditions = conditionsOf(object);
  if (conditions === null) return progressing('it has no status yet');
  let successes = 0;
  let signs = 0;
  let message = '';
  for (const { type, status, reason } of conditions) {
    if (type === 'Ready') {
      if (status === 'True') successes += 1;
      else if (status === kind.underWay) signs += 1;
      message = reason;
    } else if (type === 'Reconciling' && status === 'True') {
      if (kind.underWay !== null && (kind.reasons === undefined || kind.reasons.includes(reason))) signs += 1;
    } else if (status === 'True' && kind.also.includes(type)) {
      successes += 1;
    }
    if (type === 'ArtifactOutdated' && status === 'True') message = `${message} ${reason}`.trim();
  }
  if (signs === 2) return progressing(message);
  return successes === kind.successes ? healthy(message) : degraded(message);
}
