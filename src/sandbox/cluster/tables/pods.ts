import { at, type KubeObject, listAt, numberAt, objectAt, textAt } from '../object.js';
import { age } from './age.js';
import type { TableSpec } from './spec.js';

export const podTables: Record<string, TableSpec> = {
  pods: {
    columns: ['Name', 'Ready', 'Status', 'Restarts', 'Age', '*IP', '*Node', '*Nominated Node', '*Readiness Gates'],
    cells: (pod) => {
      const statuses = listAt(pod, 'status', 'containerStatuses');
      const total = listAt(pod, 'spec', 'containers').length;
      const running = statuses.filter(
        (status) => status.ready === true && at(status, 'state', 'running') !== undefined,
      );
      return [
        pod.metadata.name,
        `${running.length}/${total}`,
        podStatus(pod),
        restarts(pod),
        age(pod.metadata.creationTimestamp),
        textAt(pod, 'status', 'podIP') ?? '<none>',
        textAt(pod, 'spec', 'nodeName') ?? '<none>',
        '<none>',
        '<none>',
      ];
    },
  },
};

/** The STATUS column: what a container waits for or ended with says more than the phase. */
function podStatus(pod: KubeObject): string {
  let status = textAt(pod, 'status', 'reason') ?? textAt(pod, 'status', 'phase') ?? 'Pending';
  let ready = false;
  for (const container of listAt(pod, 'status', 'containerStatuses').toReversed()) {
    const state = objectAt(container, 'state');
    const waiting = textAt(state, 'waiting', 'reason');
    const ended = objectAt(state, 'terminated');
    if (waiting !== undefined) status = waiting;
    else if (state.terminated !== undefined) status = textAt(ended, 'reason') ?? `ExitCode:${ended.exitCode}`;
    else if (container.ready === true && state.running !== undefined) ready = true;
  }
  if (status === 'Completed' && ready) status = 'Running';
  return pod.metadata.deletionTimestamp === undefined ? status : 'Terminating';
}

function restarts(pod: KubeObject): string {
  const statuses = listAt(pod, 'status', 'containerStatuses');
  const count = statuses.reduce((sum, status) => sum + (numberAt(status, 'restartCount') ?? 0), 0);
  const ends = statuses.flatMap((status) => textAt(status, 'lastState', 'terminated', 'finishedAt') ?? []);
  const last = ends.sort().at(-1);
  return count === 0 || last === undefined ? String(count) : `${count} (${age(last)} ago)`;
}
