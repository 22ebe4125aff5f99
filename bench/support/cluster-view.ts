import { openConnection } from '../../src/kube/connection.js';
import { createKubeClient, type KubeClient } from '../../src/kube/kube-client.js';
import { sendJson, sendText } from '../../src/kube/send-json.js';
import { watchObjects } from '../../src/kube/watch.js';
import { keepNodesAlive } from '../../test/support/cluster.js';

/** What a bench needs of a Deployment. */
interface SeenDeployment {
  namespace: string;
  uid: string;
  replicas: number;
  available: boolean;
}

/** The API server as a bench sees it: the Deployments of one installation by a watch, and how many requests were answered. */
export interface ClusterView {
  server: string;
  client: KubeClient;
  /** What makes an object one of the installation, as far as this view tells. */
  labels: Record<string, string>;
  /** By namespace. */
  deployments: ReadonlyMap<string, SeenDeployment>;
  /** Resolves with the moment (`performance.now()`) at which the watch tells of such a Deployment. */
  deployment(what: string, is: (seen: SeenDeployment) => boolean): Promise<number>;
  /** Resolves with the moment at which the watch tells that the Deployment of a namespace was deleted. */
  gone(namespace: string): Promise<number>;
  /** Requests that were answered so far, of all clients, without watches and leases. */
  requests(): Promise<number>;
  /** Waits until fewer than `perSecond` requests come, and answers how many do. */
  quiet(perSecond: number): Promise<number>;
  /** Of this installation, by the API server's own list. */
  count(apiVersion: string, kind: string): Promise<number>;
  removeNamespaces(prefixes: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

const timeoutMs = 60_000;

export async function openClusterView(kubeconfig: string, installation: string): Promise<ClusterView> {
  const connection = await openConnection({ kubeconfig: { path: kubeconfig } });
  const client = createKubeClient(connection);
  const heartbeat = await keepNodesAlive(client);
  const end = new AbortController();
  const labelSelector = `mayfly.dev/installation=${installation}`;
  const deployments = new Map<string, SeenDeployment>();
  const waiting = new Set<(seen: SeenDeployment, at: number) => void>();
  const leaving = new Map<string, (at: number) => void>();
  const take = (object: unknown): void => {
    const seen = readDeployment(object);
    deployments.set(seen.namespace, seen);
    const at = performance.now();
    for (const each of waiting) each(seen, at);
  };
  const watching = watchObjects(
    client,
    { apiVersion: 'apps/v1', kind: 'Deployment', namespace: null, labelSelector },
    {
      replaced: (objects) => objects.forEach(take),
      changed: take,
      deleted: (object) => {
        const namespace = object.metadata.namespace ?? '';
        // One of the same name may be there already.
        if (deployments.get(namespace)?.uid === object.metadata.uid) deployments.delete(namespace);
        leaving.get(namespace)?.(performance.now());
        leaving.delete(namespace);
      },
    },
    end.signal,
  );
  const view: ClusterView = {
    server: connection.server,
    client,
    labels: { 'mayfly.dev/installation': installation },
    deployments,
    deployment: (what, is) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`Gave up waiting for ${what}`)), timeoutMs);
        const hear = (seen: SeenDeployment, at: number) => {
          if (!is(seen)) return;
          clearTimeout(timer);
          waiting.delete(hear);
          resolve(at);
        };
        waiting.add(hear);
      }),
    gone: (namespace) => new Promise((resolve) => leaving.set(namespace, resolve)),
    async requests() {
      const text = await sendText(connection, { method: 'GET', path: '/metrics', timeoutMs }, 64 * 1024 * 1024);
      let sum = 0;
      for (const line of text.split('\n')) {
        if (!line.startsWith('apiserver_request_total{') || /verb="WATCH"|resource="leases"/.test(line)) continue;
        sum += Number(line.slice(line.lastIndexOf(' ')));
      }
      return sum;
    },
    async quiet(perSecond) {
      for (let before = await view.requests(), tries = 0; ; tries += 1) {
        await new Promise((resolve) => setTimeout(resolve, 2_000));
        const now = await view.requests();
        // The look itself is one.
        const rate = (now - before - 1) / 2;
        if (rate < perSecond || tries === 30) return rate;
        before = now;
      }
    },
    count: async (apiVersion, kind) =>
      (await client.list({ apiVersion, kind, namespace: null, labelSelector })).items.length,
    async removeNamespaces(prefixes) {
      const call = { path: '/api/v1/namespaces', timeoutMs };
      const { items } = await client.list({ apiVersion: 'v1', kind: 'Namespace', namespace: null });
      for (const { metadata } of items) {
        const mine = prefixes.some((prefix) => metadata.name.startsWith(prefix));
        if (!mine || metadata.deletionTimestamp !== undefined) continue;
        await sendJson(connection, { ...call, method: 'DELETE', path: `${call.path}/${metadata.name}` });
      }
    },
    async close() {
      end.abort();
      await watching;
      await heartbeat.stop();
      await connection.close();
    },
  };
  return view;
}

/** Of what belongs to the installation of a view. */
export function labelSelectorOf({ labels }: Pick<ClusterView, 'labels'>): string {
  return Object.entries(labels)
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}

function readDeployment(object: unknown): SeenDeployment {
  const { metadata, spec, status } = object as {
    metadata: { namespace: string; uid: string };
    spec: { replicas: number };
    status?: { availableReplicas?: number };
  };
  const available = (status?.availableReplicas ?? 0) >= spec.replicas;
  return { namespace: metadata.namespace, uid: metadata.uid, replicas: spec.replicas, available };
}
