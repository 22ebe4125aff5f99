import { randomUUID } from 'node:crypto';
import { nodeName } from './controllers/kubelet.js';
import { timestamp } from './object.js';
import type { Store } from './store.js';

/** What a new cluster has before anybody asks: its namespaces, one node, a storage class. */
export function seedCluster(store: Store): void {
  const put = (
    storage: string,
    object: { apiVersion: string; kind: string; name: string; [field: string]: unknown },
  ) => {
    const { name, apiVersion, kind, ...rest } = object;
    if (store.get(storage, '', name) !== undefined) return;
    const labels = kind === 'Namespace' ? { labels: { 'kubernetes.io/metadata.name': name } } : {};
    const metadata = { name, uid: randomUUID(), creationTimestamp: timestamp(), ...labels };
    store.put(storage, { apiVersion, kind, metadata, ...rest });
  };
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system']) {
    const spec = { finalizers: ['kubernetes'] };
    put('namespaces', { apiVersion: 'v1', kind: 'Namespace', name, spec, status: { phase: 'Active' } });
  }
  put('nodes', { apiVersion: 'v1', kind: 'Node', name: nodeName, spec: {}, status: nodeStatus(timestamp()) });
  put('storageclasses.storage.k8s.io', {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    name: 'standard',
    provisioner: 'mayfly.dev/sandbox',
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  });
}

function nodeStatus(now: string): Record<string, unknown> {
  const resources = { cpu: '1k', memory: '1Ti', pods: '1M' };
  return {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    allocatable: resources,
    capacity: resources,
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        message: 'simulated',
        lastHeartbeatTime: now,
        lastTransitionTime: now,
      },
    ],
    nodeInfo: {
      architecture: 'amd64',
      containerRuntimeVersion: 'simulated',
      kernelVersion: 'simulated',
      kubeletVersion: 'v1.36.0',
      operatingSystem: 'linux',
      osImage: 'simulated',
    },
  };
}
