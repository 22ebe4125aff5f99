import { count, fields, type Manifest, text } from '../manifest.js';
import { conditionsOf } from './conditions.js';
import { degraded, type Health, healthInWords, healthy, progressing, suspended } from './health.js';

const notSeen = 'its newest specification has not been looked at yet';

/**
 * A Rollout of Argo Rollouts has the health that its controller wrote as a phase, once that controller has seen the
 * newest specification. Controllers before 1.0 write no phase: there it follows from the replicas, as `olderHealth` has it.
 */
export function rolloutHealth(rollout: Manifest): Health {
  if (!isGenerationSeen(rollout) || !isWorkloadSeen(rollout)) return progressing(notSeen);
  const status = fields(rollout.status);
  if (status.phase === undefined || status.phase === null) return olderHealth(rollout);
  const word = status.phase === 'Paused' ? 'Suspended' : status.phase;
  return healthInWords(word, text(status.message));
}

function isGenerationSeen(rollout: Manifest): boolean {
  if (typeof rollout.status !== 'object' || rollout.status === null) return false;
  const seen = numberOf(fields(rollout.status).observedGeneration);
  const generation = count(rollout.metadata.generation);
  // Before 0.10 the field held a hash: a number above the generation is one by chance.
  return seen === null || seen > generation || seen === generation;
}

/** A Rollout may take its template from a Deployment, whose generation it notes beside its own. */
function isWorkloadSeen(rollout: Manifest): boolean {
  const { annotations } = rollout.metadata;
  if (fields(rollout.spec).workloadRef === undefined || annotations === undefined) return true;
  const wanted = numberOf(annotations['rollout.argoproj.io/workload-generation']);
  return wanted === numberOf(fields(rollout.status).workloadObservedGeneration);
}

function numberOf(value: unknown): number | null {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : null;
}

function olderHealth(rollout: Manifest): Health {
  const failed = conditionsOf(rollout)?.find(
    ({ type, reason }) =>
      type === 'InvalidSpec' ||
      (type === 'Progressing' && (reason === 'RolloutAborted' || reason === 'ProgressDeadlineExceeded')),
  );
  if (failed !== undefined) return degraded(failed.message);
  const spec = fields(rollout.spec);
  const status = fields(rollout.status);
  const pauses = Array.isArray(status.pauseConditions) ? status.pauseConditions.length : 0;
  if (pauses > 0 || spec.paused === true) return suspended('it is paused');
  if (status.currentPodHash === undefined) return progressing('it has not been worked on yet');
  const updated = count(status.updatedReplicas);
  const wanted = count(spec.replicas, 1);
  if (updated < wanted) return progressing(`${updated} of ${wanted} replicas are of the newest template`);
  const available = count(status.availableReplicas);
  if (available < updated) return progressing(`${available} of ${updated} new replicas are available`);
  return strategyHealth(fields(spec.strategy), status);
}

function strategyHealth(strategy: Record<string, unknown>, status: Record<string, unknown>): Health {
  const current = text(status.currentPodHash);
  const stable = text(status.stableRS ?? fields(status.canary).stableRS);
  if (strategy.blueGreen !== undefined) {
    if (text(fields(status.blueGreen).activeSelector) !== current) {
      return progressing('the active service has not been switched over');
    }
    return stable === '' || stable === current ? healthy() : progressing('its analysis has not ended');
  }
  if (strategy.canary !== undefined) {
    const old = count(status.replicas) - count(status.updatedReplicas);
    if (old > 0) return progressing(`${old} old replicas have not ended yet`);
    if (stable === '' || stable !== current) return progressing('its steps have not ended');
  }
  return healthy();
}
