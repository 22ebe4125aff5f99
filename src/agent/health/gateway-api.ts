import { fields, type Manifest, records, text } from '../manifest.js';
import { type Condition, readConditions } from './conditions.js';
import { degraded, type Health, healthy, progressing } from './health.js';

const noStatus = 'no gateway has looked at it yet';

/**
 * An HTTPRoute is healthy when a gateway that has seen its newest specification accepted it, and degraded when one
 * refused it. What a gateway said of an older specification does not count.
 */
export function httpRouteHealth(route: Manifest): Health {
  const { generation } = route.metadata;
  return routeHealth(
    route,
    (conditions) =>
      generation === undefined ||
      conditions.every(({ observedGeneration }) => observedGeneration === null || observedGeneration === generation),
  );
}

/** The same for a GRPCRoute, where Argo CD does not look at generations. */
export function grpcRouteHealth(route: Manifest): Health {
  return routeHealth(route, () => true);
}

function routeHealth(route: Manifest, isCurrent: (conditions: readonly Condition[]) => boolean): Health {
  const parents = records(fields(route.status).parents)
    .map((parent) => ({ name: text(fields(parent.parentRef).name), conditions: readConditions(parent.conditions) }))
    .filter(({ conditions }) => conditions.length > 0 && isCurrent(conditions));
  for (const { name, conditions } of parents) {
    const problem = gatewayProblem(conditions);
    if (problem !== null) return { ...problem, message: `gateway ${name}: ${problem.message}` };
  }
  return parents.length > 0 ? healthy() : progressing(noStatus);
}

/** What a gateway's conditions hold against an object; null: nothing. */
function gatewayProblem(conditions: readonly Condition[]): Health | null {
  for (const wanted of ['ResolvedRefs', 'Accepted']) {
    const refused = conditions.find(({ type, status }) => type === wanted && status === 'False');
    if (refused !== undefined) return degraded(refused.message || `it is not ${wanted}`);
  }
  const pending = conditions.find(({ type, status }) => type === 'Programmed' && status !== 'True');
  return pending === undefined ? null : progressing(pending.message || 'it is not in force yet');
}

/** A Gateway is healthy when it and all its listeners are accepted and in force. */
export function gatewayHealth(gateway: Manifest): Health {
  const status = fields(gateway.status);
  const listeners = records(status.listeners);
  const own = readConditions(status.conditions);
  const problem = gatewayProblem(own);
  if (problem !== null) return problem;
  for (const listener of listeners) {
    const found = gatewayProblem(readConditions(listener.conditions));
    if (found !== null) return { ...found, message: `listener ${text(listener.name)}: ${found.message}` };
  }
  return Array.isArray(status.conditions) || listeners.length > 0 ? healthy() : progressing('it has no status yet');
}
