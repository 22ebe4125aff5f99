import { displayName, type Manifest, text } from '../manifest.js';
import type { Blame } from './blame.js';
import { ownersOf } from './pod-owners.js';
import type { Warning } from './warnings.js';

/** An event that says so often that no pod may be made is not about a passing moment. */
const refusedOften = 5;

/** Kinds that make pods, and report in events when the API server does not let them. */
const makers: ReadonlySet<string> = new Set(['DaemonSet', 'Job', 'ReplicaSet', 'ReplicationController', 'StatefulSet']);

/**
 * The object whose pods the API server refuses to take, for a quota, an admission rule or a missing service account, in
 * the API server's words. Only of what is unwell, given as `Kind/name`, and only while no pod was made since.
 */
export function blameCreation(
  warnings: readonly Warning[],
  pods: readonly Manifest[],
  unwell: ReadonlySet<string>,
): Blame | null {
  const refused = warnings.findLast(
    (warning) => warning.reason === 'FailedCreate' && makers.has(warning.kind) && belongsTo(warning, unwell),
  );
  if (refused === undefined) return null;
  const own = pods.filter((pod) => ownersOf(pod)[0] === displayName(refused));
  if (own.some((pod) => text(pod.metadata.creationTimestamp) > refused.at)) return null;
  return {
    kind: refused.kind,
    name: refused.name,
    reason: 'not allowed to make its pods',
    message: refused.message.replace(/^Error creating: /, ''),
    stuck: own.length === 0 && refused.times >= refusedOften,
    container: null,
  };
}

/** A Deployment names its ReplicaSets, and a CronJob its Jobs, after itself. */
function belongsTo({ kind, name }: Warning, unwell: ReadonlySet<string>): boolean {
  if (unwell.has(`${kind}/${name}`)) return true;
  const parent = /^(.+)-[^-]+$/.exec(name)?.[1] ?? '';
  if (kind === 'ReplicaSet') return unwell.has(`Deployment/${parent}`) || unwell.has(`Rollout/${parent}`);
  return kind === 'Job' && unwell.has(`CronJob/${parent}`);
}
