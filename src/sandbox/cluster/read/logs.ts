import { badRequest, notFound } from '../api-error.js';
import type { ClusterState } from '../cluster-state.js';
import type { Kind } from '../kind.js';
import { type JsonObject, type KubeObject, listAt, objectAt, textAt } from '../object.js';

/** What `kubectl logs` of a pod prints: the panic of a container that crashes, else a few plausible lines. */
export function podLog(
  state: ClusterState,
  kind: Kind,
  namespace: string,
  name: string,
  query: URLSearchParams,
): string {
  const pod = state.store.get(kind.storage, namespace, name);
  if (pod === undefined) throw notFound(kind, name);
  const container = chooseContainer(pod, query.get('container') ?? '');
  const status = listAt(pod, 'status', 'containerStatuses').find((entry) => entry.name === container.name) ?? {};
  const previous = query.get('previous') === 'true';
  if (previous && textAt(status, 'lastState', 'terminated', 'reason') === undefined) {
    throw badRequest(`previous terminated container "${container.name}" in pod "${name}" not found`);
  }
  const waiting = textAt(status, 'state', 'waiting', 'reason');
  if (waiting !== undefined && waiting !== 'CrashLoopBackOff') {
    const why = waiting === 'ImagePullBackOff' ? 'trying and failing to pull image' : waiting;
    throw badRequest(`container "${container.name}" in pod "${name}" is waiting to start: ${why}`);
  }
  const lines = textAt(pod, 'status', 'startTime') === undefined ? [] : linesOf(pod, container);
  const tail = query.get('tailLines');
  const shown = tail === null ? lines : lines.slice(Math.max(0, lines.length - Number(tail)));
  const stamped =
    query.get('timestamps') === 'true' ? shown.map(([at, text]) => `${at} ${text}`) : shown.map(([, text]) => text);
  const bytes = Number(query.get('limitBytes') ?? 0);
  const text = stamped.map((line) => `${line}\n`).join('');
  return bytes > 0 ? text.slice(0, bytes) : text;
}

function chooseContainer(pod: KubeObject, name: string): JsonObject {
  const containers = [...listAt(pod, 'spec', 'containers'), ...listAt(pod, 'spec', 'initContainers')];
  if (name !== '') {
    const found = containers.find((container) => container.name === name);
    if (found === undefined) throw badRequest(`container ${name} is not valid for pod ${pod.metadata.name}`);
    return found;
  }
  const main = listAt(pod, 'spec', 'containers');
  const [only] = main;
  if (main.length === 1 && only !== undefined) return only;
  const names = main.map((container) => container.name).join(' ');
  throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names}]`);
}

function linesOf(pod: KubeObject, container: JsonObject): [time: string, text: string][] {
  const started = textAt(pod, 'status', 'startTime') ?? '';
  const image = String(container.image ?? '');
  const says = (...texts: string[]): [string, string][] => texts.map((text) => [started, text]);
  if (image.endsWith(':crash')) return says('panic: config: DATABASE_URL is not set');
  if (image.endsWith(':fail')) return says('migrating the database', 'error: relation "orders" does not exist');
  const port = objectAt(listAt(container, 'ports')[0]).containerPort ?? 8080;
  if (image.endsWith(':unready')) return says(`starting ${image}`, 'waiting for the database', 'GET /healthz 503');
  const isJob = pod.metadata.ownerReferences?.some((owner) => owner.kind === 'Job') ?? false;
  if (isJob) return says(`starting ${image}`, 'done');
  return says(`starting ${image}`, `listening on :${port}`, 'GET /healthz 200');
}
