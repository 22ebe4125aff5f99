import { type JsonObject, type KubeObject, labelsAt, listAt, objectAt, textAt } from '../object.js';
import { createObject } from '../write/create.js';
import { plainWrite } from '../write/options.js';
import { controlled, controllerReference, isReady, kindOf, setStatus } from './ownership.js';
import type { Runtime } from './runtime.js';

/** Binds every claim to a volume of the size that it asks for. There are no volumes behind them. */
export function claimController(runtime: Runtime): void {
  const reconcile = runtime.queue('claim', (namespace, name) => {
    const { store } = runtime.state;
    const claim = store.get('persistentvolumeclaims', namespace, name);
    if (claim === undefined || textAt(claim, 'status', 'phase') === 'Bound') return;
    const spec = objectAt(claim, 'spec');
    store.put('persistentvolumeclaims', {
      ...claim,
      spec: { storageClassName: 'standard', ...spec, volumeName: `pvc-${claim.metadata.uid}` },
      status: { phase: 'Bound', accessModes: spec.accessModes, capacity: objectAt(spec, 'resources', 'requests') },
    });
  });
  runtime.onChange('persistentvolumeclaims', ({ type, object }) => {
    if (type !== 'DELETED') reconcile(object.metadata.namespace ?? '', object.metadata.name);
  });
}

/** Gives each Ingress the address of this machine, as an Ingress controller would its load balancer's. */
export function ingressController(runtime: Runtime): void {
  const storage = 'ingresses.networking.k8s.io';
  const reconcile = runtime.queue('ingress', (namespace, name) => {
    const ingress = runtime.state.store.get(storage, namespace, name);
    if (ingress === undefined || ingress.metadata.deletionTimestamp !== undefined) return;
    setStatus(runtime, storage, ingress, { loadBalancer: { ingress: [{ ip: '127.0.0.1' }] } });
  });
  runtime.onChange(storage, ({ type, object }) => {
    if (type !== 'DELETED') reconcile(object.metadata.namespace ?? '', object.metadata.name);
  });
}

/** Keeps one EndpointSlice for each Service: the pods that its selector matches, and whether they are ready. */
export function endpointsController(runtime: Runtime): void {
  const { store } = runtime.state;
  const reconcile = runtime.queue('endpoints', (namespace, name) => {
    const service = store.get('services', namespace, name);
    if (service !== undefined && service.metadata.deletionTimestamp === undefined) writeSlice(runtime, service);
  });
  runtime.onChange('services', ({ type, object }) => {
    if (type !== 'DELETED') reconcile(object.metadata.namespace ?? '', object.metadata.name);
  });
  runtime.onChange('pods', ({ object }) => {
    const labels = object.metadata.labels ?? {};
    const { namespace = '' } = object.metadata;
    for (const service of store.list('services', namespace)) {
      if (selects(service, labels)) reconcile(namespace, service.metadata.name);
    }
  });
}

function selects(service: KubeObject, labels: Record<string, string>): boolean {
  const selector = Object.entries(labelsAt(service, 'spec', 'selector'));
  return selector.length > 0 && selector.every(([key, value]) => labels[key] === value);
}

function writeSlice(runtime: Runtime, service: KubeObject): void {
  const { store } = runtime.state;
  const { namespace = '', name } = service.metadata;
  const storage = 'endpointslices.discovery.k8s.io';
  if (Object.keys(objectAt(service, 'spec', 'selector')).length === 0) return;
  const pods = store.list('pods', namespace).filter((pod) => selects(service, pod.metadata.labels ?? {}));
  const content: JsonObject = {
    addressType: 'IPv4',
    endpoints: pods.flatMap(endpoint),
    ports: listAt(service, 'spec', 'ports').map((port) => ({
      name: port.name ?? '',
      port: typeof port.targetPort === 'number' ? port.targetPort : port.port,
      protocol: port.protocol ?? 'TCP',
    })),
  };
  const [slice] = controlled(runtime, service, storage);
  if (slice === undefined) {
    const wish: KubeObject = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: {
        name: '',
        generateName: `${name}-`,
        labels: {
          'kubernetes.io/service-name': name,
          'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        },
        ownerReferences: [controllerReference(service)],
      },
      ...content,
    };
    createObject(runtime.state, kindOf(runtime, storage), namespace, wish, plainWrite);
  } else if (JSON.stringify([slice.endpoints, slice.ports]) !== JSON.stringify([content.endpoints, content.ports])) {
    store.put(storage, { ...slice, ...content });
  }
}

function endpoint(pod: KubeObject): JsonObject[] {
  const ip = textAt(pod, 'status', 'podIP');
  if (ip === undefined) return [];
  const ready = isReady(pod);
  const { namespace, name, uid } = pod.metadata;
  const targetRef = { kind: 'Pod', namespace, name, uid };
  return [
    {
      addresses: [ip],
      conditions: { ready, serving: ready, terminating: false },
      nodeName: pod.spec?.nodeName,
      targetRef,
    },
  ];
}
