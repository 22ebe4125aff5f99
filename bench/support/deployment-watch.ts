import { openConnection } from '../../src/kube/connection.js';
import { createKubeClient } from '../../src/kube/kube-client.js';
import { sendJson, sendText } from '../../src/kube/send-json.js';
import { keepNodesAlive } from '../../test/support/cluster.js';

/** When the Deployments of a cluster came to be. */
export interface DeploymentWatch {
  /** Resolves with the moment (`performance.now()`) at which the API server told of a Deployment in the namespace. */
  seen(namespace: string): Promise<number>;
  /** Requests that the API server has answered so far, of all its clients, by verb and resource. */
  requests(): Promise<Map<string, number>>;
  /** Asks for the deletion of what the bench made; a cluster that was lent is left as it was. */
  removeNamespaces(prefix: string): Promise<void>;
  close(): Promise<void>;
}

const timeoutMs = 30_000;

/** Watches the API server: it is asked once, not again and again while it is measured. */
export async function watchDeployments(kubeconfig: string): Promise<DeploymentWatch> {
  const connection = await openConnection({ kubeconfig: { path: kubeconfig } });
  const heartbeat = await keepNodesAlive(createKubeClient(connection));
  const end = new AbortController();
  const seenAt = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  const answer = await connection.send({
    method: 'GET',
    path: '/apis/apps/v1/deployments?watch=true&timeoutSeconds=3600',
    stream: true,
    timeoutMs,
    signal: end.signal,
  });
  const reading = read(answer.body, (namespace, at) => {
    if (seenAt.has(namespace)) return;
    seenAt.set(namespace, at);
    waiting.get(namespace)?.(at);
    waiting.delete(namespace);
  });
  reading.catch(() => undefined);
  return {
    seen: (namespace) => {
      const at = seenAt.get(namespace);
      if (at !== undefined) return Promise.resolve(at);
      return new Promise((resolve, reject) => {
        waiting.set(namespace, resolve);
        reading.then(() => reject(new Error('the watch ended')), reject);
      });
    },
    async requests() {
      const text = await sendText(connection, { method: 'GET', path: '/metrics', timeoutMs }, 64 * 1024 * 1024);
      return countRequests(text);
    },
    async removeNamespaces(prefix) {
      const call = { path: '/api/v1/namespaces', timeoutMs };
      const { items } = (await sendJson(connection, { ...call, method: 'GET' })) as {
        items: { metadata: { name: string } }[];
      };
      for (const { metadata } of items.filter(({ metadata }) => metadata.name.startsWith(prefix))) {
        await sendJson(connection, { ...call, method: 'DELETE', path: `${call.path}/${metadata.name}` });
      }
    },
    async close() {
      end.abort();
      await heartbeat.stop();
      await connection.close();
    },
  };
}

async function read(body: AsyncIterable<Uint8Array>, heard: (namespace: string, at: number) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const at = performance.now();
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const event = JSON.parse(line) as { type: string; object: { metadata: { namespace: string } } };
      if (event.type === 'ADDED') heard(event.object.metadata.namespace, at);
    }
  }
}

function countRequests(metrics: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of metrics.split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    const label = (name: string) => new RegExp(`[{,]${name}="([^"]*)"`).exec(line)?.[1] ?? '';
    if (label('verb') === 'WATCH' || label('resource') === 'leases') continue;
    const key = [label('verb'), label('resource'), label('subresource')].filter((part) => part !== '').join(' ');
    counts.set(key, (counts.get(key) ?? 0) + Number(line.slice(line.lastIndexOf(' '))));
  }
  return counts;
}
