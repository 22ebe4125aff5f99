import { type Manifest, records, text } from '../manifest.js';

/**
 * What a pod belongs to, nearest first, as `Kind/name`: `ReplicaSet/web-5d9c`, `Deployment/web`. A ReplicaSet's own
 * maker is told from the names: it puts the pod's template hash behind its own.
 */
export function ownersOf(pod: Manifest): string[] {
  const controller = records(pod.metadata.ownerReferences).find(({ controller: is }) => is === true);
  if (controller === undefined) return [];
  const kind = text(controller.kind);
  const name = text(controller.name);
  return [`${kind}/${name}`, ...makersOf(kind, name, text(pod.metadata.labels?.['pod-template-hash']))];
}

function makersOf(kind: string, name: string, hash: string): string[] {
  if (kind === 'ReplicaSet' && hash !== '' && name.endsWith(`-${hash}`)) {
    const maker = name.slice(0, -hash.length - 1);
    return [`Deployment/${maker}`, `Rollout/${maker}`];
  }
  // A CronJob names its Jobs after itself and the minute.
  const minute = kind === 'Job' ? /^(.+)-\d+$/.exec(name)?.[1] : undefined;
  return minute === undefined ? [] : [`CronJob/${minute}`];
}
