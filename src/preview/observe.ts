import type { Observation } from './facts.js';
import { transition } from './lifecycle.js';
import type { Policy } from './policy.js';
import type { Cause, Instant, Preview } from './preview.js';

/**
 * The row after what the agent says of it. An observation counts only for the revision that Git should hold: a
 * redeploy of the same sha is not healthy because the one before it was.
 */
export function applyObservation(preview: Preview, observation: Observation | null, now: Instant): Preview {
  if (observation === null || observation.revision === null || observation.revision !== preview.wantedRevision) {
    return preview;
  }
  switch (observation.state) {
    case 'healthy':
      return healthy(preview, observation.revision, now);
    case 'degraded':
      return unwell(preview, observation.cause ?? 'health', observation.message);
    case 'refused':
      return unwell(preview, observation.cause ?? 'fence', observation.message);
    case 'suspended':
      return suspended(preview, observation.message);
    default:
      return preview;
  }
}

function healthy(preview: Preview, revision: string, now: Instant): Preview {
  if (preview.phase !== 'deploying' && preview.phase !== 'failed') {
    return preview;
  }
  return transition(preview, 'ready', {
    deployedRevision: revision,
    readyAt: preview.readyAt ?? now,
    members: preview.members.map((member) => ({ ...member, deployedSha: member.wantedSha })),
  });
}

function unwell(preview: Preview, cause: Cause, message: string | null): Preview {
  if (preview.phase === 'failed') {
    // The evidence got better: a time-out has a pod to blame now.
    return { ...preview, cause, message };
  }
  return preview.phase === 'deploying' || preview.phase === 'ready'
    ? transition(preview, 'failed', { cause, message })
    : preview;
}

/**
 * What its file declares asleep is: a person's edit, or what slept before its stop was undone. With a message it is
 * something in it that waits for a person, and it is not ready.
 */
function suspended(preview: Preview, message: string | null): Preview {
  const isDeclared = message === null && (preview.wantAsleep || preview.edited !== null);
  return isDeclared && (preview.phase === 'deploying' || preview.phase === 'failed')
    ? transition(preview, 'asleep')
    : preview;
}

/** A deployment that takes too long has failed; it may become ready after all. */
export function applyTimeout(
  preview: Preview,
  policy: Policy | null,
  observation: Observation | null,
  now: Instant,
): Preview {
  const dueAt = deployTimeoutAt(preview, policy);
  if (dueAt === null || now < dueAt) {
    return preview;
  }
  const speaksOfIt = observation !== null && observation.revision === preview.wantedRevision;
  return transition(preview, 'failed', { cause: 'timeout', message: speaksOfIt ? observation.message : null });
}

/** When a deployment will have taken too long; null while nothing is being deployed. */
export function deployTimeoutAt(preview: Preview, policy: Policy | null): Instant | null {
  return policy === null || preview.phase !== 'deploying' || preview.deployingSince === null
    ? null
    : preview.deployingSince + policy.deployTimeoutMs;
}
