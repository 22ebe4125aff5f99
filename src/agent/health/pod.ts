import { count, fields, type Manifest, records, text } from '../manifest.js';
import { degraded, type Health, healthy, progressing, unknown } from './health.js';

/** On a pod that runs for ever though its restart policy lets it end. Argo CD ignores it on hooks. */
const runsForEver = 'argocd.argoproj.io/ignore-restart-policy';

/** A pod that is to run for ever is healthy when it is ready; one that is to end, when it succeeded. */
export function podHealth(pod: Manifest): Health {
  const status = fields(pod.status);
  const message = text(status.message);
  const containers = records(status.containerStatuses);
  const restarts = text(fields(pod.spec).restartPolicy);
  const lasting = restarts === 'Always' || (pod.metadata.annotations?.[runsForEver] === 'true' && !isHook(pod));
  if (lasting) {
    const stuck = containers.map((container) => fields(fields(container.state).waiting)).filter(isStuck);
    if (stuck.length > 0) return degraded(stuck.map((waiting) => text(waiting.message)).join(', '));
  }
  switch (status.phase) {
    case 'Pending':
      return progressing(message);
    case 'Succeeded':
      return healthy(message);
    case 'Failed':
      return degraded(message || failureOf([...records(status.initContainerStatuses), ...containers]));
    case 'Running':
      if (lasting) return runningHealth(status, containers, message);
      return restarts === 'OnFailure' || restarts === 'Never' ? progressing(message) : unknown(message);
    default:
      return unknown(message);
  }
}

function runningHealth(
  status: Record<string, unknown>,
  containers: Record<string, unknown>[],
  message: string,
): Health {
  const ready = records(status.conditions).find((condition) => condition.type === 'Ready');
  if (ready?.status === 'True') return healthy(message);
  // Not ready after it has ended once already: it is failing, not starting.
  if (containers.some((container) => fields(container.lastState).terminated !== undefined)) return degraded(message);
  return progressing(message);
}

/** The kubelet's reasons: ErrImagePull, ImagePullBackOff, CrashLoopBackOff, CreateContainerConfigError, … */
function isStuck(waiting: Record<string, unknown>): boolean {
  const reason = text(waiting.reason);
  return reason.startsWith('Err') || reason.endsWith('Error') || reason.endsWith('BackOff');
}

function isHook(pod: Manifest): boolean {
  const { 'argocd.argoproj.io/hook': hook, 'helm.sh/hook': helmHook } = pod.metadata.annotations ?? {};
  return hook === undefined ? helmHook !== undefined && helmHook !== 'crd-install' : hook.trim() !== 'Skip';
}

function failureOf(containers: Record<string, unknown>[]): string {
  for (const container of containers) {
    const ended = fields(fields(container.state).terminated);
    if (text(ended.message) !== '') return text(ended.message);
    if (ended.reason === 'OOMKilled') return 'OOMKilled';
    if (count(ended.exitCode) !== 0) return `container ${text(container.name)} ended with exit code ${ended.exitCode}`;
  }
  return '';
}
