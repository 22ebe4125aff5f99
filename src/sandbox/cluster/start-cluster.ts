import { randomBytes } from 'node:crypto';
import { type Logger, pino } from 'pino';
import { loadSchema } from './admit/schema.js';
import { createCertificate } from './certificate.js';
import { createClusterState } from './cluster-state.js';
import { daemonSetController } from './controllers/daemon-sets.js';
import { deploymentController } from './controllers/deployments.js';
import { garbageCollector } from './controllers/garbage-collector.js';
import { jobController } from './controllers/jobs.js';
import { kubelet } from './controllers/kubelet.js';
import { namespaceController } from './controllers/namespaces.js';
import { replicaSetController } from './controllers/replica-sets.js';
import { startRuntime } from './controllers/runtime.js';
import { statefulSetController } from './controllers/stateful-sets.js';
import { claimController, endpointsController, ingressController } from './controllers/storage-and-network.js';
import { startServer } from './http/server.js';
import { followStore, readJournal } from './journal.js';
import { createKindRegistry } from './kinds.js';
import { renderKubeconfig, writePrivateFile } from './kubeconfig.js';
import type { KubeObject } from './object.js';
import { seedCluster } from './seed.js';
import { createStore } from './store.js';

export interface ClusterOptions {
  /** Default 0: a free one. The server listens on 127.0.0.1. */
  port?: number;
  /** Where the state is kept between starts; without it the cluster is empty at each start. */
  dataFile?: string;
  log?: Logger;
}

export interface Cluster {
  /** `https://127.0.0.1:PORT`; the certificate is self-signed and stands in the kubeconfig. */
  url: string;
  /** The bearer token that may do all. */
  token: string;
  /** The certificate's own authority, PEM. */
  authorityPem: string;
  /** The kubeconfig's text. */
  kubeconfig: string;
  /** Writes the kubeconfig for its owner alone to read. */
  writeKubeconfig(path: string): Promise<void>;
  /** All objects of a namespace but events; empty when there is no such namespace. */
  inNamespace(namespace: string): KubeObject[];
  /** Objects of a resource (`pods`, `deployments.apps`), of one namespace or of all. */
  list(resource: string, namespace?: string): KubeObject[];
  get(resource: string, namespace: string, name: string): KubeObject | undefined;
  /** Calls the listener after each change of an object; returns the end of it. */
  onChange(listener: (object: KubeObject, isGone: boolean) => void): () => void;
  /** Ends watches and timers, and saves what is not saved yet. */
  close(): Promise<void>;
}

/**
 * Starts a stand-in for a Kubernetes cluster: an API server that kubectl works with, and the controllers that make
 * workloads' pods become ready, or fail as their images' tags say. It runs no containers.
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const log = options.log ?? pino({ enabled: false });
  const { dataFile } = options;
  const saved = dataFile === undefined ? { revision: 1, entries: [] } : await readJournal(dataFile);
  const store = createStore(saved);
  const state = createClusterState(createKindRegistry(), store, await loadSchema());
  const journal = dataFile === undefined ? undefined : await followStore(store, saved, dataFile, log);
  seedCluster(store);
  const controllers = startRuntime(state, log, [
    namespaceController,
    garbageCollector,
    kubelet,
    replicaSetController,
    deploymentController,
    statefulSetController,
    daemonSetController,
    jobController,
    claimController,
    ingressController,
    endpointsController,
  ]);
  const token = randomBytes(24).toString('hex');
  const certificate = createCertificate(Date.now());
  const server = await startServer(state, { port: options.port ?? 0, token, certificate, log });
  const url = `https://127.0.0.1:${server.port}`;
  const kubeconfig = renderKubeconfig({ url, authorityPem: certificate.cert, token });
  return {
    url,
    token,
    authorityPem: certificate.cert,
    kubeconfig,
    writeKubeconfig: (path) => writePrivateFile(path, kubeconfig),
    inNamespace: (namespace) =>
      store.content(namespace).flatMap((entry) => (entry.storage === 'events' ? [] : [entry.object])),
    list: (resource, namespace) => store.list(resource, namespace),
    get: (resource, namespace, name) => store.get(resource, namespace, name),
    onChange: (listener) => store.subscribe((change) => listener(change.object, change.type === 'DELETED')),
    async close() {
      controllers.stop();
      await server.close();
      await journal?.close();
    },
  };
}
